/*
 * Timers in whole milliseconds for thousands of connections: a hierarchical wheel per CPU over one
 * exact timer (kernel/sched/timer.h).  Starting and cancelling cost the same however many there are; an
 * idle machine is interrupted only when something is due.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/base.h"

struct wheel_timer {
	struct wheel_timer *next, **previous; /* under the wheel's lock, like slot */
	void (*fire)(struct wheel_timer *t);  /* interrupts off, no locks; may start t again */
	uint64_t expires_ms;
	_Atomic uint16_t cpu; /* whose wheel, or WHEEL_IDLE */
	uint16_t slot;
};
#define WHEEL_IDLE 0xffffu

void wheel_init(void);

static inline void wheel_timer_init(struct wheel_timer *t, void (*fire)(struct wheel_timer *))
{
	t->fire = fire;
	t->cpu = WHEEL_IDLE;
}

static inline bool wheel_armed(const struct wheel_timer *t)
{
	return t->cpu != WHEEL_IDLE;
}

/* Fire at that time of now_ms() on this CPU, replacing an earlier expiry.  The caller serialises
 * start and cancel of one timer.  True: it was armed before. */
bool wheel_start(struct wheel_timer *t, uint64_t expires_ms);
/* True: it was armed, and will not fire.  False: idle, or fire is about to run on another CPU. */
bool wheel_cancel(struct wheel_timer *t);

static inline uint64_t now_ms(void)
{
	return clock_monotonic_ns() / NS_PER_MS;
}
