/* mote trace: mote run with a trace of system calls. */
#include "cli/commands.h"

int command_trace(const struct options *given)
{
	struct options o = *given; /* what it points to stays given's */

	o.traces_all = true;
	return command_run(&o);
}
