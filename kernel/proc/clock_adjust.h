/*
 * Disciplining the clock, adjtimex(2): a frequency, an offset that is worked off in small parts (RFC 5905, 11.3), and
 * the old slew of adjtime(3).  Real and monotonic time run faster or slower together, as on Linux.
 */
#pragma once

#include "abi/linux/time.h"
#include "kernel/lib/base.h"

/* Change what t->modes says, then fill t.  The state, TIME_OK or TIME_ERROR; -EINVAL; -EPERM.  May sleep. */
int clock_adjust(struct linux_timex *t) must_check;
/* Wall time is now that; what was being corrected is forgotten.  All who wait for wall time are told.  May sleep. */
void clock_step(uint64_t realtime_ns);
/* TAI - UTC in nanoseconds, as somebody told. */
uint64_t clock_tai_offset_ns(void);
