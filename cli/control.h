/*
 * Talking to the process that looks after an instance: a socket in the instance's folder, one
 * request per connection, a line of JSON each way.
 *
 *     {"request": "stop", "seconds": 10}   ends the instance; answered when it has ended
 *     {"request": "kill", "signal": 9}     9 ends the instance and is answered then; others
 *                                          reach the program
 *     {"request": "wait"}                  answered when the instance has ended
 *     {"request": "state"}                 what state.json would say, had the disk room for it
 *     {"request": "pause"} {"request": "unpause"}
 *     {"request": "channel"}               behind the answer the connection is the host
 *                                          channel: frames of abi/channel.h both ways
 *     {"request": "files", "paths": [...]} what files of the running machine hold: {"files": {...}}
 *     {"request": "qmp", "command": {...}} handed to QEMU
 *
 * Answers: {"ok": true, ...} or {"error": "a sentence"}.
 */
#pragma once

#include <jansson.h>

#include "cli/instance.h"
#include "cli/loop.h"

/* ---- The supervisor's side ---- */

struct control;
struct control_client;

struct control_events {
	void (*request)(void *context, struct control_client *, const json_t *);
	/* It went away before it was answered. */
	void (*gone)(void *context, struct control_client *);
	void *context;
};

/* Listens; says why it can not. */
int control_open(
	struct loop *, int folder, const struct control_events *, struct control **out) must_check;

/* Before the instance's lock is let go; then its clients may still be answered. */
void control_stop_listening(struct control *);
void control_close(struct control *);

/* The answer (taken over); the client is gone after that. */
void control_answer(struct control_client *, json_t *);
void control_refuse(struct control_client *, const char *why);

/* The connection is the caller's from now on; the client is gone. */
int control_take_over(struct control_client *);

/* ---- A command's side ---- */

/* Sends a request (taken over) and waits for the answer, at most timeout_ms (-1: for ever).  NULL,
 * silently, when nobody answers. */
json_t *control_ask(const struct instance *, json_t *request, int timeout_ms);

/* A connection to the supervisor, -1 when there is none. */
int control_connect(const struct instance *);
