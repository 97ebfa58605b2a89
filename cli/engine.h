/* Choosing what runs a machine. */
#pragma once

#include "cli/machine.h"

/* ENGINE_QEMU or ENGINE_TCG for ENGINE_AUTO; *why is a new sentence. */
enum engine engine_choose(char **why);

/* Runs the machine to its end, or prints how it would be run; mote's exit status. */
int engine_run(struct machine *);
int engine_print(struct machine *);
