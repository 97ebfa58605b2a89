/* x86-64: a thread's processor state while it does not run. */
#pragma once

#include "machine/offsets.h"

struct thread_arch {
	atomic_uint user_work;
	uint8_t fpu_where; /* see fpu.c */
	uint16_t fpu_cpu;
	uint64_t *sp; /* of the kernel stack, while switched away */
	void *kernel_stack_top;
	uintptr_t user_tls; /* FS base; stale while the thread runs: thread_tls() */
	uintptr_t user_gs;
	void *fpu; /* XSAVE or FXSAVE area */
};

static inline struct thread *thread_current(void)
{
	struct thread *t;
	__asm__("movq %%gs:%c1, %0" : "=r"(t) : "i"(CPU_CURRENT));
	return t;
}

/* GS base of the current thread: arch_prctl(2). */
uintptr_t thread_user_gs(void);
void thread_set_user_gs(uintptr_t base);
