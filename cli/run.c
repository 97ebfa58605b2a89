/* mote run: an image from the cache or from a file, a machine from the options, an engine. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cache.h"
#include "cli/commands.h"
#include "cli/defaults.h"
#include "cli/engine.h"
#include "cli/folders.h"
#include "cli/health.h"
#include "cli/launch.h"
#include "cli/memory.h"
#include "cli/options.h"
#include "cli/prepare.h"
#include "cli/run.h"

#define MEMORY_DEFAULT (256ULL << 20)
#define MEMORY_LEAST (2ULL << 20) /* the firmware and the kernel's file need this much */

/* ---- The machine ---- */

/* A probe needs a way in: one of this host's free ports. */
static int publish_for_health(const struct options *o, struct machine *m)
{
	struct health_check c;

	if (!o->health || health_parse(o->health, &c) < 0)
		return 0;
	uint16_t port = c.port;

	health_check_free(&c);
	for (size_t i = 0; i < m->n_publishes; i++)
		if (m->publishes[i].guest_port == port &&
			strcmp(m->publishes[i].protocol, "tcp") == 0)
			return 0;
	m->publishes = memory_resize(m->publishes, m->n_publishes + 1, sizeof(m->publishes[0]));
	return publish_anywhere(port, &m->publishes[m->n_publishes++]);
}

static void set_interface(const struct options *o, struct machine *m, const char *name)
{
	m->interface = memory_string(name);
	m->address = o->address ? memory_string(o->address) : NULL;
}

static int set_network(const struct options *o, struct machine *m)
{
	const char *network = o->network ? o->network : "user";

	if (o->private_network && o->network && strcmp(network, "user") != 0)
		return fail(EINVAL, "cannot join --network %s with --net %s: leave that away",
			o->private_network, network);
	m->network = o->private_network                  ? NETWORK_PRIVATE
		     : string_starts(network, "tap:")    ? NETWORK_TAP
		     : string_starts(network, "bridge:") ? NETWORK_BRIDGE
		     : strcmp(network, "none") == 0      ? NETWORK_NONE
							 : NETWORK_USER;
	bool has_interface = m->network == NETWORK_TAP || m->network == NETWORK_BRIDGE;

	if (has_interface)
		set_interface(o, m, strchr(network, ':') + 1);
	if (o->pcap && m->network == NETWORK_NONE)
		return fail(EINVAL, "cannot record to %s: with --net none there is no network",
			o->pcap);
	m->pcap = o->pcap ? memory_string(o->pcap) : NULL;
	if (o->address && !has_interface)
		return fail(EINVAL,
			"cannot set the address with --ip: that needs --net tap:INTERFACE or "
			"bridge:BRIDGE");
	bool is_user = m->network == NETWORK_USER || m->network == NETWORK_PRIVATE;

	if (o->publishes.n && !is_user)
		return fail(EINVAL, "cannot publish ports with --net %s: that needs --net user",
			network);
	m->n_publishes = o->publishes.n;
	m->publishes = memory_new(o->publishes.n, sizeof(m->publishes[0]));
	int err = 0;

	for (size_t i = 0; err >= 0 && i < o->publishes.n; i++)
		err = publish_parse(o->publishes.items[i], &m->publishes[i]);
	return err < 0 || !is_user ? err : publish_for_health(o, m);
}

/* What is to be known of the program, or forbidden to it. */
static int set_watching(const struct options *o, struct machine *m)
{
	const struct trace_options *from = &o->trace_view;
	struct trace_options *to = &m->trace.options;
	int err = 0;

	*to = *from;
	to->output = from->output ? memory_string(from->output) : NULL;
	to->profile = from->profile ? memory_string(from->profile) : NULL;
	to->expressions = (struct string_list){0};
	if (o->traces_all)
		err = trace_selection(&from->expressions, &m->trace.calls);
	if (err >= 0 && o->allow)
		err = trace_read_names(o->allow, &m->allow);
	m->allow_or_end = o->allow_or_end;
	m->core = o->core ? memory_string(o->core) : NULL;
	m->holds_start = o->holds_start || o->core;
	m->wants_counters = o->detach;
	return err;
}

