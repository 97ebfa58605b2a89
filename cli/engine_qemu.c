/*
 * QEMU's microvm machine (hw/i386/microvm.c), without ACPI: qboot then starts the kernel's PVH
 * entry in a few thousand instructions.  Found in QEMU 10.0 and relied on here:
 *     - virtio-mmio transport i (0..7) is at 0xfeb00000 + 512 i with interrupt 5 + i;
 *     - "-device virtio-*-device" takes the highest transport that is free: the first device is 7;
 *     - auto-kernel-cmdline would append their words behind "--", so that they are given here;
 *     - virtio-mmio.force-legacy is on by default: off makes them virtio 1;
 *     - qboot hands on command lines of any length (tried with 60,000 bytes).
 *     - a virtconsole drops what its socket does not take at once, a serial port waits: so the
 *       console is a serial port, although that costs a write per byte.
 * The machine's console and its status record are sockets handed down: no file of an instance is
 * ever made.  QEMU dies with mote, whatever ends mote.
 */
#include "cli/engine_qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/channel.h"
#include "cli/folders.h"
#include "cli/host_facts.h"
#include "cli/kernel_line.h"
#include "cli/memory.h"
#include "cli/relay.h"

#define QEMU "qemu-system-x86_64"
#define TRANSPORT_BASE 0xfeb00000u
#define TRANSPORT_SIZE 512u
#define TRANSPORTS 8u
#define TRANSPORT_IRQ 5u
#define EXIT_PORT "0x501"
#define STATUS_PORT "0xe9"

/* ---- The kernel's command line ---- */

/* Kernels that take controls in their input (abi/boot.h) have the option's name in them. */
static bool kernel_knows(const char *kernel, const char *option)
{
	int fd = open(kernel, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool knows = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size < 64 << 20) {
		char *data = memory_new((size_t)st.st_size, 1);

		if (read(fd, data, (size_t)st.st_size) == st.st_size)
			knows = memmem(data, (size_t)st.st_size, option, strlen(option));
		free(data);
	}
	close(fd);
	return knows;
}

static unsigned count_devices(const struct machine *m)
{
	/* disk, random numbers; network; channel */
	return 2 + (m->network != NETWORK_NONE) + machine_has_channel(m);
}

static void add_transports(struct text *line, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned at = TRANSPORTS - 1 - i;
		char value[64];

		snprintf(value, sizeof(value), "%u@0x%x:%u", TRANSPORT_SIZE,
			TRANSPORT_BASE + at * TRANSPORT_SIZE, TRANSPORT_IRQ + at);
		command_line_add(line, "virtio_mmio.device", value);
	}
}

static int make_line(const struct machine *m, char **out)
{
	struct text line = {0};
	struct host_facts facts;
	char khz[16];
	int err = kernel_line_add_words(&line, m);

	host_facts_get(&facts);
	snprintf(khz, sizeof(khz), "%" PRIu32, facts.tsc_khz);
	command_line_add(&line, "console", "ttyS0");
	if (facts.tsc_khz)
		command_line_add(&line, "mote.tsc_khz", khz);
	command_line_add(&line, "mote.exit_port", EXIT_PORT);
	command_line_add(&line, "mote.status_port", STATUS_PORT);
	if (kernel_knows(m->kernel, BOOT_CONTROL_OPTION))
		command_line_add(&line, BOOT_CONTROL_OPTION, NULL);
	add_transports(&line, count_devices(m));
	kernel_line_add_arguments(&line, m);
	if (err >= 0 && line.len >= BOOT_COMMAND_LINE_MAX)
		err = fail(E2BIG,
			"cannot run %s: its arguments and environment take %zu bytes, "
			"more than %d: use a file",
			m->name, line.len, BOOT_COMMAND_LINE_MAX);
	*out = text_take(&line);
	if (err < 0)
		free(*out);
	return err;
}

/* ---- QEMU's arguments ---- */

static void add(struct string_list *a, const char *option, char *value)
{
	list_add(a, option);
	if (value)
		list_add_owned(a, value);
}

/* QEMU's option lists take a doubled comma for one. */
static char *escape_commas(const char *value)
{
	struct text t = {0};

	for (; *value; value++)
		text_format(&t, "%c%s", *value, *value == ',' ? "," : "");
	return text_take(&t);
}

