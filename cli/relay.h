/*
 * Between a running machine and the person: its console to stdout, stdin to its console, signals
 * to the machine, and in the end its status record (abi/boot.h) to an exit status.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cli/channel.h"
#include "cli/report.h"

struct relay {
	pid_t child;             /* the engine's process */
	int console;             /* the machine's console, both ways */
	int status;              /* where the status record comes from */
	int errors;              /* the engine's stderr */
	struct channel *channel; /* NULL = there is none; its descriptor is -1 once it is closed */
	bool has_ports;          /* some are published: the engine listens */
	bool is_framed;          /* the kernel understands controls in its input */
	bool is_terminal;        /* the program edits its lines itself: ours must not */
	unsigned stop_seconds;
	const char *program; /* for messages */
};

/* Blocks the signals that the relay takes; before the engine is started. */
int relay_prepare(void) must_check;

/* Runs until the engine has ended; closes the descriptors.  The exit status for mote. */
int relay_run(const struct relay *);
