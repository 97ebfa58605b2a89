/* mote: the list of commands. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/report.h"

#define VERSION "0.1"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run", command_run, "run a program or an image as a machine of its own"},
	{"build", command_build, "make an image of a program or a folder"},
	{"image", command_image, "look into an image: inspect, ls, tree, cat"},
	{"doctor", command_doctor, "say what this host offers, and what is chosen"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
	puts("Usage: mote COMMAND [OPTIONS] ...\n\n"
	     "One program, one machine: runs an unmodified Linux program with a kernel of its "
	     "own.\n"
	     "\nCommands:");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].help);
	puts("\nmote COMMAND --help tells more.  Exit status: the program's own; 125 mote failed,\n"
	     "126 the program cannot be run, 127 it was not found, 128+N signal N ended it.");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help();
		return argc > 1 ? 0 : EXIT_MOTE_FAILED;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
		puts("mote " VERSION);
		return 0;
	}
	fail(22, "unknown %s %s: see mote --help", name[0] == '-' ? "option" : "command", name);
	return EXIT_MOTE_FAILED;
}
