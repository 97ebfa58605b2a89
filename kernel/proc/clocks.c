/* The clocks of clock_gettime(2): wall, monotonic, and CPU time of the process and its threads. */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/arch/timer.h"
#include "kernel/proc/clock_adjust.h"
#include "kernel/proc/timers.h"

static uint64_t pick_cpu_time(unsigned kind, uint64_t user_ns, uint64_t system_ns)
{
	return kind == CLOCK_CPU_VIRT ? user_ns : user_ns + system_ns;
}

/* Negative numbers name a process or thread (clock_getcpuclockid(3)); 0 is oneself. */
static int read_cpu_clock(int clock, uint64_t *out)
{
	unsigned kind = (unsigned)clock & CLOCK_CPU_KIND;
	int id = ~(clock >> 3);
	uint64_t user_ns = 0, system_ns = 0;
	if (kind > CLOCK_CPU_SCHED || id < 0)
		return -EINVAL;
	if (!(clock & CLOCK_CPU_PER_THREAD)) {
		if (id != 0 && id != PROCESS_ID)
			return -EINVAL;
		process_cpu_ns(&user_ns, &system_ns);
	} else {
		struct task *t = process_find_task(id ? id : thread_current()->tid);
		if (!t)
			return -EINVAL;
		thread_times(&t->thread, &user_ns, &system_ns);
		thread_put(&t->thread);
	}
	*out = pick_cpu_time(kind, user_ns, system_ns);
	return 0;
}

bool clock_is_cpu(int clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

int clock_read(int clock, uint64_t *out)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
		*out = clock_realtime_ns();
		return 0;
	case CLOCK_TAI:
		*out = clock_realtime_ns() + clock_tai_offset_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*out = clock_monotonic_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*out = process_cpu_ns(NULL, NULL);
		return 0;
	case CLOCK_THREAD_CPUTIME_ID: {
		uint64_t user_ns = 0, system_ns = 0;
		thread_times(thread_current(), &user_ns, &system_ns);
		*out = user_ns + system_ns;
		return 0;
	}
	default:
		return clock < 0 ? read_cpu_clock(clock, out) : -EINVAL;
	}
}

static bool follows_wall_time(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

uint64_t clock_deadline(int clock, uint64_t at_ns)
{
	if (!follows_wall_time(clock))
		return at_ns;
	uint64_t wall_ns = clock_realtime_ns(), now_ns = clock_monotonic_ns();
	if (clock == CLOCK_TAI)
		wall_ns += clock_tai_offset_ns();
	if (at_ns <= wall_ns)
		return now_ns;
	return at_ns - wall_ns > NO_DEADLINE - now_ns ? NO_DEADLINE : now_ns + (at_ns - wall_ns);
}
