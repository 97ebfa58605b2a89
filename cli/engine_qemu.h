/* QEMU as the engine: its microvm machine with the fewest devices. */
#pragma once

#include "cli/machine.h"

/* The arguments QEMU is started with (argv[0] is its path).  engine is ENGINE_QEMU or ENGINE_TCG;
 * the file descriptors are the machine's console and its status record's way out, -1 in a dry run.
 * Says what is missing. */
int engine_qemu_arguments(
	const struct machine *, int console, int status, struct string_list *arguments) must_check;

/* Runs the machine to its end; the exit status for mote.  Says what went wrong. */
int engine_qemu_run(const struct machine *);

/* Prints the command that would be run, as a shell would take it. */
int engine_qemu_print(const struct machine *);

/* "10.0.2" of the QEMU in $PATH, a new string; NULL when there is none.  *path is where it is. */
char *engine_qemu_version(char **path);
