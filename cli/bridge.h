/*
 * The host channel of an instance for mote's other commands: each connection sees every frame of
 * the machine, and what it sends goes to the machine.  Held by the supervisor.
 */
#pragma once

#include "cli/loop.h"
#include "cli/session.h"

struct bridge;

struct bridge *bridge_new(struct loop *);
void bridge_free(struct bridge *);

/* A connection, taken over, for this session of the machine; -EBUSY: there are too many. */
int bridge_add(struct bridge *, int fd, struct session *) must_check;
/* A frame of the machine, for all of them. */
void bridge_frame(struct bridge *, unsigned kind, const void *content, size_t len);
/* The session is over: so are they. */
void bridge_drop_all(struct bridge *);
