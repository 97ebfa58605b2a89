/*
 * QEMU's control (QMP, docs/interop/qmp-spec): commands go out one after another, answers come
 * back in that order.  Nothing is sent before somebody has a command.
 */
#pragma once

#include <jansson.h>

#include "cli/loop.h"

struct qmp;

/* Watches fd, which stays the caller's. */
struct qmp *qmp_open(struct loop *, int fd);

/* The open commands are answered with NULL. */
void qmp_close(struct qmp *);

/* Sends a command ({"execute": ...}, taken over).  `answer` gets what came back ({"return": ...} or
 * {"error": ...}), or NULL when the engine went away; it does not keep it. */
void qmp_execute(struct qmp *, json_t *command, void (*answer)(void *context, const json_t *reply),
	void *context);
