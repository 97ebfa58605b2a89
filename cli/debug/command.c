/*
 * mote debug: gdb, our stub, and an instance.  A program is started in the background as an instance
 * of its own that goes with gdb; its output is what mote logs prints.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/debug/attach.h"
#include "cli/debug/background.h"
#include "cli/debug/stub.h"
#include "cli/ending.h"
#include "cli/folders.h"
#include "cli/instance.h"
#include "cli/memory.h"

struct debugging {
	const struct options *options;
	const char *name;    /* of the instance */
	const char *program; /* for gdb; NULL: it reads the file from the machine */
	bool is_ours;        /* the instance goes with us */
	char *folder;        /* with the socket */
	struct target target;
	struct stub *stub;
	pid_t gdb, logs; /* 0 = none */
	int ended;       /* answers when the instance has ended; -1 */
};

/* ---- Processes ---- */

static int start_gdb(struct debugging *d, const char *socket)
{
	struct string_list a = {0};

	list_add(&a, "gdb");
	list_add(&a, "-q");
	if (d->options->batch)
		list_add(&a, "-batch");
	/* Whether libraries are this host's or only the image's: the machine has the right ones. */
	list_add(&a, "-iex");
	list_add(&a, d->program ? "set sysroot /" : "set sysroot target:");
	list_add(&a, "-ex");
	list_add_owned(&a, string_format("target remote %s", socket));
	for (size_t i = 0; i < d->options->gdb_commands.n; i++) {
		list_add(&a, "-ex");
		list_add(&a, d->options->gdb_commands.items[i]);
	}
	if (d->program)
		list_add(&a, d->program);
	char **argv = memory_new(a.n + 1, sizeof(argv[0]));

	memcpy(argv, a.items, a.n * sizeof(argv[0]));
	d->gdb = background_spawn(argv, false, -1);
	free(argv);
	list_free(&a);
	return d->gdb < 0 ? fail(errno, "cannot start gdb: %s", strerror(errno)) : 0;
}

/* ---- The socket ---- */

static int parse_listen(const char *text, char *address, size_t size, unsigned *port)
{
	const char *colon = strrchr(text, ':');
	char *end = NULL;
	unsigned long value = strtoul(colon ? colon + 1 : text, &end, 10);

	if (*end || value < 1 || value > 65535 || (colon && (size_t)(colon - text) >= size))
		return fail(EINVAL, "cannot listen on %s: it is not [ADDRESS:]PORT", text);
	snprintf(
		address, size, "%.*s", colon ? (int)(colon - text) : 9, colon ? text : "127.0.0.1");
	*port = (unsigned)value;
	return 0;
}

static int open_stub(struct debugging *d, char **socket)
{
	char address[64];
	unsigned port = 0;

	*socket = string_format("%s/gdb", d->folder);
	if (!d->options->listen)
		return stub_open(&d->target, *socket, NULL, 0, &d->stub);
	int err = parse_listen(d->options->listen, address, sizeof(address), &port);

	if (err >= 0)
		err = stub_open(&d->target, NULL, address, port, &d->stub);
	if (err >= 0)
		printf("waiting for gdb: target remote %s:%u\n", address, port), fflush(stdout);
	return err;
}

/* ---- The end of the program ---- */

/* mote's exit status for it. */
static int take_end(struct debugging *d)
{
	struct ending e = background_take_end(d->ended);

	d->ended = -1;
	stub_tell_end(d->stub, e.status, e.end == END_SIGNAL ? e.number : 0);
	return e.status;
}

/* ---- The loop ---- */

static bool has_ended(pid_t *child)
{
	if (*child <= 0 || waitpid(*child, NULL, WNOHANG) != *child)
		return false;
	*child = 0;
	return true;
}