static int set_machine(const struct options *o, struct machine *m)
{
	m->name = memory_string(o->hostname ? o->hostname : "mote");
	m->memory = o->memory ? o->memory : MEMORY_DEFAULT;
	m->n_cpus = o->n_cpus;
	m->engine = o->engine;
	m->stop_seconds = o->stop_seconds;
	m->writes_image = o->writes_image;
	m->trace.calls = o->trace ? memory_string(o->trace) : NULL;
	if (set_watching(o, m) < 0)
		return -EINVAL;
	m->lists_missing_files = o->lists_missing_files;
	m->says_all = report_is_verbose();
	m->is_terminal = o->is_terminal;
	if (m->is_terminal && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return fail(ENOTTY, "cannot use --tty: stdin or stdout is no terminal");
	if (o->detach && (m->is_terminal || o->lists_missing_files))
		return fail(EINVAL, "cannot use --detach with %s: there is no terminal to use",
			m->is_terminal ? "--tty" : "--missing-files");
	if (o->detach && o->trace)
		return fail(EINVAL,
			"cannot use --detach with --trace: there is no terminal to print to");
	if (o->restart && strcmp(o->restart, "no") != 0 && !o->detach)
		return fail(EINVAL, "cannot use --restart %s without -d", o->restart);
	if (m->memory < MEMORY_LEAST)
		return fail(EINVAL,
			"cannot run with %" PRIu64 " KB of memory: give at least 2M with -m",
			m->memory >> 10);
	m->kernel = kernel_find();
	if (!m->kernel)
		return fail(ENOENT,
			"cannot find the kernel kernel-x86_64.elf: build it with make, or "
			"name it in MOTE_KERNEL");
	return set_network(o, m);
}

/* Data that cannot fit is told here; the rest the kernel tells. */
static int check_memory(const struct machine *m, const struct launch *l)
{
	uint64_t need = (l->least_memory >> 20) + 1;

	if (l->least_memory < m->memory)
		return 0;
	return fail(ENOMEM,
		"cannot run %s: its data takes %" PRIu64 " MB and the machine has %" PRIu64
		" MB: give more with -m",
		l->init, need, m->memory >> 20);
}

/* ---- A program ---- */

static int prepare_program(const struct options *o, struct machine *m)
{
	struct cached_image image;
	struct request r;

	if (o->writes_image) {
		fail(EINVAL,
			"cannot use --rw with a program: mote build -o app.img %s, then mote run "
			"--rw app.img",
			o->program);
		return EXIT_MOTE_FAILED;
	}
	if (prepare_request(o, &r) < 0)
		return EXIT_MOTE_FAILED;
	int err = cache_get(&r, 0, &image);

	if (err < 0) {
		request_free(&r);
		return prepare_exit_status(err);
	}
	m->image = memory_string(image.path);
	m->init = memory_string(image.launch.init);
	m->argv0 = prepare_argv0(o, &r, &image.launch);
	prepare_start(o, &r, &image.launch, &m->environment, &m->arguments, &m->cwd);
	request_free(&r);
	int status = check_memory(m, &image.launch) < 0 ? EXIT_MOTE_FAILED : 0;

	m->image_hold = image.fd;
	image.fd = -1;
	cached_image_free(&image);
	return status;
}

/* ---- An image ---- */

/* Arguments replace the image's own, as docker's do; an image without defaults takes the program
 * from them. */
static int set_start(const struct options *o, struct machine *m, struct defaults *d)
{
	const struct string_list *arguments =
		o->arguments.n || !d->init ? &o->arguments : &d->arguments;
	size_t first = 0;

	if (!d->init && !arguments->n)
		return fail(ENOENT, "cannot run %s: it names no program: give one behind it",
			o->program);
	m->init = memory_string(d->init ? d->init : arguments->items[first++]);
	m->argv0 = d->init && d->argv0 ? memory_string(d->argv0) : NULL;
	m->cwd = o->workdir ? memory_string(o->workdir) : d->cwd ? memory_string(d->cwd) : NULL;
	for (; first < arguments->n; first++)
		list_add(&m->arguments, arguments->items[first]);
	for (size_t i = 0; i < d->environment.n; i++)
		list_add(&m->environment, d->environment.items[i]);
	for (size_t i = 0; i < o->environment.n; i++)
		list_add(&m->environment, o->environment.items[i]);
	return 0;
}

static int prepare_image(const struct options *o, struct machine *m)
{
	struct source *source = NULL;
	struct defaults d;

	if (o->root || o->files.n) {
		fail(EINVAL,
			"cannot add files to the finished image %s: give --root and -f to mote "
			"build",
			o->program);
		return EXIT_MOTE_FAILED;
	}
	if (source_open_image(o->program, &source) < 0)
		return EXIT_MOTE_FAILED;
	int err = defaults_read(source, &d);

	source_free(source);
	if (err < 0 && err != -ENOENT)
		return EXIT_MOTE_FAILED;
	err = set_start(o, m, &d);
	defaults_free(&d);
	if (err < 0)
		return prepare_exit_status(err);
	m->image = realpath(o->program, NULL);
	if (m->image && image_lock(m->image, m->writes_image, &m->image_lock) < 0)
		return EXIT_MOTE_FAILED;
	if (m->image && access(m->image, m->writes_image ? R_OK | W_OK : R_OK) == 0)
		return 0;
	fail(errno, "cannot open the image %s: %s", o->program, strerror(errno));
	return EXIT_MOTE_FAILED;
}

/* An ext4 file system in a file: its magic number at byte 1080 (abi/image.h). */
static bool is_image(const char *path)
{
	unsigned char magic[2] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return false;
	bool is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && pread(fd, magic, 2, 1080) == 2 &&
		  magic[0] == 0x53 && magic[1] == 0xef;

	close(fd);
	return is;
}

int run_prepare(const struct options *o, struct machine *m)
{
	if (o->is_verbose)
		report_verbose();
	if (string_ends(o->program, ".yaml") && access(o->program, F_OK) == 0) {
		fail(ENOSYS,
			"cannot run %s: mote.yaml files are not supported yet: name the program",
			o->program);
		return EXIT_MOTE_FAILED;
	}
	if (set_machine(o, m) < 0)
		return EXIT_MOTE_FAILED;
	int status = is_image(o->program) ? prepare_image(o, m) : prepare_program(o, m);

	if (!status && volumes_open(&o->volumes, &m->volumes, &m->n_volumes) < 0)
		status = EXIT_MOTE_FAILED;
	return status;
}

int command_run(const struct options *o)
{
	struct machine m = MACHINE_NONE;

	if (!o->program) {
		fail(EINVAL, "no program given: mote run PROGRAM, see mote run --help");
		return EXIT_MOTE_FAILED;
	}
	int status = run_prepare(o, &m);

	if (!status)
		status = o->dry_run ? engine_print(&m) : launch_new(o, &m);
	machine_free(&m);
	return status;
}
