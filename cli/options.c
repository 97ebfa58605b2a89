/* One table says what options there are, who takes them, what they set, and what --help tells. */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/option_values.h"

#define MAX_CPUS 64
#define STOP_SECONDS 10 /* as docker stop */
#define DAY 86400

enum kind { FLAG, TEXT, NAME, LIST, SIZE, NUMBER, OWN };

struct row {
	unsigned commands;
	char letter; /* 0 = none */
	const char *name;
	const char *argument; /* NULL = takes none; in brackets = it may be left out */
	const char *help;
	enum kind kind;
	size_t at; /* the field of struct options; of OWN none */
	unsigned least, most;
	int (*set)(struct options *, const char *text);
	size_t given; /* a bool to set too; 0 = none */
};

#define AT(field) offsetof(struct options, field)
#define IS(kind_, field) .kind = kind_, .at = AT(field)
#define BY(function) .kind = OWN, .set = function
#define NUMBER_OF(field, least_, most_)                                                            \
	.kind = NUMBER, .at = AT(field), .least = least_, .most = most_
#define RUNS (FOR_RUN | FOR_TRACE | FOR_DEBUG | FOR_PROFILE)
#define LISTS                                                                                      \
	(FOR_PS | FOR_IMAGE | FOR_DOCTOR | FOR_INSPECT | FOR_STATS | FOR_LOGS | FOR_NETWORK |      \
		FOR_WAIT | FOR_VOLUME)

