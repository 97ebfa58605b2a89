/*
 * Asking a running machine about itself, over the host channel (abi/debug.h): what its files in
 * /proc say, and signals for its program.
 */
#pragma once

#include <jansson.h>

#include "cli/session.h"

struct inside;

/* Replies whose id has this bit are ours, whoever else uses the channel. */
#define INSIDE_ID 0x80000000u

struct inside *inside_open(struct session *) must_check;

/* Everything that is open is answered with what has come. */
void inside_close(struct inside *);

/*
 * Reads files; done() gets an object with a string per file that could be read, which it takes
 * over.  A machine that hangs never answers: whoever asked has a time limit.
 */
void inside_read(struct inside *, const json_t *paths, void (*done)(void *context, json_t *files),
	void *context);

/* -ENOTCONN: the machine has no channel. */
int inside_signal(struct inside *, int signal) must_check;

/* One frame of the channel; false: it is not for us. */
bool inside_frame(struct inside *, unsigned kind, const void *content, size_t len);
