/* mote: one word says which command, the rest is its. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static void print_help(void)
{
	puts("Usage: mote COMMAND [OPTIONS] ...\n\n"
	     "One program, one machine: runs an unmodified Linux program with a kernel of its "
	     "own.\n"
	     "\nCommands:");
	for (size_t i = 0; i < n_commands; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	puts("\nmote COMMAND --help tells more.  Exit status: the program's own; 125 mote failed,\n"
	     "126 the program cannot be run, 127 it was not found, 128+N signal N ended it.");
}

static int run(const struct command *c, const struct options *o)
{
	size_t n = o->arguments.n;
	bool takes_program = c->options & (FOR_RUN | FOR_BUILD);

	if (o->wants_help) {
		command_print_help(c);
		return 0;
	}
	if (!takes_program && (n < c->least || n > c->most)) {
		fail(EINVAL, "mote %s takes other words: mote %s %.*s: see mote %s --help", c->name,
			c->name, (int)strcspn(c->synopsis, "\n"), c->synopsis, c->name);
		return EXIT_MOTE_FAILED;
	}
	int status = c->run(o);

	if (fflush(stdout) < 0 && errno != EPIPE) {
		fail(errno, "cannot write the output: %s", strerror(errno));
		return status ? status : EXIT_MOTE_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";
	const struct command *c = command_find(name);
	struct options o;

	if (c) {
		if (options_parse(&o, c, argc - 1, argv + 1) < 0)
			return EXIT_MOTE_FAILED;
		int status = run(c, &o);

		options_free(&o);
		return status;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help();
		return argc > 1 ? 0 : EXIT_MOTE_FAILED;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
		puts("mote " MOTE_VERSION);
		return 0;
	}
	fail(EINVAL, "unknown %s %s: see mote --help", name[0] == '-' ? "option" : "command", name);
	return EXIT_MOTE_FAILED;
}
