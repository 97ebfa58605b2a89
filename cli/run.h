/* mote run's part that mote start shares. */
#pragma once

#include "cli/options.h"

/* The machine that the options describe, its image made.  0, or mote's exit status: it was said
 * why. */
int run_prepare(const struct options *, struct machine *) must_check;