/* clang-format off */
static const struct row rows[] = {
	{FOR_RUN, 'd', "detach", NULL, "run in the background and print the instance's name",
		IS(FLAG, detach)},
	{RUNS, 'p', "publish", "[IP:]HOST:GUEST[/udp]",
		"pass a port of this host on to the program", IS(LIST, publishes)},
	{FOR_RUN | FOR_DEBUG | FOR_PROFILE | FOR_BUILD, 'e', "env", "KEY[=VALUE]",
		"set an environment variable; without VALUE as it is here", BY(option_set_variable)},
	{RUNS, 'm', "memory", "SIZE", "memory (default 256M)", IS(SIZE, memory)},
	{FOR_RUN | FOR_DEBUG | FOR_PROFILE, 'c', "cpus", "N", "CPUs (default 1)", NUMBER_OF(n_cpus, 1, MAX_CPUS)},
	{RUNS | FOR_BUILD, 'f', "file", "PATH[:PATH]",
		"add a file or folder of this host to the image", IS(LIST, files)},
	{RUNS | FOR_BUILD, 0, "root", "DIR|TAR|IMAGE",
		"start from this root instead of this host's files", IS(TEXT, root)},
	{RUNS | FOR_BUILD, 'w', "workdir", "DIR", "the program's working directory",
		BY(option_set_workdir)},
	{FOR_BUILD, 'o', "output", "FILE", "the image to write (default: PROGRAM.img)", IS(TEXT, output)},
	{FOR_BUILD, 0, "size", "SIZE", "make the file system at least this large", IS(SIZE, size)},
	{FOR_RUN, 't', "tty", NULL, "give the program this terminal, for editors and prompts",
		IS(FLAG, is_terminal)},
	{RUNS, 'v', "volume", "NAME|FILE:/PATH[:ro]", "mount a volume or an ext4 image of this host there",
		IS(LIST, volumes)},
	{FOR_VOLUME, 's', "size", "SIZE", "how large the volume is to be", IS(SIZE, size)},
	{FOR_VOLUME, 0, "from", "DIR|TAR", "what is in it at first", IS(TEXT, from)},
	{FOR_VOLUME, 0, "base", "FILE", "the earlier backup that this one builds on", IS(TEXT, base)},
	{RUNS, 0, "rw", NULL, "let the program write to the IMAGE itself", IS(FLAG, writes_image)},
	{RUNS, 0, "engine", "auto|qemu|tcg", "what runs the machine: KVM, or translation",
		BY(option_set_engine)},
	{RUNS, 0, "net", "user|tap:IF|bridge:BR|none", "the network (default user)",
		BY(option_set_network)},
	{RUNS, 0, "network", "NAME", "join a private network of this host: NAME.mote resolves there",
		IS(NAME, private_network)},
	{RUNS, 0, "ip", "ADDR/PREFIX[,GATEWAY[,DNS]]",
		"the address on a tap or a bridge (default: by DHCP)", IS(TEXT, address)},
	{FOR_RUN, 0, "pcap", "FILE", "record what goes over the network card there, for tshark and tcpdump",
		IS(TEXT, pcap)},
	{FOR_RUN, 0, "trace", "[CALL,%CLASS,...]", "print the system calls the program makes (default all)",
		BY(option_set_trace)},
	{FOR_TRACE, 0, "env", "KEY[=VALUE]", "set an environment variable; without VALUE as it is here",
		BY(option_set_variable)},
	{FOR_TRACE, 0, "cpus", "N", "CPUs (default 1)", NUMBER_OF(n_cpus, 1, MAX_CPUS)},
	{FOR_TRACE, 'e', "expression", "[trace=][!]CALL,%CLASS,...",
		"only these calls; classes are strace's: %file %network %memory ...",
		IS(LIST, trace_view.expressions)},
	{FOR_TRACE, 'c', "summary-only", NULL, "count calls, errors and time; print only the sums",
		IS(FLAG, trace_view.summary)},
	{FOR_TRACE, 'C', "summary", NULL, "print the sums too", IS(FLAG, trace_view.summary_too)},
	{FOR_TRACE, 'T', "syscall-times", NULL, "how long each call took", IS(FLAG, trace_view.durations)},
	{FOR_TRACE, 't', "absolute-timestamps", NULL,
		"the time of day before each line; -tt with microseconds, -ttt as seconds since 1970",
		BY(option_add_stamp)},
	{FOR_TRACE, 'r', "relative-timestamps", NULL, "the time since the call before", BY(option_relative_stamp)},
	{FOR_TRACE, 'y', "decode-fds", NULL, "the paths behind descriptors", IS(FLAG, trace_view.paths)},
	{FOR_TRACE, 's', "string-limit", "SIZE", "how much of a buffer is shown (default 32)",
		NUMBER_OF(trace_view.data_size, 1, 1024)},
	{FOR_TRACE, 'z', "successful-only", NULL, "only calls that succeeded",
		IS(FLAG, trace_view.only_successful)},
	{FOR_TRACE, 'Z', "failed-only", NULL, "only calls that failed", IS(FLAG, trace_view.only_failed)},
	{FOR_TRACE, 'o', "output", "FILE", "write the trace there instead of stderr", IS(TEXT, trace_view.output)},
	{FOR_RUN | FOR_TRACE | FOR_DEBUG, 0, "profile", "FILE", "write the names of the system calls that were made",
		IS(TEXT, trace_view.profile)},
	{RUNS, 0, "allow", "FILE", "refuse every system call that FILE does not name (EPERM)", IS(TEXT, allow)},
	{RUNS, 0, "allow-or-end", NULL, "with --allow: such a call ends the program", IS(FLAG, allow_or_end)},
	{FOR_RUN, 0, "core", "FILE", "write a core file when the program crashes", IS(TEXT, core)},
	{FOR_DEBUG, 'x', "execute", "COMMAND", "a command for gdb (may repeat)", IS(LIST, gdb_commands)},
	{FOR_DEBUG, 0, "batch", NULL, "gdb ends after these commands", IS(FLAG, batch)},
	{FOR_DEBUG, 0, "listen", "[ADDRESS:]PORT", "start no gdb: wait for one there", IS(TEXT, listen)},
	{FOR_DEBUG, 0, "kernel", NULL, "debug the machine's kernel instead of the program",
		IS(FLAG, debug_kernel)},
	{FOR_CORE, 'o', "output", "FILE", "the file to write (default: NAME.core)", IS(TEXT, output)},
	{FOR_PROFILE, 'F', "frequency", "HZ", "samples per second and CPU (default 99)",
		NUMBER_OF(frequency, 1, 10000)},
	{FOR_PROFILE, 'd', "duration", "SECONDS", "how long (default: until the program ends; of an instance 10)",
		NUMBER_OF(seconds, 1, DAY)},
	{FOR_PROFILE, 'o', "output", "FILE", "FILE.svg: a flame graph (default NAME.svg); else folded stacks",
		IS(TEXT, output)},
	{RUNS, 0, "missing-files", NULL, "list the files the program looked for and did not find",
		IS(FLAG, lists_missing_files)},
	{RUNS, 0, "name", "NAME", "the instance's name (default: made up)", IS(NAME, name)},
	{RUNS, 0, "hostname", "NAME", "the machine's host name (default mote)", IS(NAME, hostname)},
	{RUNS, 0, "label", "KEY[=VALUE]", "mark the instance; ps --filter label= finds it",
		BY(option_set_label)},
	{RUNS, 0, "rm", NULL, "forget the instance when it ends (always so without -d)",
		IS(FLAG, remove)},
	{RUNS, 0, "restart", "no|on-failure[:N]|on-unhealthy|always",
		"start it again when it ends (needs -d)", BY(option_set_restart)},
	{RUNS, 0, "health", "tcp:PORT|http:PORT[/PATH]", "probe this port of the program",
		BY(option_set_health)},
	{RUNS, 0, "health-interval", "SECONDS", "between two probes (default 10)",
		NUMBER_OF(health_interval, 1, DAY)},
	{RUNS, 0, "health-timeout", "SECONDS", "how long one may take (default 5)",
		NUMBER_OF(health_timeout, 1, DAY)},
	{RUNS, 0, "health-retries", "N", "failures in a row that make it unhealthy (default 3)",
		NUMBER_OF(health_retries, 1, 1000)},
	{RUNS, 0, "health-start", "SECONDS", "failures do not count this long after the start (default 0)",
		NUMBER_OF(health_start, 0, DAY)},
	{RUNS, 0, "notify", "URL", "post JSON there when it fails", BY(option_set_notify)},
	{RUNS, 0, "log-syslog", "udp://HOST[:PORT]|tcp://HOST[:PORT]",
		"send its output to a syslog server too (RFC 5424)", BY(option_set_syslog)},
	{RUNS, 0, "log-size", "SIZE", "start a new log file after this much (default 10M)",
		IS(SIZE, log_size)},
	{RUNS, 0, "log-files", "N", "how many log files are kept (default 3)",
		NUMBER_OF(log_files, 1, 100)},
	{RUNS, 0, "stop-timeout", "SECONDS", "how long it may take to stop when asked (default 10)",
		NUMBER_OF(stop_seconds, 0, DAY)},
	{RUNS, 0, "dry-run", NULL, "print the engine's command line and stop", IS(FLAG, dry_run)},
	{FOR_PS, 'a', "all", NULL, "those that have ended too", IS(FLAG, all)},
	{FOR_PS, 'q', "quiet", NULL, "names only", IS(FLAG, quiet)},
	{FOR_PS | FOR_STATS | FOR_TOP | FOR_METRICS | FOR_PRUNE, 0, "filter", "KEY=VALUE",
		"only those: name=, label=KEY[=VALUE], status=, health=", BY(option_set_filter)},
	{FOR_LOGS, 'f', "follow", NULL, "go on printing what comes", IS(FLAG, follow)},
	{FOR_LOGS, 'n', "tail", "N", "only the last N lines", NUMBER_OF(tail, 0, 1u << 30), .given = AT(has_tail)},
	{FOR_LOGS, 0, "since", "TIME", "from then on: 2026-01-31T12:00:00Z, or 90s, 10m, 2h, 1d ago",
		IS(TEXT, since)},
	{FOR_LOGS, 0, "until", "TIME", "up to then", IS(TEXT, until)},
	{FOR_LOGS, 't', "timestamps", NULL, "put the time before each line", IS(FLAG, timestamps)},
	{FOR_LOGS, 0, "stream", "stdout|stderr|mote", "only what was written there", IS(TEXT, stream)},
	{FOR_STOP | FOR_RESTART, 't', "time", "SECONDS",
		"how long it may take (default: its --stop-timeout)", NUMBER_OF(wait_seconds, 0, DAY), .given = AT(has_wait_seconds)},
	{FOR_KILL, 's', "signal", "SIGNAL", "KILL ends the machine (the default); others reach the program",
		IS(TEXT, signal)},
	{FOR_RM, 'f', "force", NULL, "end it first if it runs", IS(FLAG, force)},
	{FOR_TOP | FOR_METRICS, 0, "once", NULL, "print once and stop", IS(FLAG, once)},
	{FOR_METRICS, 0, "listen", "ADDR:PORT", "where to answer (default 127.0.0.1:9464)",
		IS(TEXT, listen)},
	{LISTS, 0, "json", NULL, "print JSON", IS(FLAG, json)},
	{RUNS | FOR_BUILD, 0, "verbose", NULL, "say more", IS(FLAG, is_verbose)},
	{(unsigned)FOR_ALL, 'h', "help", NULL, "this help", IS(FLAG, wants_help)},
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))
#define NAMES_FROM 256 /* values of getopt_long() for rows found by name */

