/*
 * What the program may call without entering the kernel: vdso(7).  A shared object of its own, built
 * position-independent and mapped behind the page it reads.  CLOCK_*_CPUTIME and the like fall back to
 * the system call.
 */
#include "kernel/arch/x86_64/machine/offsets.h"
#include "kernel/arch/x86_64/vdso/data.h"

#define SYS_gettimeofday 96
#define SYS_clock_gettime 228
#define SYS_clock_getres 229
#define NS_PER_S 1000000000u

#define exported __attribute__((visibility("default")))

struct timespec {
	int64_t tv_sec, tv_nsec;
};

struct timeval {
	int64_t tv_sec, tv_usec;
};

extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

static long system_call(long number, long a, const void *b)
{
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}

/* Realtime, monotonic, both raw or coarse, boot time: the two lines there are. */
#define REALTIME_CLOCKS (1u << 0 | 1u << 5)
#define MONOTONIC_CLOCKS (1u << 1 | 1u << 4 | 1u << 6 | 1u << 7)

exported int __vdso_clock_gettime(int clock, struct timespec *out)
{
	unsigned bit = clock >= 0 && clock < 32 ? 1u << clock : 0;
	if (!(bit & (REALTIME_CLOCKS | MONOTONIC_CLOCKS)))
		return (int)system_call(SYS_clock_gettime, clock, out);
	struct vdso_time t = vdso_read(&vdso_data);
	uint64_t ns = t.monotonic_ns;
	if (bit & REALTIME_CLOCKS)
		ns += t.realtime_offset_ns;
	out->tv_sec = (int64_t)(ns / NS_PER_S);
	out->tv_nsec = (int64_t)(ns % NS_PER_S);
	return 0;
}

exported int __vdso_clock_getres(int clock, struct timespec *out)
{
	return (int)system_call(SYS_clock_getres, clock, out);
}

exported int __vdso_gettimeofday(struct timeval *out, void *zone)
{
	if (zone)
		return (int)system_call(SYS_gettimeofday, (long)out, zone);
	if (!out)
		return 0;
	struct vdso_time t = vdso_read(&vdso_data);
	uint64_t us = (t.monotonic_ns + t.realtime_offset_ns) / 1000;
	out->tv_sec = (int64_t)(us / 1000000);
	out->tv_usec = (int64_t)(us % 1000000);
	return 0;
}

exported int64_t __vdso_time(int64_t *out)
{
	struct vdso_time t = vdso_read(&vdso_data);
	int64_t s = (int64_t)((t.monotonic_ns + t.realtime_offset_ns) / NS_PER_S);
	if (out)
		*out = s;
	return s;
}

/* The CPU's number is the limit of a segment: works on every CPU, needs no feature. */
exported long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	unsigned number;
	(void)unused;
	__asm__ volatile("lsl %1, %0" : "=r"(number) : "r"(CPU_NUMBER_SELECTOR));
	if (cpu)
		*cpu = number;
	if (node)
		*node = 0;
	return 0;
}

int clock_gettime(int, struct timespec *)
	__attribute__((weak, alias("__vdso_clock_gettime"))) exported;
int clock_getres(int, struct timespec *)
	__attribute__((weak, alias("__vdso_clock_getres"))) exported;
int gettimeofday(struct timeval *, void *)
	__attribute__((weak, alias("__vdso_gettimeofday"))) exported;
int64_t time(int64_t *) __attribute__((weak, alias("__vdso_time"))) exported;
long getcpu(unsigned *, unsigned *, void *) __attribute__((weak, alias("__vdso_getcpu"))) exported;
