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
 */
#include "cli/engine_qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/channel.h"
#include "cli/folders.h"
#include "cli/host_facts.h"
#include "cli/kernel_line.h"
#include "cli/memory.h"
#include "cli/private_net.h"

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

bool engine_qemu_takes_controls(const struct machine *m)
{
	return kernel_knows(m->kernel, BOOT_CONTROL_OPTION);
}

static unsigned count_devices(const struct machine *m)
{
	/* disk, random numbers; volumes; network; channel */
	return 2 + (unsigned)m->n_volumes + (m->network != NETWORK_NONE) + machine_has_channel(m);
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
	if (engine_qemu_takes_controls(m))
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

/* A volume's file that cannot grow, or cannot be read, is told to the program (ENOSPC, EIO): the
 * machine goes on. */
static void add_volumes(struct string_list *a, const struct machine *m)
{
	for (size_t i = 0; i < m->n_volumes; i++) {
		const struct volume *v = &m->volumes[i];
		char *image = escape_commas(v->file);

		add(a, "-drive",
			string_format("if=none,id=volume%zu,format=raw,file=%s,readonly=%s,"
				      "cache=writeback,discard=unmap,werror=report,rerror=report",
				i, image, v->read_only ? "on" : "off"));
		add(a, "-device", string_format("virtio-blk-device,drive=volume%zu", i));
		free(image);
	}
}

/* QEMU's user network, with the ports that this host passes on. */
static char *user_network(const struct machine *m, const char *id, const char *address)
{
	struct text net = {0};

	text_format(&net, "user,id=%s", id);
	/* On a private network every machine has a way out of its own: they would all be the router fe80::2. */
	if (m->network == NETWORK_PRIVATE)
		text_format(&net, ",ipv6=off,net=%s,host=%s,dns=%s", PRIVATE_NET,
			m->private_gateway, m->private_dns);
	for (size_t i = 0; i < m->n_publishes; i++) {
		const struct publish *p = &m->publishes[i];

		text_format(&net, ",hostfwd=%s:%s:%u-%s:%u", p->protocol, p->address, p->host_port,
			address, p->guest_port);
	}
	return text_take(&net);
}

/* By the folder's descriptor: the path of a socket may have 107 bytes at most. */
static char *private_socket(const struct machine *m, const char *id, const char *name)
{
	return string_format("stream,id=%s,server=off,reconnect-ms=500,addr.type=unix,"
			     "addr.path=/proc/self/fd/%d/%s",
		id, m->network_folder, name);
}

/* The card goes to the switch, and so does, by a hub of its own, the way out of this host: QEMU's
 * user network takes every packet it sees, and must only see those that are for it. */
static void add_private_network(struct string_list *a, const struct machine *m)
{
	add(a, "-netdev", private_socket(m, "net", PRIVATE_SOCKET));
	add(a, "-netdev", user_network(m, "out", m->address));
	add(a, "-netdev", private_socket(m, "uplink", PRIVATE_UPLINK));
	add(a, "-netdev", memory_string("hubport,id=port1,hubid=0,netdev=out"));
	add(a, "-netdev", memory_string("hubport,id=port2,hubid=0,netdev=uplink"));
}

static void add_network(struct string_list *a, const struct machine *m)
{
	switch (m->network) {
	case NETWORK_NONE:
		return;
	case NETWORK_TAP:
		add(a, "-netdev",
			string_format(
				"tap,id=net,ifname=%s,script=no,downscript=no", m->interface));
		break;
	case NETWORK_BRIDGE:
		add(a, "-netdev", string_format("bridge,id=net,br=%s", m->interface));
		break;
	case NETWORK_USER:
		add(a, "-netdev", user_network(m, "net", "10.0.2.15"));
		break;
	case NETWORK_PRIVATE:
		add_private_network(a, m);
		break;
	}
	if (m->pcap) {
		char *file = escape_commas(m->pcap);

		add(a, "-object", string_format("filter-dump,id=pcap,netdev=net,file=%s", file));
		free(file);
	}
	add(a, "-device",
		string_format(
			"virtio-net-device,netdev=net%s%s", m->mac[0] ? ",mac=" : "", m->mac));
}

/* A socket handed down, or stdio and nothing in a dry run. */
static char *channel(const char *id, const int *fds, enum engine_channel which)
{
	if (fds)
		return string_format("socket,id=%s,fd=%d", id, fds[which]);
	return string_format(
		"%s,id=%s", which == CHANNEL_CONSOLE ? "stdio,signal=off" : "null", id);
}

/* One port of a virtio-serial device (abi/channel.h). */
static void add_host_channel(struct string_list *a, const struct machine *m, const int *fds)
{
	if (!machine_has_channel(m))
		return;
	add(a, "-chardev", channel("channel", fds, CHANNEL_HOST));
	add(a, "-device", memory_string("virtio-serial-device,max_ports=2"));
	add(a, "-device",
		string_format("virtserialport,chardev=channel,name=" CHANNEL_PORT ",nr=%d",
			CHANNEL_PORT_NUMBER));
}

static void add_channels(struct string_list *a, const int *fds)
{
	add(a, "-chardev", channel("console", fds, CHANNEL_CONSOLE));
	add(a, "-serial", memory_string("chardev:console"));
	add(a, "-chardev", channel("status", fds, CHANNEL_STATUS));
	add(a, "-device", memory_string("isa-debugcon,chardev=status,iobase=" STATUS_PORT));
	add(a, "-device", memory_string("isa-debug-exit,iobase=" EXIT_PORT ",iosize=4"));
	if (!fds)
		return;
	add(a, "-chardev", channel("qmp", fds, CHANNEL_QMP));
	add(a, "-mon", memory_string("chardev=qmp,mode=control"));
}

int engine_qemu_arguments(const struct machine *m, const int *fds, struct string_list *a)
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
	add_volumes(a, m);
	add_network(a, m);
	add(a, "-device", memory_string("virtio-rng-device"));
	add_host_channel(a, m, fds);
	add_channels(a, fds);
	return 0;
}

/* ---- Running it ---- */

int engine_qemu_start(const struct machine *m, struct engine_process *p)
{
	struct string_list a = {0};
	int err = 0;

	for (size_t i = 0; err >= 0 && i < m->n_publishes; i++)
		err = publish_check(&m->publishes[i]);
	if (err >= 0)
		err = engine_process_open(p);
	if (err < 0)
		return err;
	err = engine_qemu_arguments(m, p->theirs, &a);
	if (err >= 0)
		err = engine_process_start(p, &a, m->network_folder);
	list_free(&a);
	if (err < 0)
		engine_process_close(p);
	return err;
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

	if (engine_qemu_arguments(m, NULL, &a) < 0)
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
