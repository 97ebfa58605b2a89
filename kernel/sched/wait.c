/*
 * Wait queues.  Adding a waiter and looking at the condition on one side, changing the condition and
 * looking for waiters on the other: a full barrier in between on both, so at least one sees the other.
 */
#include "kernel/sched/wait.h"

void wait_queue_init(struct wait_queue *q)
{
	*q = (struct wait_queue){0};
	list_init(&q->waiters);
#ifdef DEBUG
	lock_check_name(&q->lock, __builtin_return_address(0));
#endif
}

void wait_add(struct wait_queue *q, struct waiter *w)
{
	irq_state state = spin_lock(&q->lock);
	if (w->flags & WAIT_EXCLUSIVE)
		list_push_back(&q->waiters, &w->link);
	else
		list_push_front(&q->waiters, &w->link);
	spin_unlock(&q->lock, state);
	atomic_thread_fence(memory_order_seq_cst);
}

void wait_remove(struct wait_queue *q, struct waiter *w)
{
	irq_state state = spin_lock(&q->lock);
	list_remove(&w->link);
	spin_unlock(&q->lock, state);
}

/* An exclusive waiter goes off the queue: the next event is for the next one. */
static bool wake_thread(struct waiter *w, unsigned events)
{
	(void)events;
	if (w->flags & WAIT_EXCLUSIVE)
		list_remove(&w->link);
	thread_wake(w->thread);
	return true;
}

void waiter_init_thread(struct waiter *w, unsigned events, unsigned flags)
{
	*w = (struct waiter){
		.flags = flags,
		.events = events,
		.wake = wake_thread,
		.thread = thread_current(),
	};
	list_init(&w->link);
}

void wait_renew(struct wait_queue *q, struct waiter *w)
{
	if (!(w->flags & WAIT_EXCLUSIVE))
		return;
	irq_state state = spin_lock(&q->lock);
	if (list_empty(&w->link))
		list_push_back(&q->waiters, &w->link);
	spin_unlock(&q->lock, state);
	atomic_thread_fence(memory_order_seq_cst);
}

void wait_finish(struct wait_queue *q, struct waiter *w, int result)
{
	irq_state state = spin_lock(&q->lock);
	bool woken = list_empty(&w->link);
	list_remove(&w->link);
	spin_unlock(&q->lock, state);
	if (woken && result < 0)
		wait_wake(q, w->events);
}

static void wake_up(struct wait_queue *q, unsigned events, bool all)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (__atomic_load_n(&q->waiters.next, __ATOMIC_RELAXED) == &q->waiters)
		return;
	irq_state state = spin_lock(&q->lock);
	/* Those woken want this lock next: they start when it is free, and kicking them takes long under a hypervisor. */
	kicks_hold();
	struct waiter *w, *next;
	list_for_each_safe (w, next, &q->waiters, link) {
		if (!(w->events & events))
			continue;
		bool exclusive = w->flags & WAIT_EXCLUSIVE;
		if (w->wake(w, events) && exclusive && !all)
			break;
	}
	spin_unlock(&q->lock, state);
	kicks_release();
}

void wait_wake(struct wait_queue *q, unsigned events)
{
	wake_up(q, events, false);
}

void wait_wake_all(struct wait_queue *q, unsigned events)
{
	wake_up(q, events, true);
}
