/*
 * Port contract 1/6: processors.  Identity, interrupts on and off, the spinlock, start-up of the
 * others, the way to the machine's end.
 *
 * Generic code keeps per-CPU data in arrays indexed by cpu_id().  The kernel is not preempted:
 * kernel code runs on its CPU until it blocks or returns to the program.  Interrupt handlers run
 * with interrupts off, on the stack they find, and never sleep.
 */
#pragma once

#include "kernel/lib/assert.h"
#include "kernel/lib/base.h"

#define CPU_MAX 64

typedef struct {
	unsigned long flags;
} irq_state;

/* Inline, from the port: cpu_id(), irq_save(), irq_restore(), irq_enable(), irq_disable(),
 * irq_enabled(), cpu_relax(). */
#include "machine/cpu.h"

/* CPUs that run the scheduler; grows while the others start. */
unsigned cpu_count(void);
/* CPUs the machine has. */
unsigned cpu_possible(void);

/* Start every other CPU; returns at once.  Each arrives in secondary_main() (upcall.h). */
void cpu_start_others(void);

/* Enter with interrupts off; sleep until one arrives, take it, return with interrupts off. */
void cpu_idle(void);

/* Interrupt that CPU: out of cpu_idle(), or from the program into user_return().  Any context. */
void cpu_kick(unsigned cpu);

/* Hardware random number; false when there is none. */
bool cpu_random(uint64_t *out) must_check;

/* What /proc/cpuinfo says of one CPU; as snprintf. */
int cpu_describe(unsigned cpu, char *buf, size_t size);

/* A line of the status record before the end: "started\n". */
void machine_tell(const char *record);
/* End the machine with the status record of abi/boot.h.  The first caller wins; it never returns. */
_Noreturn void machine_end(const char *record, unsigned status);
_Noreturn void machine_restart(void);

/*
 * Spinlock.  Taking it turns interrupts off: holders are short, never sleep, never touch user
 * memory.  So every lock may be taken in an interrupt handler.
 */
struct spinlock {
	atomic_uint locked;
#ifdef DEBUG
	unsigned class;
#endif
};

#define SPINLOCK_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}

#ifdef DEBUG
/* kernel/sched/lock_check.c watches them. */
irq_state spin_lock(struct spinlock *l) must_check;
void spin_unlock(struct spinlock *l, irq_state state);
bool spin_try_lock_nested(struct spinlock *l) must_check;
void spin_lock_nested(struct spinlock *l);
void spin_unlock_nested(struct spinlock *l);
/* All locks initialised there are of one kind. */
void lock_check_name(struct spinlock *l, const void *place);
void lock_check_user_access(void);
#else
static inline void lock_check_user_access(void)
{
}

static inline irq_state must_check spin_lock(struct spinlock *l)
{
	irq_state state = irq_save();
	while (unlikely(atomic_exchange_explicit(&l->locked, 1, memory_order_acquire)))
		while (atomic_load_explicit(&l->locked, memory_order_relaxed))
			cpu_relax();
	return state;
}

static inline void spin_unlock(struct spinlock *l, irq_state state)
{
	atomic_store_explicit(&l->locked, 0, memory_order_release);
	irq_restore(state);
}

/* Interrupts are off already; false when somebody holds it. */
static inline bool must_check spin_try_lock_nested(struct spinlock *l)
{
	return !atomic_exchange_explicit(&l->locked, 1, memory_order_acquire);
}

/* A second lock under one already held: interrupts are off already. */
static inline void spin_lock_nested(struct spinlock *l)
{
	while (unlikely(atomic_exchange_explicit(&l->locked, 1, memory_order_acquire)))
		while (atomic_load_explicit(&l->locked, memory_order_relaxed))
			cpu_relax();
}

static inline void spin_unlock_nested(struct spinlock *l)
{
	atomic_store_explicit(&l->locked, 0, memory_order_release);
}
#endif
