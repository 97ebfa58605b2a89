/*
 * The threads behind io_uring and kernel AIO.  They are tasks that the process does not list: page faults and the
 * address space work in them as in any thread, signals do not find them.
 */
#include "kernel/syscall/uring/work.h"

#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/proc/task.h"
#include "kernel/sched/wait.h"

#define WORKERS_MAX 64u
#define WORKERS_DEFAULT 16u
#define IDLE_NS (2 * NS_PER_S)

static struct {
	struct spinlock lock;
	/* under lock: */
	struct list prompt, blocking;
	unsigned n_threads, n_idle, limit; /* of those for blocking work */
	struct wait_queue prompt_arrived, blocking_arrived;
	atomic_uint started; /* 0, 1: being started, 2 */
} pool = {
	.prompt = LIST_INIT(pool.prompt),
	.blocking = LIST_INIT(pool.blocking),
	.limit = WORKERS_DEFAULT,
};

static struct work *take(struct list *from)
{
	irq_state state = spin_lock(&pool.lock);
	struct list *item = list_pop_front(from);
	spin_unlock(&pool.lock, state);
	return item ? list_entry(item, struct work, link) : NULL;
}

static void prompt_thread(void *unused)
{
	(void)unused;
	for (;;) {
		struct work *w;
		while ((w = take(&pool.prompt)))
			w->run(w);
		wait_event(&pool.prompt_arrived, EVENTS_ALL, !list_empty(&pool.prompt));
	}
}

/* False: it was idle for long and goes. */
static bool wait_for_work(void)
{
	irq_state state = spin_lock(&pool.lock);
	pool.n_idle++;
	spin_unlock(&pool.lock, state);
	uint64_t deadline_ns = clock_monotonic_ns() + IDLE_NS;
	int err = wait_event_(&pool.blocking_arrived, EVENTS_ALL, !list_empty(&pool.blocking),
		deadline_ns, WAIT_EXCLUSIVE, thread_block);
	state = spin_lock(&pool.lock);
	pool.n_idle--;
	bool leave = err == -ETIMEDOUT && list_empty(&pool.blocking);
	pool.n_threads -= leave;
	spin_unlock(&pool.lock, state);
	return !leave;
}

static void blocking_thread(void *unused);

static bool start_thread(void (*entry)(void *))
{
	struct task *t = NULL;
	if (task_create("iou-wrk", entry, NULL, &t) < 0)
		return false;
	thread_start(&t->thread);
	return true;
}

/* Work waits and nobody is idle: one thread more, if there may be.  False: there is none at all. */
static bool grow(void)
{
	irq_state state = spin_lock(&pool.lock);
	bool more = !list_empty(&pool.blocking) && pool.n_idle == 0 && pool.n_threads < pool.limit;
	pool.n_threads += more;
	spin_unlock(&pool.lock, state);
	if (!more || start_thread(blocking_thread))
		return true;
	state = spin_lock(&pool.lock);
	bool any = --pool.n_threads > 0;
	spin_unlock(&pool.lock, state);
	return any;
}

static void blocking_thread(void *unused)
{
	(void)unused;
	do {
		struct work *w;
		while ((w = take(&pool.blocking))) {
			grow();
			w->run(w);
			/* A cancellation that came too late. */
			atomic_store(&thread_current()->arch.user_work, 0);
		}
	} while (wait_for_work());
	thread_exit();
}

int work_start(void)
{
	unsigned none = 0;
	if (atomic_load(&pool.started) == 2)
		return 0;
	if (!atomic_compare_exchange_strong(&pool.started, &none, 1)) {
		while (atomic_load(&pool.started) == 1)
			thread_yield();
		return atomic_load(&pool.started) == 2 ? 0 : -ENOMEM;
	}
	wait_queue_init(&pool.prompt_arrived);
	wait_queue_init(&pool.blocking_arrived);
	bool done = start_thread(prompt_thread);
	atomic_store(&pool.started, done ? 2 : 0);
	return done ? 0 : -ENOMEM;
}

void work_now(struct work *w)
{
	irq_state state = spin_lock(&pool.lock);
	list_push_back(&pool.prompt, &w->link);
	spin_unlock(&pool.lock, state);
	wait_wake(&pool.prompt_arrived, EVENTS_ALL);
}

void work_queue(struct work *w)
{
	irq_state state = spin_lock(&pool.lock);
	list_push_back(&pool.blocking, &w->link);
	spin_unlock(&pool.lock, state);
	/* Without any thread: better late here than never. */
	if (!grow() && work_cancel(w))
		w->run(w);
	wait_wake(&pool.blocking_arrived, EVENTS_ALL);
}

bool work_cancel(struct work *w)
{
	irq_state state = spin_lock(&pool.lock);
	bool queued = !list_empty(&w->link);
	list_remove(&w->link);
	spin_unlock(&pool.lock, state);
	return queued;
}

unsigned work_set_limit(unsigned n)
{
	irq_state state = spin_lock(&pool.lock);
	unsigned old = pool.limit;
	if (n)
		pool.limit = min(n, WORKERS_MAX);
	spin_unlock(&pool.lock, state);
	return old;
}