static void add_machine(struct string_list *a, const struct machine *m)
{
	struct host_facts facts;

	host_facts_get(&facts);
	/* The PIT serves only to measure the time stamp counter, where the host does not know it. */
	add(a, "-machine",
		string_format("microvm,acpi=off,x-option-roms=off,pic=off,pit=%s,rtc=on,"
			      "isa-serial=on,auto-kernel-cmdline=off",
			facts.tsc_khz ? "off" : "on"));
	if (m->engine == ENGINE_TCG) {
		add(a, "-accel", memory_string("tcg"));
		add(a, "-cpu", memory_string("max"));
	} else {
		add(a, "-accel", memory_string("kvm"));
		add(a, "-cpu", memory_string("host,arch-capabilities=off"));
	}
	add(a, "-smp", string_format("%u", m->n_cpus));
	add(a, "-m", string_format("%" PRIu64 "k", m->memory / 1024));
	add(a, "-nodefaults", NULL);
	add(a, "-no-user-config", NULL);
	add(a, "-no-reboot", NULL);
	add(a, "-display", memory_string("none"));
	add(a, "-global", memory_string("virtio-mmio.force-legacy=false"));
}

static void add_disk(struct string_list *a, const struct machine *m)
{
	char *image = escape_commas(m->image);

	add(a, "-drive",
		string_format("if=none,id=root,format=raw,file=%s,readonly=%s,cache=%s", image,
			m->writes_image ? "off" : "on", m->writes_image ? "writeback" : "unsafe"));
	add(a, "-device", memory_string("virtio-blk-device,drive=root"));
	free(image);
}

static void add_network(struct string_list *a, const struct machine *m)
{
	struct text net = {0};

	if (m->network == NETWORK_NONE)
		return;
	if (m->network == NETWORK_TAP)
		text_format(&net, "tap,id=net,ifname=%s,script=no,downscript=no", m->tap);
	else
		text_format(&net, "user,id=net,ipv6=off");
	for (size_t i = 0; m->network == NETWORK_USER && i < m->n_publishes; i++) {
		const struct publish *p = &m->publishes[i];

		text_format(&net, ",hostfwd=%s:%s:%u-10.0.2.15:%u", p->protocol, p->address,
			p->host_port, p->guest_port);
	}
	add(a, "-netdev", text_take(&net));
	add(a, "-device", memory_string("virtio-net-device,netdev=net"));
}

/* A socket handed down, or stdio and nothing in a dry run. */
static char *channel(const char *id, int fd)
{
	if (fd >= 0)
		return string_format("socket,id=%s,fd=%d", id, fd);
	return string_format(
		"%s,id=%s", strcmp(id, "console") == 0 ? "stdio,signal=off" : "null", id);
}

/* One port of a virtio-serial device (abi/channel.h). */
static void add_channel(struct string_list *a, const struct machine *m, int fd)
{
	if (!machine_has_channel(m))
		return;
	add(a, "-chardev", channel("channel", fd));
	add(a, "-device", memory_string("virtio-serial-device,max_ports=2"));
	add(a, "-device",
		string_format("virtserialport,chardev=channel,name=" CHANNEL_PORT ",nr=%d",
			CHANNEL_PORT_NUMBER));
}

int engine_qemu_arguments(
	const struct machine *m, const struct engine_sockets *s, struct string_list *a)
{
	char *qemu = tool_find(QEMU);
	char *line = NULL;

	if (!qemu)
		return fail(ENOENT, "cannot find %s: install the package qemu-system-x86", QEMU);
	int err = make_line(m, &line);

	if (err < 0) {
		free(qemu);
		return err;
	}
	list_add_owned(a, qemu);
	add_machine(a, m);
	add(a, "-kernel", memory_string(m->kernel));
	add(a, "-append", line);
	/* The order decides which transport each gets: the same as in add_transports(). */
	add_disk(a, m);
	add_network(a, m);
	add(a, "-device", memory_string("virtio-rng-device"));
	add_channel(a, m, s->channel);
	add(a, "-chardev", channel("console", s->console));
	add(a, "-serial", memory_string("chardev:console"));
	add(a, "-chardev", channel("status", s->status));
	add(a, "-device", memory_string("isa-debugcon,chardev=status,iobase=" STATUS_PORT));
	add(a, "-device", memory_string("isa-debug-exit,iobase=" EXIT_PORT ",iosize=4"));
	return 0;
}

/* ---- Running it ---- */

struct channels {
	int console[2], status[2], channel[2], errors[2]; /* [0] is ours, [1] is QEMU's */
};

static void close_both(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

static int open_channels(struct channels *c)
{
	*c = (struct channels){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->console) == 0 &&
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->status) == 0 &&
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->channel) == 0 &&
		pipe2(c->errors, O_CLOEXEC) == 0)
		return 0;
	int err = fail(errno, "cannot open channels to the machine: %s", strerror(errno));

	close_both(c->console);
	close_both(c->status);
	close_both(c->channel);
	return err;
}

