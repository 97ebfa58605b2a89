/*
 * The submission thread.  It looks at the queue for a while after each submission, giving way to others in between,
 * then says that it needs waking and sleeps.  On a machine with one CPU it would only take the program's time by
 * looking, so it sleeps at once.
 */
#include "kernel/syscall/uring/sq_thread.h"

#include "kernel/arch/timer.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/task.h"

#define IDLE_DEFAULT_MS 1000u

struct sq_thread {
	struct task *task;
	uint64_t idle_ns;
	atomic_bool stop, ended;
	struct wait_queue wake, gone;
};

static bool anything(struct uring *u)
{
	return !u->disabled && u->header->sq_tail != u->header->sq_head;
}

static bool work_once(struct uring *u)
{
	bool any = false;
	if (anything(u)) {
		mutex_lock(&u->submit);
		any = uring_submit(u, u->sq_entries) > 0;
		mutex_unlock(&u->submit);
	}
	if (!list_empty(&u->ready)) {
		uring_run_ready(u);
		any = true;
	}
	cqe_flush_overflow(u);
	return any;
}

static void sleep_until_woken(struct uring *u, struct sq_thread *s)
{
	atomic_fetch_or(&u->header->sq_flags, IORING_SQ_NEED_WAKEUP);
	atomic_thread_fence(memory_order_seq_cst);
	/* What came before the flag was seen is found here. */
	wait_event(&s->wake, EVENTS_ALL, s->stop || anything(u));
	atomic_fetch_and(&u->header->sq_flags, ~IORING_SQ_NEED_WAKEUP);
}

static void sq_main(void *arg)
{
	struct uring *u = arg;
	struct sq_thread *s = u->sq_thread;
	uint64_t idle_at_ns = clock_monotonic_ns() + s->idle_ns;
	while (!s->stop) {
		if (work_once(u))
			idle_at_ns = clock_monotonic_ns() + s->idle_ns;
		else if (clock_monotonic_ns() >= idle_at_ns)
			sleep_until_woken(u, s);
		else
			thread_yield();
	}
	atomic_store(&s->ended, true);
	wait_wake_all(&s->gone, EVENTS_ALL);
	thread_exit();
}

int sq_thread_start(struct uring *u, const struct linux_uring_params *p)
{
	struct sq_thread *s = heap_zalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	wait_queue_init(&s->wake);
	wait_queue_init(&s->gone);
	s->idle_ns = (p->sq_thread_idle ? p->sq_thread_idle : IDLE_DEFAULT_MS) * NS_PER_MS;
	if (cpu_count() == 1)
		s->idle_ns = 0;
	u->sq_thread = s;
	int err = task_create("iou-sqp", sq_main, u, &s->task);
	if (err < 0) {
		u->sq_thread = NULL;
		heap_free(s);
		return err;
	}
	if (p->flags & IORING_SETUP_SQ_AFF)
		s->task->thread.affinity = 1ull << p->sq_thread_cpu;
	thread_get(&s->task->thread);
	thread_start(&s->task->thread);
	return 0;
}

void sq_thread_stop(struct uring *u)
{
	struct sq_thread *s = u->sq_thread;
	if (!s)
		return;
	s->stop = true;
	wait_wake_all(&s->wake, EVENTS_ALL);
	wait_event(&s->gone, EVENTS_ALL, s->ended);
	u->sq_thread = NULL;
	thread_put(&s->task->thread);
	heap_free(s);
}

long sq_thread_enter(struct uring *u, unsigned n, unsigned flags)
{
	struct sq_thread *s = u->sq_thread;
	if (!s)
		return -EOWNERDEAD;
	if (flags & IORING_ENTER_SQ_WAKEUP)
		wait_wake(&s->wake, EVENTS_ALL);
	if (flags & IORING_ENTER_SQ_WAIT) {
		int err = wait_event_interruptible(&u->waiters, EVENTS_ALL,
			u->header->sq_tail - u->header->sq_head < u->sq_entries, NO_DEADLINE);
		if (err < 0)
			return err;
	}
	return n;
}
