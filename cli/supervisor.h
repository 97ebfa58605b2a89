/*
 * The process that looks after an instance: it owns the machine, from the first start over every
 * restart to the end.  In the foreground that is mote run itself, with the person's terminal; in
 * the background one process per instance, with a log.  It holds the instance's lock, writes its
 * state, and answers mote's other commands.
 */
#pragma once

#include "cli/health.h"
#include "cli/instance.h"
#include "cli/machine.h"

struct supervision {
	const struct options *options;
	struct machine *machine;
	struct instance *instance; /* locked; its folder is -1 when there can be none: foreground */
	bool in_background;
	bool is_new;                /* it goes again when it never ran */
	struct health_check health; /* port 0 = none */
	struct sockaddr_in health_at;
	int ready; /* gets an int, mote's exit status, once it is clear that it runs or not; -1 */
};

/* To the end; mote's exit status.  The instance is closed, and removed if it is to be forgotten. */
int supervise(const struct supervision *);
