/* One table says what options there are, what they take, and what --help tells. */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"

#define MAX_CPUS 64
#define STOP_SECONDS 10 /* as docker stop */

/* clang-format off */
enum {
	LONG_ROOT = 256, LONG_RW, LONG_ENGINE, LONG_NET, LONG_IP, LONG_TRACE, LONG_MISSING,
	LONG_NAME, LONG_DRY_RUN, LONG_SIZE, LONG_STOP,
};
/* clang-format on */

struct row {
	unsigned commands;
	int value; /* the letter, or LONG_* */
	const char *name;
	int takes; /* no_argument, ... */
	const char *argument, *help;
};

#define BOTH (OPTIONS_RUN | OPTIONS_BUILD)

/* clang-format off */
static const struct row rows[] = {
	{OPTIONS_RUN, 'p', "publish", required_argument, "[IP:]HOST:GUEST[/udp]",
		"pass a port of this host on to the program"},
	{BOTH, 'e', "env", required_argument, "KEY[=VALUE]",
		"set an environment variable; without VALUE as it is here"},
	{OPTIONS_RUN, 'm', "memory", required_argument, "SIZE", "memory (default 256M)"},
	{OPTIONS_RUN, 'c', "cpus", required_argument, "N", "CPUs (default 1)"},
	{BOTH, 'f', "file", required_argument, "PATH[:PATH]",
		"add a file or folder of this host to the image"},
	{BOTH, LONG_ROOT, "root", required_argument, "DIR|TAR|IMAGE",
		"start from this root instead of this host's files"},
	{BOTH, 'w', "workdir", required_argument, "DIR", "the program's working directory"},
	{OPTIONS_BUILD, 'o', "output", required_argument, "FILE",
		"the image to write (default: PROGRAM.img)"},
	{OPTIONS_BUILD, LONG_SIZE, "size", required_argument, "SIZE",
		"make the file system at least this large"},
	{OPTIONS_RUN, 't', "tty", no_argument, NULL,
		"give the program this terminal, for editors and prompts"},
	{OPTIONS_RUN, LONG_RW, "rw", no_argument, NULL,
		"let the program write to the IMAGE itself"},
	{OPTIONS_RUN, LONG_ENGINE, "engine", required_argument, "auto|qemu|tcg",
		"what runs the machine: KVM, or translation"},
	{OPTIONS_RUN, LONG_NET, "net", required_argument, "user|tap:IF|none",
		"the network (default user)"},
	{OPTIONS_RUN, LONG_IP, "ip", required_argument, "ADDR/PREFIX[,GATEWAY[,DNS]]",
		"the address on a tap (default: by DHCP)"},
	{OPTIONS_RUN, LONG_TRACE, "trace", optional_argument, "CALL,%CLASS,...",
		"print the system calls the program makes (default all)"},
	{OPTIONS_RUN, LONG_MISSING, "missing-files", no_argument, NULL,
		"list the files the program looked for and did not find"},
	{OPTIONS_RUN, LONG_NAME, "name", required_argument, "NAME", "the machine's host name"},
	{OPTIONS_RUN, LONG_STOP, "stop-timeout", required_argument, "SECONDS",
		"how long it may take to stop when asked (default 10)"},
	{OPTIONS_RUN, LONG_DRY_RUN, "dry-run", no_argument, NULL,
		"print the engine's command line and stop"},
	{BOTH, 'v', "verbose", no_argument, NULL, "say more"},
	{BOTH, 'h', "help", no_argument, NULL, "this help"},
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- The values ---- */

static int set_size(uint64_t *to, const char *option, const char *text)
{
	unsigned long long bytes = 0;

	if (size_parse(text, &bytes) < 0 || !bytes)
		return fail(
			EINVAL, "cannot use %s %s: it is no size, for example 512M", option, text);
	*to = bytes;
	return 0;
}

static int set_number(
	unsigned *to, const char *option, const char *text, unsigned least, unsigned most)
{
	char *end = NULL;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || text[0] == '-' || value < least || value > most)
		return fail(EINVAL, "cannot use %s %s: it takes a number from %u to %u", option,
			text, least, most);
	*to = (unsigned)value;
	return 0;
}

