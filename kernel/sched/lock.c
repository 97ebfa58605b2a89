/* Mutex and reader-writer lock. */
#include "kernel/sched/lock.h"
#include "kernel/sched/lock_check.h"

#ifdef DEBUG
#define NAME(l)                                                                                    \
	((l)->class = lock_class_of(__builtin_return_address(0)),                                  \
		lock_check_name(&(l)->waiters.lock, __builtin_return_address(0)))
#define ABOUT_TO_TAKE(l) lock_check_sleeping((l)->class)
#define TAKEN(l) lock_check_held((l), (l)->class)
#define RELEASED(l) lock_check_released(l)
#else
#define NAME(l) ((void)(l))
#define ABOUT_TO_TAKE(l) ((void)(l))
#define TAKEN(l) ((void)(l))
#define RELEASED(l) ((void)(l))
#endif

#define FREE 0u
#define HELD 1u
#define CONTENDED 2u

void mutex_init(struct mutex *m)
{
	atomic_init(&m->state, FREE);
	wait_queue_init(&m->waiters);
	NAME(m);
}

static bool try_lock(struct mutex *m)
{
	unsigned expected = FREE;
	return atomic_compare_exchange_strong_explicit(
		&m->state, &expected, HELD, memory_order_acquire, memory_order_relaxed);
}

bool mutex_try_lock(struct mutex *m)
{
	if (!try_lock(m))
		return false;
	TAKEN(m);
	return true;
}

void mutex_lock(struct mutex *m)
{
	ABOUT_TO_TAKE(m);
	/* Whoever waits leaves CONTENDED behind, so that every unlock until it has the lock wakes. */
	if (unlikely(!try_lock(m)))
		wait_event_(&m->waiters, EVENTS_ALL, atomic_exchange(&m->state, CONTENDED) == FREE,
			NO_DEADLINE, WAIT_EXCLUSIVE, thread_block);
	TAKEN(m);
}

void mutex_unlock(struct mutex *m)
{
	RELEASED(m);
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
	NAME(l);
}

static bool try_read(struct rw_lock *l)
{
	int n = atomic_load_explicit(&l->readers, memory_order_relaxed);
	while (n >= 0 && atomic_load(&l->writers_waiting) == 0)
		if (atomic_compare_exchange_weak(&l->readers, &n, n + 1))
			return true;
	return false;
}

void rw_lock_read(struct rw_lock *l)
{
	ABOUT_TO_TAKE(l);
	if (unlikely(!try_read(l)))
		wait_event(&l->waiters, READERS, try_read(l));
	TAKEN(l);
}

/* The last reader leaves, then looks for writers; a writer announces itself, then looks for readers. */
void rw_unlock_read(struct rw_lock *l)
{
	RELEASED(l);
	if (atomic_fetch_sub(&l->readers, 1) == 1 && atomic_load(&l->writers_waiting) > 0)
		wait_wake(&l->waiters, WRITERS);
}

static bool try_write(struct rw_lock *l)
{
	int free = 0;
	return atomic_compare_exchange_strong(&l->readers, &free, -1);
}

void rw_lock_write(struct rw_lock *l)
{
	ABOUT_TO_TAKE(l);
	if (likely(try_write(l))) {
		TAKEN(l);
		return;
	}
	atomic_fetch_add(&l->writers_waiting, 1);
	wait_event_(&l->waiters, WRITERS, try_write(l), NO_DEADLINE, WAIT_EXCLUSIVE, thread_block);
	atomic_fetch_sub(&l->writers_waiting, 1);
	TAKEN(l);
}

void rw_unlock_write(struct rw_lock *l)
{
	RELEASED(l);
	atomic_store(&l->readers, 0);
	wait_wake(&l->waiters, atomic_load(&l->writers_waiting) > 0 ? WRITERS : READERS);
}
