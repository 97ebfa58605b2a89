/*
 * User and kernel time, told apart by samples: how long a thread (or CPU) ran is exact, how it divides is what a
 * sampling timer saw.  Nothing is spent on the way into the kernel and out of it.
 */
#pragma once

#include "kernel/lib/base.h"

struct cpu_time_split {
	_Atomic uint32_t n_user, n_system; /* samples */
	/* Under a lock of cpu_time.c: what was told last.  Neither part ever shrinks. */
	uint64_t user_ns, system_ns;
};

enum cpu_mode { CPU_IN_PROGRAM, CPU_IN_KERNEL };
/* One more sample.  Any context. */
void cpu_time_sample(struct cpu_time_split *s, enum cpu_mode mode);
/* total_ns divided; without a sample all of it is the program's.  When total_ns is behind what was told, that is told
 * again.  Any context. */
void cpu_time_divide(
	struct cpu_time_split *s, uint64_t total_ns, uint64_t *user_ns, uint64_t *system_ns);
