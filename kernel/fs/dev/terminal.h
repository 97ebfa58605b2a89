/*
 * The line discipline of a terminal, termios(3): what is typed becomes lines, what is written is shown.  The caller locks.
 */
#pragma once

#include "abi/linux/ioctl.h"
#include "kernel/lib/base.h"

#define TERMINAL_ROOM 4096u /* each way; a power of two */

/* Bytes from one side to the other. */
struct terminal_ring {
	_Atomic uint32_t head,
		tail; /* bytes ever put in, taken out; changed under the caller's lock */
	uint8_t bytes[TERMINAL_ROOM];
};

static inline uint32_t ring_used(const struct terminal_ring *r)
{
	return r->head - r->tail;
}
static inline uint32_t ring_room(const struct terminal_ring *r)
{
	return TERMINAL_ROOM - ring_used(r);
}

struct terminal {
	struct linux_termios settings;
	struct linux_winsize window;
	struct terminal_ring in, out;
	_Atomic uint32_t finished; /* of in: how far lines are complete */
	uint64_t ends[TERMINAL_ROOM /
		      64]; /* bit per byte of in: a line ends there (^D: with a byte nobody reads) */
};

void terminal_init(struct terminal *t);
/* A byte was typed; echo goes into out.  The signal that it stands for, or 0.  False in *fits: no room, nothing happened. */
int terminal_type(struct terminal *t, uint8_t c, bool *fits);
/* How many bytes read(2) may take now; 0: it waits.  With a ^D alone, 1. */
uint32_t terminal_readable(const struct terminal *t);
/* Up to n bytes, at most a line; the end of a file is 0. */
size_t terminal_take(struct terminal *t, uint8_t *to, size_t n);
/* Text to be shown, with line ends as the settings say; bytes of it that fitted. */
size_t terminal_show(struct terminal *t, const uint8_t *text, size_t n);
size_t ring_take(struct terminal_ring *r, uint8_t *to, size_t n);
void terminal_set(struct terminal *t, const struct linux_termios *new);
void terminal_flush_input(struct terminal *t);
