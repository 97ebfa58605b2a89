/*
 * The process that runs a machine, and the channels to it: sockets handed down, so that no file of
 * a machine is ever made.  It dies with whoever started it, whatever ends that.
 */
#pragma once

#include <sys/types.h>

#include "cli/text.h"

enum engine_channel {
	CHANNEL_CONSOLE, /* the machine's serial port, both ways */
	CHANNEL_STATUS,  /* its status record comes from here */
	CHANNEL_QMP,     /* the engine's own control */
	CHANNEL_HOST,    /* frames both ways (abi/channel.h), where the machine has it */
	CHANNEL_ERRORS,  /* the engine's stderr */
	N_CHANNELS,
};

struct engine_process {
	pid_t pid;
	int ended;              /* a pidfd: readable when it has ended */
	int fd[N_CHANNELS];     /* ours, non-blocking */
	int theirs[N_CHANNELS]; /* the engine's, until it is started */
};

#define ENGINE_PROCESS_NONE ((struct engine_process){.pid = -1, .ended = -1})

int engine_process_open(struct engine_process *) must_check;

/* Executes argv; `inherited` (-1 = none) stays open in it.  Says what failed. */
int engine_process_start(
	struct engine_process *, const struct string_list *argv, int inherited) must_check;

/* Ends it if it still runs, and closes everything. */
void engine_process_close(struct engine_process *);