static bool is_optional(const struct row *r)
{
	return r->argument && r->argument[0] == '[' && strchr(r->argument, ']')[1] == 0;
}

static bool belongs(const struct row *r, const struct command *c)
{
	return (r->commands & c->options) != 0;
}

/* ---- One value ---- */

static int apply(struct options *o, const struct row *r, const char *text)
{
	char *field = (char *)o + r->at;
	char name[40];

	snprintf(name, sizeof(name), "--%s", r->name);
	if (r->given)
		*((bool *)((char *)o + r->given)) = true;
	switch (r->kind) {
	case FLAG:
		*(bool *)(void *)field = true;
		return 0;
	case TEXT:
		option_set_string((char **)(void *)field, text);
		return 0;
	case NAME:
		return option_set_name((char **)(void *)field, text);
	case LIST:
		list_add((struct string_list *)(void *)field, text);
		return 0;
	case SIZE:
		return option_set_size((uint64_t *)(void *)field, name, text);
	case NUMBER:
		return option_set_number((unsigned *)(void *)field, name, text, r->least, r->most);
	case OWN:
		return r->set(o, text);
	}
	return -EINVAL;
}

/* ---- The words ---- */

/* getopt's view of the rows of a command. */
struct grammar {
	struct option longs[N_ROWS + 1];
	char shorts[2 * N_ROWS + 3];
};

