/* Choosing what runs a machine. */
#pragma once

#include "cli/engine_process.h"
#include "cli/machine.h"

/* ENGINE_QEMU or ENGINE_TCG for ENGINE_AUTO; *why is a new sentence. */
enum engine engine_choose(char **why);

/* Starts the machine's engine; says why it cannot be. */
int engine_start(struct machine *, struct engine_process *) must_check;

/* Prints how it would be started; mote's exit status. */
int engine_print(struct machine *);