static void set_string(char **to, const char *text)
{
	free(*to);
	*to = memory_string(text);
}

/* Replaces an earlier setting of the same variable. */
static int set_variable(struct options *o, const char *text)
{
	size_t len = strcspn(text, "=");
	const char *here = NULL;
	char *assignment;

	if (!len)
		return fail(EINVAL, "cannot set %s: it is not KEY=VALUE", text);
	if (!text[len]) {
		here = getenv(text);
		if (!here)
			return 0; /* as docker: not set here, not set there */
	}
	assignment = here ? string_format("%s=%s", text, here) : memory_string(text);
	for (size_t i = 0; i < o->environment.n; i++) {
		char *old = o->environment.items[i];

		if (strncmp(old, assignment, len + 1) != 0)
			continue;
		free(old);
		o->environment.items[i] = assignment;
		return 0;
	}
	list_add_owned(&o->environment, assignment);
	return 0;
}

static int set_engine(struct options *o, const char *text)
{
	static const struct {
		const char *name;
		enum engine engine;
	} engines[] = {{"auto", ENGINE_AUTO}, {"mote", ENGINE_MOTE}, {"qemu", ENGINE_QEMU},
		{"tcg", ENGINE_TCG}};

	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (strcmp(text, engines[i].name) == 0) {
			o->engine = engines[i].engine;
			return 0;
		}
	return fail(EINVAL, "unknown engine %s: choose auto, qemu or tcg", text);
}

static int set_network(struct options *o, const char *text)
{
	if (strcmp(text, "user") != 0 && strcmp(text, "none") != 0 &&
		!(string_starts(text, "tap:") && text[4]))
		return fail(EINVAL, "unknown network %s: choose user, tap:INTERFACE or none", text);
	set_string(&o->network, text);
	return 0;
}

static int set_name(struct options *o, const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	if (!text[0] || strlen(text) > 63 || strspn(text, allowed) != strlen(text))
		return fail(EINVAL,
			"cannot use the name %s: letters, digits, '-', '_' and '.', at most "
			"63",
			text);
	set_string(&o->name, text);
	return 0;
}

static int set_trace(struct options *o, const char *text)
{
	struct string_list expressions = {0};

	list_add(&expressions, text);
	free(o->trace);
	o->trace = NULL;
	int err = trace_selection(&expressions, &o->trace);

	list_free(&expressions);
	return err;
}

static int set_workdir(struct options *o, const char *text)
{
	if (text[0] != '/')
		return fail(EINVAL, "cannot use --workdir %s: it must start with '/'", text);
	set_string(&o->workdir, text);
	return 0;
}

static int apply(struct options *o, int value, const char *text)
{
	switch (value) {
	case 'p':
		list_add(&o->publishes, text);
		return 0;
	case 'f':
		list_add(&o->files, text);
		return 0;
	case 'e':
		return set_variable(o, text);
	case 'm':
		return set_size(&o->memory, "--memory", text);
	case 'c':
		return set_number(&o->n_cpus, "--cpus", text, 1, MAX_CPUS);
	case 'w':
		return set_workdir(o, text);
	case 'o':
		set_string(&o->output, text);
		return 0;
	case 'v':
		report_verbose();
		return 0;
	case 'h':
		o->wants_help = true;
		return 0;
	case 't':
		o->is_terminal = true;
		return 0;
	case LONG_ROOT:
		set_string(&o->root, text);
		return 0;
	case LONG_RW:
		o->writes_image = true;
		return 0;
	case LONG_SIZE:
		return set_size(&o->size, "--size", text);
	case LONG_ENGINE:
		return set_engine(o, text);
	case LONG_NET:
		return set_network(o, text);
	case LONG_IP:
		set_string(&o->address, text);
		return 0;
	case LONG_TRACE:
		return set_trace(o, text ? text : "all");
	case LONG_MISSING:
		o->lists_missing_files = true;
		return 0;
	case LONG_NAME:
		return set_name(o, text);
	case LONG_STOP:
		return set_number(&o->stop_seconds, "--stop-timeout", text, 0, 86400);
	case LONG_DRY_RUN:
		o->dry_run = true;
		return 0;
	}
	return -EINVAL;
}

