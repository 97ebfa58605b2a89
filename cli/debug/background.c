/* Instances that belong to a command: started as mote run -d does, gone with it. */
#include "cli/debug/background.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/instance.h"
#include "cli/memory.h"

pid_t background_spawn(char *const argv[], bool ignores_interrupts, int out)
{
	pid_t self = getpid(), child = fork();

	if (child != 0)
		return child;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, ignores_interrupts ? SIG_IGN : SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != self)
		_exit(EXIT_MOTE_FAILED);
	if (out >= 0)
		dup2(out, STDIN_FILENO);
	execvp(argv[0], argv);
	fprintf(stderr, "mote: cannot execute %s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_NOT_FOUND);
}

pid_t background_logs(const char *of)
{
	char self[] = "/proc/self/exe", command[] = "logs", follow[] = "-f";
	char *name = memory_string(of), *argv[] = {self, command, follow, name, NULL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	pid_t pid = background_spawn(argv, true, null);
	close(null);
	free(name);
	return pid;
}

int background_ask_end(const char *name)
{
	static const char request[] = "{\"request\": \"wait\"}\n";
	struct instance i = INSTANCE_NONE;

	if (instance_open(name, &i) < 0)
		return -1;
	int fd = control_connect(&i);
	instance_close(&i);
	if (fd >= 0)
		(void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
	return fd;
}

struct ending background_take_end(int fd)
{
	char line[2048] = "";
	ssize_t n = read(fd, line, sizeof(line) - 1);
	json_t *o = n > 0 ? json_loads(line, 0, NULL) : NULL;
	struct ending e = ending_from_json(json_object_get(o, "ending"));

	json_decref(o);
	close(fd);
	return e;
}

bool background_is_instance(const char *name)
{
	struct string_list names = {0};
	bool is = options_is_name(name) && instance_names(&names) >= 0 && list_has(&names, name);

	list_free(&names);
	return is;
}

void background_stop(const char *name)
{
	struct instance i = INSTANCE_NONE;

	if (!background_is_instance(name) || instance_open(name, &i) < 0)
		return;
	if (instance_is_alive(&i))
		json_decref(control_ask(
			&i, json_pack("{s:s, s:i}", "request", "kill", "signal", SIGKILL), 10000));
	instance_close(&i);
}

int background_start(const struct options *given, const char *purpose, char **name)
{
	struct options o = *given;
	int out = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	*name = string_format("%s-%d", purpose, (int)getpid());
	o.detach = o.remove = o.holds_start = true;
	o.name = *name;
	fflush(stdout);
	dup2(null, STDOUT_FILENO); /* the instance's name is nobody's business */
	int status = command_run(&o);

	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(null);
	return status;
}
