/*
 * The words of every command.  One table (options.c) holds the options of all commands: it makes
 * the parser, --help, the shells' completion and the manual.
 */
#pragma once

#include <stdint.h>

#include "cli/machine.h"
#include "cli/text.h"

struct command;

struct options {
	/* run and build */
	struct string_list publishes, files, environment, volumes; /* -p -f -e -v */
	char *root, *name, *hostname, *workdir, *output, *trace, *network, *address, *pcap;
	char *private_network;
	uint64_t memory; /* -m; 0 = not given */
	uint64_t size;   /* build --size; 0 = as small as it can be */
	unsigned n_cpus, stop_seconds;
	enum engine engine;
	bool writes_image, lists_missing_files, is_terminal, dry_run;
	struct trace_options trace_view; /* of trace; profile of run, too */
	bool traces_all;                 /* mote trace */
	char *allow;                     /* --allow: a file */
	bool allow_or_end;
	char *core; /* --core: a file */

	/* volume */
	char *from, *base;

	/* debug */
	struct string_list gdb_commands;
	bool batch, debug_kernel;
	unsigned frequency, seconds; /* profile; 0 = not given */
	bool holds_start; /* the program waits for a debugger before its first instruction */

	/* run: the instance */
	bool detach, remove;
	struct string_list labels; /* KEY=VALUE */
	char *restart;             /* NULL = no; checked */
	char *health, *notify, *syslog;
	unsigned health_interval, health_timeout, health_retries, health_start;
	uint64_t log_size;
	unsigned log_files;

	/* the commands about instances */
	bool json, all, force, follow, timestamps, quiet, once;
	struct string_list filters;
	char *since, *until, *signal, *listen, *stream;
	unsigned tail, wait_seconds;
	bool has_tail, has_wait_seconds;

	bool wants_help, is_verbose;

	struct string_list words; /* all of them, as they were given */

	/* run and build: the first word that is no option, NULL = none, and what stands behind it.
	 * Other commands: all words are arguments. */
	char *program;
	struct string_list arguments;
};

/* Reads argv[1] on.  Says what is wrong, and where to read about the options. */
int options_parse(struct options *, const struct command *, int argc, char **argv) must_check;
void options_free(struct options *);

/* One option of a command, for whoever lists them. */
struct option_view {
	char letter;          /* 0 = it has only a name */
	const char *name;     /* without the dashes */
	const char *argument; /* NULL = it takes none */
	bool argument_is_optional;
	const char *help;
};

/* Calls visit() for each option of a command, in the order of --help. */
void options_visit(const struct command *, void (*visit)(void *context, const struct option_view *),
	void *context);

/* What --help prints about the options of a command. */
void options_print_help(const struct command *);

/* The value of a variable of -e; NULL when it is not set. */
const char *options_variable(const struct options *, const char *name);

/* The name of an instance, a host or a network may be this. */
bool options_is_name(const char *text);
