/*
 * Looking at the program from outside, asked over the host channel (abi/channel.h): debugging (abi/debug.h).
 */
#pragma once

#include "kernel/lib/base.h"

/* One frame from the host, in the channel's thread; sleeps. */
void inspect_frame(unsigned kind, const void *content, uint32_t len);
/* mote.debug: the program stands before its first instruction until the host lets it go.  Before process_run(). */
void inspect_hold_start(void);
