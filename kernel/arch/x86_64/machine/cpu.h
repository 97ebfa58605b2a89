/* x86-64: interrupts on and off, which CPU this is. */
#pragma once

#include "machine/offsets.h"

#define RFLAGS_IF 0x200ul

static inline bool irq_enabled(void)
{
	unsigned long flags;
	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags & RFLAGS_IF;
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline irq_state must_check irq_save(void)
{
	irq_state state;
	__asm__ volatile("pushfq; popq %0; cli" : "=r"(state.flags) : : "memory");
	return state;
}

static inline void irq_restore(irq_state state)
{
	if (state.flags & RFLAGS_IF)
		irq_enable();
}

/* In every loop that waits for another CPU: that one may wait for us to flush our TLB. */
extern _Atomic uint64_t tlb_pending;
void tlb_serve(void);

static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
	if (unlikely(atomic_load_explicit(&tlb_pending, memory_order_relaxed)))
		tlb_serve();
}

/* Stable while interrupts are off, or while the thread does not block. */
static inline unsigned cpu_id(void)
{
	unsigned id;
	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(id) : "i"(CPU_ID));
	return id;
}
