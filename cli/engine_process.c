/* Starting the engine. */
#include "cli/engine_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/memory.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int engine_process_open(struct engine_process *p)
{
	int pair[2];

	*p = ENGINE_PROCESS_NONE;
	for (int i = 0; i < N_CHANNELS; i++)
		p->fd[i] = p->theirs[i] = -1;
	for (int i = 0; i < N_CHANNELS; i++) {
		int err = i == CHANNEL_ERRORS
				  ? pipe2(pair, O_CLOEXEC)
				  : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);

		if (err < 0) {
			err = fail(
				errno, "cannot open channels to the machine: %s", strerror(errno));
			engine_process_close(p);
			return err;
		}
		p->fd[i] = pair[0];
		p->theirs[i] = pair[1];
		fcntl(p->fd[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

/* In the child: never returns.  Its own process group keeps the terminal's signals away. */
static _Noreturn void become_engine(
	const struct string_list *a, const struct engine_process *p, int inherited, pid_t parent)
{
	char **argv = memory_new(a->n + 1, sizeof(argv[0]));
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	memcpy(argv, a->items, a->n * sizeof(argv[0]));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (getppid() != parent)
		_exit(EXIT_MOTE_FAILED);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(p->theirs[CHANNEL_ERRORS], STDERR_FILENO);
	for (int i = 0; i < N_CHANNELS; i++)
		if (i != CHANNEL_ERRORS)
			fcntl(p->theirs[i], F_SETFD, 0);
	if (inherited >= 0)
		fcntl(inherited, F_SETFD, 0);
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "cannot execute %s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_MOTE_FAILED);
}

int engine_process_start(struct engine_process *p, const struct string_list *argv, int inherited)
{
	pid_t self = getpid();

	p->pid = fork();
	if (p->pid < 0)
		return fail(errno, "cannot start QEMU: %s", strerror(errno));
	if (p->pid == 0)
		become_engine(argv, p, inherited, self);
	for (int i = 0; i < N_CHANNELS; i++)
		close_fd(&p->theirs[i]);
	p->ended = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->ended < 0)
		return fail(errno, "cannot watch QEMU: %s: this needs Linux 5.3", strerror(errno));
	return 0;
}

void engine_process_close(struct engine_process *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&p->ended);
	for (int i = 0; i < N_CHANNELS; i++) {
		close_fd(&p->fd[i]);
		close_fd(&p->theirs[i]);
	}
	p->pid = -1;
}
