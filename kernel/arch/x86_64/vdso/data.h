/* The page the vDSO reads: time as a line through (base_tsc, base_ns).  Written by clock.c. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct vdso_data {
	_Atomic uint32_t sequence; /* odd while the rest changes */
	uint64_t base_tsc, base_ns;
	uint64_t rate;               /* ns per tick, 32.32 */
	uint64_t realtime_offset_ns; /* realtime - monotonic */
};

struct vdso_time {
	uint64_t monotonic_ns, realtime_offset_ns;
};

static inline struct vdso_time vdso_read(const struct vdso_data *d)
{
	for (;;) {
		uint32_t sequence = atomic_load_explicit(&d->sequence, memory_order_acquire);
		uint32_t low, high;
		__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
		uint64_t tsc = (uint64_t)high << 32 | low;
		/* Another CPU's TSC may be a hair behind base_tsc. */
		uint64_t ticks = tsc > d->base_tsc ? tsc - d->base_tsc : 0;
		struct vdso_time t = {
			d->base_ns + (uint64_t)((unsigned __int128)ticks * d->rate >> 32),
			d->realtime_offset_ns,
		};
		atomic_thread_fence(memory_order_acquire);
		if (!(sequence & 1) &&
			sequence == atomic_load_explicit(&d->sequence, memory_order_relaxed))
			return t;
		__builtin_ia32_pause();
	}
}
