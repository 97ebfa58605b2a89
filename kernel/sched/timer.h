/*
 * Timers: per-CPU trees ordered by deadline, the first one armed in hardware; exact to the clock.
 * (TCP has a millisecond wheel of its own on top of one of these per CPU: kernel/net.)
 */
#pragma once

#include "kernel/arch/timer.h"
#include "kernel/lib/tree.h"

struct timer {
	struct tree_node node;
	uint64_t deadline_ns;
	/* Interrupts off, no locks; may arm the timer again. */
	void (*fire)(struct timer *t);
	atomic_uint cpu;      /* whose tree it is in, or TIMER_IDLE */
	atomic_uint last_cpu; /* where it fires, or fired last */
};
#define TIMER_IDLE (~0u)

void timer_init(struct timer *t, void (*fire)(struct timer *t));
/* Fire at that monotonic time (soon, if it has passed), on this CPU.  Replaces an earlier deadline.  Any context. */
void timer_start(struct timer *t, uint64_t deadline_ns);
/* Not armed any more; when fire is running on another CPU, waits for its end.  True: it was armed.  Any context
 * but fire itself, and not under a lock that fire takes. */
bool timer_stop(struct timer *t);
/* The same without waiting for fire. */
bool timer_cancel(struct timer *t);

/* Fire what is due on this CPU: from timer_interrupt(), interrupts off. */
void timer_run(void);
