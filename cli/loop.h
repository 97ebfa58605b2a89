/*
 * One thread waits for many things: descriptors that become ready and moments that come.  Watches
 * and timers are their owners' memory; they may be added and removed at any time, also by what the
 * loop calls.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch {
	int fd;
	short events; /* of poll(2); 0: nothing but POLLERR and POLLHUP; may change at any time */
	void (*ready)(void *context, short events);
	void *context;
	bool is_off;        /* not even POLLHUP, for now */
	struct watch *next; /* the loop's */
};

struct timer {
	int64_t at_ns; /* clock_now_ns(); 0 = off, as before fire() is called */
	void (*fire)(void *context);
	void *context;
	struct timer *next; /* the loop's */
};

struct loop {
	struct watch *watches;
	struct timer *timers;
	struct watch **polled; /* what the current turn looks at */
	size_t n_polled;
};

void loop_watch(struct loop *, struct watch *);
void loop_unwatch(struct loop *, struct watch *); /* one that is not watched: nothing happens */
void loop_add_timer(struct loop *, struct timer *);
void loop_remove_timer(struct loop *, struct timer *);
void timer_set_ms(struct timer *, int64_t ms);

/* Waits once, and calls what is due. */
void loop_turn(struct loop *);