static void make_grammar(struct grammar *g, const struct command *c)
{
	size_t n = 0;
	char *letter = stpcpy(g->shorts, c->options & (RUNS | FOR_BUILD) ? "+:" : ":");

	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];

		if (!belongs(r, c))
			continue;
		g->longs[n++] = (struct option){r->name,
			!r->argument     ? no_argument
			: is_optional(r) ? optional_argument
					 : required_argument,
			NULL, NAMES_FROM + (int)i};
		if (r->letter) {
			*letter++ = r->letter;
			if (r->argument)
				*letter++ = ':';
		}
	}
	*letter = 0;
	g->longs[n] = (struct option){0};
}

static const struct row *find_row(const struct command *c, int value)
{
	if (value >= NAMES_FROM)
		return &rows[value - NAMES_FROM];
	for (size_t i = 0; i < N_ROWS; i++)
		if (belongs(&rows[i], c) && rows[i].letter == value)
			return &rows[i];
	return NULL;
}

static int complain(const struct command *c, int result, char **argv)
{
	char letter[3] = {'-', (char)optopt, 0};
	const char *word = optopt && optopt < NAMES_FROM ? letter : argv[optind - 1];

	if (result == ':')
		return fail(
			EINVAL, "the option %s needs a value: see mote %s --help", word, c->name);
	return fail(EINVAL, "unknown option %s: see mote %s --help", word, c->name);
}

/* "mote build PROGRAM -o FILE": the one option that may stand behind the program. */
static void take_output(struct options *o, int argc, char **argv)
{
	if (optind + 1 < argc &&
		(strcmp(argv[optind], "-o") == 0 || strcmp(argv[optind], "--output") == 0)) {
		option_set_string(&o->output, argv[optind + 1]);
		optind += 2;
	}
}

int options_parse(struct options *o, const struct command *c, int argc, char **argv)
{
	struct grammar g = {0};
	int result, err = 0;

	*o = (struct options){.n_cpus = 1,
		.stop_seconds = STOP_SECONDS,
		.health_interval = 10,
		.health_timeout = 5,
		.health_retries = 3,
		.log_size = 10 << 20,
		.log_files = 3};
	for (int i = 1; i < argc; i++)
		list_add(&o->words, argv[i]);
	make_grammar(&g, c);
	opterr = 0;
	optind = 0;
	while (err >= 0 && (result = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1)
		err = result == '?' || result == ':' ? complain(c, result, argv)
						     : apply(o, find_row(c, result), optarg);
	if (err >= 0 && optind < argc && c->options & (RUNS | FOR_BUILD)) {
		o->program = memory_string(argv[optind++]);
		if (c->options & FOR_BUILD)
			take_output(o, argc, argv);
	}
	while (err >= 0 && optind < argc)
		list_add(&o->arguments, argv[optind++]);
	if (err < 0)
		options_free(o);
	return err;
}

void options_free(struct options *o)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		char *field = (char *)o + rows[i].at;

		if (rows[i].kind == LIST)
			list_free((struct string_list *)(void *)field);
		if (rows[i].kind != TEXT && rows[i].kind != NAME)
			continue;
		free(*(char **)(void *)field);
		*(char **)(void *)field = NULL;
	}
	char *strings[] = {o->workdir, o->trace, o->allow, o->core, o->network, o->restart,
		o->health, o->notify, o->syslog, o->program};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		free(strings[i]);
	list_free(&o->environment);
	list_free(&o->labels);
	list_free(&o->filters);
	list_free(&o->arguments);
	list_free(&o->words);
	*o = (struct options){0};
}

/* ---- Telling ---- */

void options_visit(const struct command *c,
	void (*visit)(void *context, const struct option_view *), void *context)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];

		if (belongs(r, c))
			visit(context, &(struct option_view){r->letter, r->name, r->argument,
					       is_optional(r), r->help});
	}
}

static void print_option(void *context, const struct option_view *v)
{
	char left[80], letter[5] = "    ";

	(void)context;
	if (v->letter)
		snprintf(letter, sizeof(letter), "-%c, ", v->letter);
	if (v->argument_is_optional)
		snprintf(left, sizeof(left), "%s--%s[=%s", letter, v->name, v->argument + 1);
	else
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, v->name, v->argument ? " " : "",
			v->argument ? v->argument : "");
	if (strlen(left) > 34)
		printf("  %s\n  %-34s  %s\n", left, "", v->help);
	else
		printf("  %-34s  %s\n", left, v->help);
}

void options_print_help(const struct command *c)
{
	options_visit(c, print_option, NULL);
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
