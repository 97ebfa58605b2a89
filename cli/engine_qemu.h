/* QEMU's microvm as an engine. */
#pragma once

#include "cli/engine_process.h"
#include "cli/machine.h"

/* The command line, argv[0] included; fds are the engine's ends of the channels, NULL = a dry run:
 * the console is stdio.  Says what is wrong. */
int engine_qemu_arguments(
	const struct machine *, const int *fds, struct string_list *argv) must_check;

/* Whether the machine's kernel understands controls in its input (abi/boot.h). */
bool engine_qemu_takes_controls(const struct machine *);

/* Starts it; says why it cannot be. */
int engine_qemu_start(const struct machine *, struct engine_process *) must_check;

/* Prints the command line as a shell takes it; mote's exit status. */
int engine_qemu_print(const struct machine *);

/* "10.0.2", a new string, or NULL; *path is where it is, new, or NULL. */
char *engine_qemu_version(char **path);