/* In the child: never returns.  Its own process group keeps the terminal's signals away. */
static _Noreturn void become_qemu(
	const struct string_list *a, const struct channels *c, pid_t parent)
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
	dup2(c->errors[1], STDERR_FILENO);
	fcntl(c->console[1], F_SETFD, 0);
	fcntl(c->status[1], F_SETFD, 0);
	fcntl(c->channel[1], F_SETFD, 0);
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "cannot execute %s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_MOTE_FAILED);
}

static int start(const struct string_list *a, struct channels *c, pid_t *child)
{
	pid_t self = getpid();

	*child = fork();
	if (*child < 0)
		return fail(errno, "cannot start QEMU: %s", strerror(errno));
	if (*child == 0)
		become_qemu(a, c, self);
	close(c->console[1]);
	close(c->status[1]);
	close(c->channel[1]);
	close(c->errors[1]);
	return 0;
}

static void take_frame(void *view, unsigned kind, const void *content, size_t len)
{
	trace_view_frame(view, kind, content, len);
}

/* The relay, and what comes over the host channel. */
static int watch(const struct machine *m, struct relay *r, int fd)
{
	struct trace_view *view = NULL;
	struct channel channel;

	if (!machine_has_channel(m)) {
		close(fd);
		return relay_run(r);
	}
	if (trace_view_open(&m->trace.options, &view) < 0) {
		kill(r->child, SIGKILL);
		view = NULL;
	}
	channel_init(&channel, fd, view ? take_frame : NULL, view);
	r->channel = view ? &channel : NULL;
	int status = relay_run(r);

	channel_free(&channel);
	if (!view)
		return EXIT_MOTE_FAILED;
	trace_view_close(view);
	return status;
}

int engine_qemu_run(const struct machine *m)
{
	struct string_list a = {0};
	struct channels c;
	struct relay r = {.stop_seconds = m->stop_seconds,
		.is_terminal = m->is_terminal,
		.program = m->init ? m->init : m->image};
	int err = 0;

	for (size_t i = 0; err >= 0 && i < m->n_publishes; i++)
		err = publish_check(&m->publishes[i]);
	if (err < 0 || open_channels(&c) < 0)
		return EXIT_MOTE_FAILED;
	err = engine_qemu_arguments(
		m, &(struct engine_sockets){c.console[1], c.status[1], c.channel[1]}, &a);
	if (err >= 0)
		err = relay_prepare();
	if (err >= 0)
		err = start(&a, &c, &r.child);
	list_free(&a);
	if (err < 0) {
		close_both(c.console);
		close_both(c.status);
		close_both(c.channel);
		close_both(c.errors);
		return EXIT_MOTE_FAILED;
	}
	r.console = c.console[0];
	r.status = c.status[0];
	r.errors = c.errors[0];
	r.has_ports = m->n_publishes > 0;
	r.is_framed = kernel_knows(m->kernel, BOOT_CONTROL_OPTION);
	return watch(m, &r, c.channel[0]);
}

static void print_quoted(const char *word)
{
	if (*word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "_-./:=,@+%") == strlen(word)) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	}
	putchar('\'');
}

int engine_qemu_print(const struct machine *m)
{
	struct string_list a = {0};

	if (engine_qemu_arguments(m, &(struct engine_sockets){-1, -1, -1}, &a) < 0)
		return EXIT_MOTE_FAILED;
	for (size_t i = 0; i < a.n; i++) {
		if (i)
			putchar(' ');
		print_quoted(a.items[i]);
	}
	putchar('\n');
	list_free(&a);
	return 0;
}

/* ---- What there is ---- */

/* What a program prints first; it is executed without a shell. */
static void first_line_of(char *const argv[], char *line, size_t size)
{
	int out[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return;
	pid_t child = fork();

	if (child == 0) {
		dup2(out[1], STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(EXIT_NOT_RUNNABLE);
	}
	close(out[1]);
	ssize_t n = child > 0 ? read(out[0], line, size - 1) : 0;

	line[n > 0 ? n : 0] = 0;
	line[strcspn(line, "\n")] = 0;
	close(out[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
}

char *engine_qemu_version(char **path)
{
	char line[256] = "", version[64] = "";

	*path = tool_find(QEMU);
	if (!*path)
		return NULL;
	first_line_of((char *[]){*path, "--version", NULL}, line, sizeof(line));
	if (sscanf(line, "QEMU emulator version %63s", version) != 1)
		return NULL;
	return memory_string(version);
}
