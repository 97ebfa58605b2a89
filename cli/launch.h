/* From a prepared machine to an instance that runs, in the foreground or in the background. */
#pragma once

#include "cli/instance.h"
#include "cli/options.h"

/* Runs a new instance; mote's exit status.  With -d that of its start: 0 = it runs. */
int launch_new(const struct options *, struct machine *);

/* Starts an instance that ended, whose lock is held, again in the background; mote's exit status.
 * Closes it. */
int launch_again(struct instance *);
