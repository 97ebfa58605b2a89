/*
 * Port contract 6/6: clocks.  Time is nanoseconds in 64 bits.  Monotonic starts at 0 at kernel
 * entry and is the same on all CPUs; the vDSO reads the same clock without entering the kernel.
 */
#pragma once

#include "kernel/lib/base.h"

uint64_t clock_monotonic_ns(void);
uint64_t clock_realtime_ns(void);
/* clock_settime(2), adjtime: both clocks of the vDSO follow. */
void clock_set_realtime_ns(uint64_t now_ns);
/* From now on the clocks run faster by so many parts per billion than they would, |ppb| < 200,000,000. */
void clock_set_rate_offset(int32_t ppb);

/* Interrupt this CPU at that monotonic time (timer_interrupt() in upcall.h); one per CPU, the
 * newest call counts; NO_DEADLINE: none. */
void timer_arm(uint64_t deadline_ns);
/* In timer_interrupt(): what it interrupted on this CPU. */
struct trap_frame;
const struct trap_frame *timer_interrupted(void);

/* The vDSO: an ELF image of whole pages, and the data page it reads right before it. */
struct vdso_image {
	const void *elf;     /* page-aligned, in the direct map or the kernel image */
	size_t elf_size;     /* multiple of PAGE_SIZE */
	const void *data;    /* one page, mapped at (vdso base - PAGE_SIZE), read only */
	uintptr_t sigreturn; /* offset of the rt_sigreturn trampoline in elf, or 0 */
};
const struct vdso_image *clock_vdso(void);

/* Hardware capability words of the auxiliary vector. */
unsigned long cpu_hwcap(void), cpu_hwcap2(void);
const char *cpu_platform(void); /* "x86_64", "aarch64" */
