/* The kernel's command line for a machine (abi/boot.h), but for what the engine's devices need. */
#pragma once

#include "cli/command_line.h"
#include "cli/machine.h"

/* Fills in the words before "--"; says what is wrong with the machine's addresses. */
int kernel_line_add_words(struct text *, const struct machine *) must_check;

/* "--" and the arguments, when there are any or a program is named. */
void kernel_line_add_arguments(struct text *, const struct machine *);
