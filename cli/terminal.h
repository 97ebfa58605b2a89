/* The person's side of a machine in the foreground: stdin to its program, its output to stdout. */
#pragma once

#include "cli/session.h"

struct terminal;

/* closed() is called when nobody reads stdout any more. */
struct terminal *terminal_open(
	struct loop *, bool is_raw, void (*closed)(void *context), void *context) must_check;

/* From now on input goes there. */
void terminal_connect(struct terminal *, struct session *);
void terminal_disconnect(struct terminal *);

void terminal_write(struct terminal *, const char *bytes, size_t len);
void terminal_input_room(struct terminal *);

/* Writes what is left, waiting for the reader; the terminal is as before. */
void terminal_close(struct terminal *);
