/* The clocks' start, and waits before there is a scheduler. */
#pragma once

#include "kernel/lib/base.h"

struct trap_frame;

/* Monotonic time is 0 at entry_tsc. */
void clock_init(uint64_t entry_tsc);
void clock_interrupt(const struct trap_frame *f);
void clock_spin_ns(uint64_t ns);
uint64_t clock_tsc_rate(void); /* ticks per second, as well as known */

/* tsc_rate.c: ticks of the TSC per second if something states them, else 0. */
uint64_t tsc_rate_stated(void);
/* Otherwise measure it against a counter of known rate.  Begin, returning a first guess; later look
 * again: true with a better value. */
uint64_t tsc_rate_begin(void);
bool tsc_rate_look(uint64_t *rate) must_check;
/* The local APIC's timer is about to be set: it may be what is measured by. */
void tsc_rate_timer_set(uint32_t count);

/* wall_clock.c: nanoseconds since 1970, now. */
uint64_t wall_clock_read(void);
