/* The command's options, as a person gave them; shared by run and build. */
#pragma once

#include "cli/machine.h"
#include "cli/request.h"

enum {
	OPTIONS_RUN = 1,   /* the options of mote run */
	OPTIONS_BUILD = 2, /* the options of mote build */
};

struct options {
	struct string_list publishes, files, environment; /* -p -f -e */
	char *root, *name, *workdir, *output, *trace, *network, *address;
	uint64_t memory; /* -m; 0 = not given */
	uint64_t size;   /* build --size; 0 = as small as it can be */
	unsigned n_cpus, stop_seconds;
	enum engine engine;
	bool writes_image, lists_missing_files, is_terminal, dry_run, wants_help;

	char *program; /* the first word that is no option; NULL = none */
	struct string_list arguments;
};

/* Reads argv[1] on.  Says what is wrong, and where to read about the options. */
int options_parse(struct options *, unsigned command, int argc, char **argv) must_check;
void options_free(struct options *);

/* What --help prints about the options of a command. */
void options_print_help(unsigned command);

/* The value of a variable of -e; NULL when it is not set. */
const char *options_variable(const struct options *, const char *name);