/* ---- The words ---- */

static const char *command_name(unsigned command)
{
	return command == OPTIONS_RUN ? "run" : "build";
}

/* getopt's view of the rows of a command. */
struct grammar {
	struct option longs[N_ROWS + 1];
	char shorts[3 * N_ROWS + 3];
};

static void make_grammar(struct grammar *g, unsigned command)
{
	size_t n = 0;
	char *letter = stpcpy(g->shorts, "+:");

	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];

		if (!(r->commands & command))
			continue;
		g->longs[n++] = (struct option){r->name, r->takes, NULL, r->value};
		if (r->value < 256) {
			*letter++ = (char)r->value;
			if (r->takes == required_argument)
				*letter++ = ':';
		}
	}
	*letter = 0;
	g->longs[n] = (struct option){0};
}

static int complain(unsigned command, int result, char **argv)
{
	char letter[3] = {'-', (char)optopt, 0};
	const char *word = optopt && optopt < 256 ? letter : argv[optind - 1];

	if (result == ':')
		return fail(EINVAL, "the option %s needs a value: see mote %s --help", word,
			command_name(command));
	return fail(EINVAL, "unknown option %s: see mote %s --help", word, command_name(command));
}

/* "mote build PROGRAM -o FILE": the one option that may stand behind the program. */
static void take_output(struct options *o, int argc, char **argv)
{
	if (optind + 1 < argc &&
		(strcmp(argv[optind], "-o") == 0 || strcmp(argv[optind], "--output") == 0)) {
		set_string(&o->output, argv[optind + 1]);
		optind += 2;
	}
}

int options_parse(struct options *o, unsigned command, int argc, char **argv)
{
	struct grammar g = {0};
	int result, err = 0;

	*o = (struct options){.n_cpus = 1, .stop_seconds = STOP_SECONDS};
	make_grammar(&g, command);
	opterr = 0;
	optind = 0;
	while (err >= 0 && (result = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1)
		err = result == '?' || result == ':' ? complain(command, result, argv)
						     : apply(o, result, optarg);
	if (err >= 0 && optind < argc) {
		o->program = memory_string(argv[optind++]);
		if (command == OPTIONS_BUILD)
			take_output(o, argc, argv);
		while (optind < argc)
			list_add(&o->arguments, argv[optind++]);
	}
	if (err < 0)
		options_free(o);
	return err;
}

void options_free(struct options *o)
{
	char *strings[] = {o->root, o->name, o->workdir, o->output, o->trace, o->network,
		o->address, o->program};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		free(strings[i]);
	list_free(&o->publishes);
	list_free(&o->files);
	list_free(&o->environment);
	list_free(&o->arguments);
	*o = (struct options){0};
}

void options_print_help(unsigned command)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];
		char left[80], letter[5] = "    ";

		if (!(r->commands & command))
			continue;
		if (r->value < 256)
			snprintf(letter, sizeof(letter), "-%c, ", r->value);
		snprintf(left, sizeof(left), "%s--%s%s%s%s", letter, r->name,
			!r->argument                    ? ""
			: r->takes == optional_argument ? "[="
							: " ",
			r->argument ? r->argument : "", r->takes == optional_argument ? "]" : "");
		if (strlen(left) > 34)
			printf("  %s\n  %-34s  %s\n", left, "", r->help);
		else
			printf("  %-34s  %s\n", left, r->help);
	}
}

const char *options_variable(const struct options *o, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < o->environment.n; i++)
		if (strncmp(o->environment.items[i], name, len) == 0 &&
			o->environment.items[i][len] == '=')
			return o->environment.items[i] + len + 1;
	return NULL;
}
