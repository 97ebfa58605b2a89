/*
 * Wait queues: where something announces that it changed.  Threads sleep on them; epoll and poll hang
 * watchers on them.  One queue per object; the event mask (EPOLLIN, ...) keeps readers and writers apart.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/lib/list.h"

struct thread;
struct wait_queue;

#define WAIT_EXCLUSIVE 1u /* at most one of these is woken per wait_wake_one() */
#define EVENTS_ALL (~0u)

/* One waiter.  wake is called under the queue's lock, interrupts off, in any context; returns
 * whether it took the event (only counts for exclusive ones).  It may not touch this queue. */
struct waiter {
	struct list link;
	unsigned flags;
	unsigned events; /* woken only when one of these is announced */
	bool (*wake)(struct waiter *w, unsigned events);
	struct thread *thread; /* of the default wake */
};

struct wait_queue {
	struct spinlock lock;
	struct list waiters; /* under lock: exclusive ones at the back */
};

void wait_queue_init(struct wait_queue *q);
/* Add and remove.  After wait_remove() returns, wake is not running and will not be called. */
void wait_add(struct wait_queue *q, struct waiter *w);
void wait_remove(struct wait_queue *q, struct waiter *w);
/* A waiter that wakes the current thread.  An exclusive one leaves the queue when it is woken. */
void waiter_init_thread(struct waiter *w, unsigned events, unsigned flags);
/* Back onto the queue, if being woken took it off: before the condition is looked at again. */
void wait_renew(struct wait_queue *q, struct waiter *w);
/* wait_remove(); and when result is an error although w was woken, wake the next one instead. */
void wait_finish(struct wait_queue *q, struct waiter *w, int result);

/* Tell all whose mask meets events; of the exclusive ones, the first that takes it.  Any context.
 * Cheap when nobody waits. */
void wait_wake(struct wait_queue *q, unsigned events);
/* Tell all, exclusive ones too. */
void wait_wake_all(struct wait_queue *q, unsigned events);

/*
 * Sleep on q until condition holds.  Evaluates condition without any lock; result 0, -EINTR,
 * -ETIMEDOUT in `result`.
 */
#define wait_event_(q, mask, condition, deadline_ns, wait_flags, block)                            \
	({                                                                                         \
		int wait_result_ = 0;                                                              \
		if (!(condition)) {                                                                \
			struct waiter waiter_;                                                     \
			waiter_init_thread(&waiter_, (mask), (wait_flags));                        \
			wait_add((q), &waiter_);                                                   \
			while (!(condition)) {                                                     \
				wait_result_ = block(deadline_ns);                                 \
				if (wait_result_ < 0) {                                            \
					if (condition)                                             \
						wait_result_ = 0;                                  \
					break;                                                     \
				}                                                                  \
				wait_renew((q), &waiter_);                                         \
			}                                                                          \
			wait_finish((q), &waiter_, wait_result_);                                  \
		}                                                                                  \
		wait_result_;                                                                      \
	})
#define wait_event(q, mask, condition)                                                             \
	(void)wait_event_(q, mask, condition, NO_DEADLINE, 0, thread_block)
#define wait_event_interruptible(q, mask, condition, deadline_ns)                                  \
	wait_event_(q, mask, condition, deadline_ns, 0, thread_block_interruptible)
#define wait_event_exclusive(q, mask, condition, deadline_ns)                                      \
	wait_event_(q, mask, condition, deadline_ns, WAIT_EXCLUSIVE, thread_block_interruptible)

#include "kernel/sched/thread.h"
