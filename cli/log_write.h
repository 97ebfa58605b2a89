/*
 * The log of an instance: console.log in its folder, older parts console.log.1, .2, ...  A line of
 * it is Kubernetes' (CRI): "TIME STREAM F|P TEXT"; P: the line goes on in the next entry of the
 * stream.  Bytes are kept as they came, so what a program wrote can be given back unchanged.
 *
 * Nothing is lost: when the disk takes no more, log_is_full() tells, and whoever feeds it waits.
 */
#pragma once

#include <stdint.h>

#include "cli/loop.h"
#include "cli/text.h"

enum stream {
	STREAM_OUT,
	STREAM_ERR,
	STREAM_MOTE, /* what mote itself says about the instance */
	N_STREAMS,
};

extern const char *const stream_names[N_STREAMS];

struct log;

struct log_events {
	/* A complete line, without its newline. */
	void (*line)(void *context, enum stream, int64_t wall_ns, const char *text, size_t len);
	/* The disk takes bytes again. */
	void (*room)(void *context);
	void *context;
};

/* `folder` stays the caller's. */
struct log *log_open(struct loop *, int folder, uint64_t max_bytes, unsigned n_files,
	const struct log_events *) must_check;

void log_add(struct log *, enum stream, const char *bytes, size_t len);

/* More is waiting to be written than should: stop feeding until room(). */
bool log_is_full(const struct log *);

/* Why the disk takes nothing, 0 = it does. */
int log_error(const struct log *);

/* Writes what is there of lines without an end, and closes. */
void log_close(struct log *);
