/* Mutex and reader-writer lock. */
#include "kernel/sched/lock.h"

#define FREE 0u
#define HELD 1u
#define CONTENDED 2u

void mutex_init(struct mutex *m)
{
	atomic_init(&m->state, FREE);
	wait_queue_init(&m->waiters);
}

bool mutex_try_lock(struct mutex *m)
{
	unsigned expected = FREE;
	return atomic_compare_exchange_strong_explicit(
		&m->state, &expected, HELD, memory_order_acquire, memory_order_relaxed);
}

void mutex_lock(struct mutex *m)
{
	if (likely(mutex_try_lock(m)))
		return;
	/* Whoever waits leaves CONTENDED behind, so that every unlock until it has the lock wakes. */
	wait_event_(&m->waiters, EVENTS_ALL, atomic_exchange(&m->state, CONTENDED) == FREE,
		NO_DEADLINE, WAIT_EXCLUSIVE, thread_block);
}

void mutex_unlock(struct mutex *m)
{
	if (atomic_exchange_explicit(&m->state, FREE, memory_order_release) == CONTENDED)
		wait_wake(&m->waiters, EVENTS_ALL);
}

/* --- readers and writers ------------------------------------------------------------------------- */

#define READERS 1u
#define WRITERS 2u

void rw_lock_init(struct rw_lock *l)
{
	*l = (struct rw_lock){0};
	wait_queue_init(&l->waiters);
}

static bool try_read(struct rw_lock *l)
{
	irq_state state = spin_lock(&l->lock);
	bool got = l->readers >= 0 && l->writers_waiting == 0;
	if (got)
		l->readers++;
	spin_unlock(&l->lock, state);
	return got;
}

void rw_lock_read(struct rw_lock *l)
{
	wait_event(&l->waiters, READERS, try_read(l));
}

void rw_unlock_read(struct rw_lock *l)
{
	irq_state state = spin_lock(&l->lock);
	bool wake = --l->readers == 0 && l->writers_waiting > 0;
	spin_unlock(&l->lock, state);
	if (wake)
		wait_wake(&l->waiters, WRITERS);
}

/* waiting: 1 when the caller is counted among the waiting writers. */
static bool try_write(struct rw_lock *l, unsigned waiting)
{
	irq_state state = spin_lock(&l->lock);
	bool got = l->readers == 0;
	if (got) {
		l->readers = -1;
		l->writers_waiting -= waiting;
	}
	spin_unlock(&l->lock, state);
	return got;
}

void rw_lock_write(struct rw_lock *l)
{
	if (likely(try_write(l, 0)))
		return;
	irq_state state = spin_lock(&l->lock);
	l->writers_waiting++;
	spin_unlock(&l->lock, state);
	wait_event_(
		&l->waiters, WRITERS, try_write(l, 1), NO_DEADLINE, WAIT_EXCLUSIVE, thread_block);
}

void rw_unlock_write(struct rw_lock *l)
{
	irq_state state = spin_lock(&l->lock);
	l->readers = 0;
	unsigned who = l->writers_waiting > 0 ? WRITERS : READERS;
	spin_unlock(&l->lock, state);
	wait_wake(&l->waiters, who);
}
