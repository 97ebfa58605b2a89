/*
 * One life of a machine, from its engine's start to its end, within a loop: its output, its input
 * with the controls abi/boot.h describes, and its status record.  Nothing of the output is lost:
 * whoever can not take more holds it, and the machine waits.
 */
#pragma once

#include "cli/ending.h"
#include "cli/engine.h"
#include "cli/loop.h"
#include "cli/qmp.h"

struct session_events {
	void (*started)(void *context); /* the program is about to run */
	void (*output)(void *context, const char *bytes, size_t len);
	/* A frame of the host channel that is not the trace's; NULL = they are dropped. */
	void (*frame)(void *context, unsigned kind, const void *content, size_t len);
	/* There is room for input again. */
	void (*input_room)(void *context);
	/* All output has been told before.  The session may be freed in it. */
	void (*ended)(void *context, const struct ending *);
	void *context;
};

struct session;

/* NULL when the engine can not be started: it was said why. */
struct session *session_start(
	struct loop *, struct machine *, const struct session_events *) must_check;
void session_free(struct session *);

pid_t session_engine(const struct session *);
bool session_has_started(const struct session *);

/* Bytes for the program; how many were taken.  None before it has started. */
size_t session_input(struct session *, const char *bytes, size_t len);
void session_end_input(struct session *);

/* No more output() until it is released; what the machine writes waits there. */
void session_hold_output(struct session *);
void session_release_output(struct session *);

/*
 * Asks the program to stop as `signal` says (SIGTERM, SIGINT, SIGHUP); the machine is ended after
 * `seconds`, and at once when it can not be asked or the signal is another.
 */
void session_stop(struct session *, int signal, unsigned seconds);

/* The signal reaches the program and nothing else happens; -EOPNOTSUPP: this one can not. */
int session_signal(struct session *, int signal) must_check;

/* Ends the machine; `signal` is what its end is put down to. */
void session_kill(struct session *, int signal);

/* A frame for the machine over the host channel; -ENOTCONN, silently, when there is none.  Waits for
 * a machine that does not read: keep them few. */
int session_send(struct session *, unsigned kind, const void *content, size_t len) must_check;

struct qmp *session_qmp(struct session *);
