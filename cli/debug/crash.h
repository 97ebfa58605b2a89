/*
 * mote run --core: waits in the host channel for the signal that ends the program with a core dump,
 * and writes the file before it ends.  The machine was started so that it holds at its start.
 */
#pragma once

#include "cli/channel.h"

struct crash_watch;

struct crash_watch *crash_watch_new(struct channel *, const char *path);
void crash_watch_free(struct crash_watch *);
/* The program stands at its start: from here on crashes are told. */
void crash_watch_start(struct crash_watch *);
/* A frame of the channel; true: it was for us. */
bool crash_watch_frame(struct crash_watch *, unsigned kind, const void *content, size_t len);
/* After frames were read, not from within that: does what they ask for. */
void crash_watch_look(struct crash_watch *);