/* Until gdb has gone, or the program has. */
static int serve(struct debugging *d)
{
	int status = 0;
	bool channel_open = true;

	for (;;) {
		struct pollfd fds[] = {{stub_fd(d->stub), POLLIN, 0},
			{channel_open ? d->target.channel->fd : -1, POLLIN, 0},
			{d->ended, POLLIN, 0}};

		poll(fds, 3, 500);
		if (fds[0].revents)
			stub_read(d->stub);
		if (fds[1].revents && channel_read(d->target.channel) < 0)
			channel_open = false;
		stub_look(d->stub);
		if (fds[2].revents)
			status = take_end(d);
		bool gone = has_ended(&d->gdb);

		if (gone || (!d->gdb && stub_has_left(d->stub)) || (d->ended < 0 && !d->gdb))
			return status;
	}
}

/* ---- Start and end ---- */

static int debug_instance(struct debugging *d)
{
	char *socket = NULL;
	int status = EXIT_MOTE_FAILED;

	if (attach_open(d->name, &d->target, NULL, NULL) < 0)
		return status;
	d->ended = background_ask_end(d->name);
	int err = target_attach(&d->target, 0);

	if (err < 0)
		fail(-err, "cannot debug %s: its machine does not answer", d->name);
	if (err >= 0)
		err = open_stub(d, &socket);
	if (err >= 0 && !d->options->listen)
		err = start_gdb(d, socket);
	if (err >= 0)
		status = serve(d);
	if (d->stub)
		stub_close(d->stub);
	(void)!target_detach(&d->target);
	attach_close(&d->target);
	if (d->ended >= 0)
		close(d->ended);
	free(socket);
	return status;
}

/* QEMU's own stub shows processors, not threads: right for a kernel. */
static int debug_kernel(struct debugging *d)
{
	struct instance i = INSTANCE_NONE;
	char *kernel = kernel_find(), *socket = string_format("%s/gdb", d->folder);
	char *command = string_format("gdbserver unix:%s,server=on,wait=off", socket);

	if (instance_open(d->name, &i) < 0 || !kernel) {
		free(kernel);
		return EXIT_MOTE_FAILED;
	}
	json_t *reply = control_ask(&i,
		json_pack("{s:s, s:{s:s, s:{s:s}}}", "request", "qmp", "command", "execute",
			"human-monitor-command", "arguments", "command-line", command),
		10000);

	instance_close(&i);
	d->program = kernel;
	int err = reply ? start_gdb(d, socket)
			: fail(ESRCH, "cannot debug the kernel of %s: it does not run", d->name);

	if (err >= 0)
		waitpid(d->gdb, NULL, 0);
	json_decref(reply);
	free(kernel);
	free(socket);
	free(command);
	return err < 0 ? EXIT_MOTE_FAILED : 0;
}

static int make_folder(struct debugging *d)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char *folder = string_format("%s/mote-debug-XXXXXX", run && *run ? run : "/tmp");

	if (!mkdtemp(folder)) {
		int err = fail(errno, "cannot make a folder for gdb's socket: %s: %s", folder,
			strerror(errno));

		free(folder);
		return err;
	}
	d->folder = folder;
	return 0;
}

int command_debug(const struct options *o)
{
	struct debugging d = {.options = o, .ended = -1};
	char *made = NULL, *gdb = o->listen ? NULL : tool_find("gdb");
	int status = 0;

	if (!o->program) {
		fail(EINVAL, "no program given: mote debug PROGRAM, see mote debug --help");
		return EXIT_MOTE_FAILED;
	}
	if (!o->listen && !gdb) {
		fail(ENOENT, "cannot find gdb: install the package gdb, or use --listen");
		return EXIT_MOTE_FAILED;
	}
	free(gdb);
	if (make_folder(&d) < 0)
		return EXIT_MOTE_FAILED;
	signal(SIGINT, SIG_IGN);
	d.is_ours = !background_is_instance(o->program);
	d.name = o->program;
	if (d.is_ours) {
		status = background_start(o, "debug", &made);
		d.name = made;
		d.program = o->root ? NULL : o->program;
	}
	if (status == 0 && d.is_ours)
		d.logs = background_logs(d.name);
	if (status == 0)
		status = o->debug_kernel ? debug_kernel(&d) : debug_instance(&d);
	if (d.is_ours)
		background_stop(d.name);
	if (d.logs > 0)
		waitpid(d.logs, NULL, 0); /* it ends when it has told all */
	rmdir(d.folder);
	free(d.folder);
	free(made);
	return status;
}
