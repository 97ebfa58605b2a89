/* Locks that sleep.  Not for interrupt handlers. */
#pragma once

#include "kernel/sched/wait.h"

struct mutex {
	atomic_uint state; /* 0 free, 1 held, 2 held with waiters */
	struct wait_queue waiters;
#ifdef DEBUG
	unsigned class; /* lock_check.c */
#endif
};

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
bool mutex_try_lock(struct mutex *m) must_check;
void mutex_unlock(struct mutex *m);

/* Many readers or one writer; a waiting writer holds back new readers: do not take it for reading
 * twice. */
struct rw_lock {
	atomic_int readers; /* -1: a writer */
	atomic_uint writers_waiting;
	struct wait_queue waiters;
#ifdef DEBUG
	unsigned class;
#endif
};

void rw_lock_init(struct rw_lock *l);
void rw_lock_read(struct rw_lock *l);
void rw_unlock_read(struct rw_lock *l);
void rw_lock_write(struct rw_lock *l);
void rw_unlock_write(struct rw_lock *l);
