/*
 * The lock checker of DEBUG=1: who takes which lock under which, found at the first sight of an order rather than at
 * the deadlock.  Reports are lines that start with "lock check:".  Without DEBUG all of this is nothing.
 * (Spinlocks: kernel/arch/cpu.h declares what they call.)
 */
#pragma once

#include "kernel/arch/cpu.h"

#ifdef DEBUG

#define HELD_MAX 12u

/* Sleeping locks a thread holds: in struct thread, its own. */
struct held_locks {
	unsigned n;
	struct {
		const void *lock;
		unsigned class;
	} held[HELD_MAX];
};

/* From now on: CPUs and threads have names. */
void lock_check_start(void);
/* The class of locks made or taken at that place. */
unsigned lock_class_of(const void *place);
/* Before a sleeping lock is waited for (order is checked), and when it is held. */
void lock_check_sleeping(unsigned class);
void lock_check_held(const void *lock, unsigned class);
void lock_check_released(const void *lock);
/* About to sleep: no spinlock may be held. */
void lock_check_block(void);
/* Going back to the program, or ending: nothing may be held. */
void lock_check_none(const char *when);

#else

static inline void lock_check_start(void)
{
}
static inline void lock_check_block(void)
{
}
static inline void lock_check_none(const char *when)
{
	(void)when;
}

#endif
