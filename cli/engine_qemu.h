/* QEMU as the engine: its microvm machine with the fewest devices. */
#pragma once

#include "cli/machine.h"

/* QEMU's ends of the machine's console, its status record's way out, and its host channel; -1 in a
 * dry run. */
struct engine_sockets {
	int console, status, channel;
};

/* The arguments QEMU is started with (argv[0] is its path).  engine is ENGINE_QEMU or ENGINE_TCG.
 * Says what is missing. */
int engine_qemu_arguments(const struct machine *, const struct engine_sockets *,
	struct string_list *arguments) must_check;

/* Runs the machine to its end; the exit status for mote.  Says what went wrong. */
int engine_qemu_run(const struct machine *);

/* Prints the command that would be run, as a shell would take it. */
int engine_qemu_print(const struct machine *);

/* "10.0.2" of the QEMU in $PATH, a new string; NULL when there is none.  *path is where it is. */
char *engine_qemu_version(char **path);
