/* Threads, sleep and wake, preemption, timers, wait queues and locks on the host's one CPU and its virtual clock. */
#include <stdlib.h>
#include <string.h>

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/format.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page.h"
#include "kernel/sched/lock.h"
#include "kernel/sched/timer.h"

static char trace[4096];
static struct text out;

static void note(char c)
{
	text_add(&out, "%c", c);
}

static void check_trace(const char *expected)
{
	if (strcmp(trace, expected) != 0)
		panic("'%s', not '%s'", trace, expected);
	text_init(&out, trace, sizeof(trace));
}

static unsigned n_destroyed;

static void destroyed(struct thread *t)
{
	(void)t;
	n_destroyed++;
}

static struct thread *start(void (*entry)(void *), void *arg)
{
	const struct thread_request r = {.size = sizeof(struct thread) + 100,
		.name = "child",
		.entry = entry,
		.arg = arg,
		.destroy = destroyed};
	struct thread *t = NULL;
	assert(thread_create(&r, &t) == 0 && strcmp(t->name, "child") == 0);
	thread_get(t);
	thread_start(t);
	return t;
}

static void join(struct thread *t)
{
	while (atomic_load(&t->state) != THREAD_DEAD)
		(void)thread_block(clock_monotonic_ns() + 1000);
	thread_put(t);
}

/* --- threads ----------------------------------------------------------------------------------------- */

static void yielder(void *arg)
{
	for (int i = 0; i < 3; i++) {
		note(*(char *)arg);
		thread_yield();
	}
	thread_exit();
}

static void sleeper(void *arg)
{
	int err = thread_block(*(uint64_t *)arg);
	note(err == 0 ? 'w' : err == -ETIMEDOUT ? 't' : '?');
	err = thread_block_interruptible(NO_DEADLINE);
	note(err == -EINTR ? 'i' : '?');
	thread_exit();
}

static void check_threads(void)
{
	struct thread *a = start(yielder, "a"), *b = start(yielder, "b");
	join(a);
	join(b);
	check_trace("ababab");
	assert(n_destroyed == 2);

	/* A timeout, then a signal; a wake, then a signal. */
	uint64_t deadline = clock_monotonic_ns() + 5000, start_ns = clock_monotonic_ns();
	a = start(sleeper, &deadline);
	assert(thread_block(deadline + 1000) == -ETIMEDOUT &&
		clock_monotonic_ns() == start_ns + 6000);
	check_trace("t");
	thread_notify(a, WORK_SIGNAL);
	join(a);
	check_trace("i");
	deadline = NO_DEADLINE;
	a = start(sleeper, &deadline);
	thread_yield();
	thread_wake(a);
	thread_yield();
	check_trace("w");
	thread_notify(a, WORK_EXIT);
	join(a);
	check_trace("i");
	/* Woken before it sleeps: it does not sleep. */
	thread_wake(thread_current());
	assert(thread_block(NO_DEADLINE) == 0);
	/* Never started. */
	const struct thread_request r = {
		.size = sizeof(struct thread), .name = "x", .entry = yielder};
	assert(thread_create(&r, &a) == 0);
	thread_put(a);
}

static void quick(void *arg)
{
	(void)arg;
	thread_exit();
}

/* Nobody holds a reference; stacks and memory come back. */
static void check_many(void)
{
	struct memory_usage before, after;
	for (int round = 0; round < 3; round++) {
		if (round == 1)
			page_usage(&before);
		for (int i = 0; i < 100; i++)
			thread_put(start(quick, NULL));
		for (int i = 0; i < 5; i++)
			thread_yield();
	}
	page_usage(&after);
	assert(before.stacks == after.stacks &&
		before.free + before.heap == after.free + after.heap);
	/* Each allocation of a creation fails once. */
	for (long k = 0; k < 12; k++) {
		const struct thread_request r = {.size = 3000, .name = "x", .entry = quick};
		struct thread *t = NULL;
		page_alloc_fail_after(k);
		int err = thread_create(&r, &t);
		page_alloc_fail_after(-1);
		assert(err == 0 || err == -ENOMEM);
		if (err == 0)
			thread_put(t);
	}
}

/* Two threads in the program, one CPU: a slice each. */
static void spinner(void *arg)
{
	for (int i = 0; i < 12; i++) {
		note(*(char *)arg);
		host_advance(NS_PER_MS);
		thread_preempt();
	}
	thread_exit();
}

static void check_slices(void)
{
	struct thread *a = start(spinner, "a"), *b = start(spinner, "b");
	thread_put(a);
	while (atomic_load(&b->state) != THREAD_DEAD)
		(void)thread_block(clock_monotonic_ns() + 100 * NS_PER_MS);
	check_trace("aaaabbbbaaaabbbbaaaabbbb");
	uint64_t user = 0, system = 0;
	thread_times(b, &user, &system);
	assert(user + system == 12 * NS_PER_MS);
	thread_put(b);
	struct sched_usage u;
	sched_usage(0, &u);
	assert(u.n_switches > 10 && u.idle_ns > 0 && u.user_ns + u.system_ns >= 24 * NS_PER_MS);
}

/* --- timers ------------------------------------------------------------------------------------------- */

static struct timer timers[50];
static uint64_t last_fired_ns;
static unsigned n_fired;

static void fire(struct timer *t)
{
	assert(!irq_enabled());
	assert(t->deadline_ns >= last_fired_ns && clock_monotonic_ns() >= t->deadline_ns);
	last_fired_ns = t->deadline_ns;
	n_fired++;
	if (t == &timers[0] && n_fired < 200)
		timer_start(t, t->deadline_ns + 7);
}

static void check_timers(void)
{
	for (unsigned i = 0; i < array_size(timers); i++)
		timer_init(&timers[i], fire);
	for (int round = 0; round < 200; round++) {
		uint64_t now = clock_monotonic_ns();
		unsigned n_armed = 0;
		n_fired = 0;
		for (unsigned i = 1; i < array_size(timers); i++) {
			timer_start(&timers[i], now + (uint64_t)rand() % 1000);
			if (rand() % 3 == 0)
				timer_start(&timers[i], now + (uint64_t)rand() % 2000);
			if (rand() % 3 == 0)
				assert(timer_stop(&timers[i]) && !timer_stop(&timers[i]));
			else
				n_armed++;
		}
		last_fired_ns = 0;
		host_advance(3000);
		assert(n_fired == n_armed);
		for (unsigned i = 1; i < array_size(timers); i++)
			assert(timers[i].cpu == TIMER_IDLE && !timer_stop(&timers[i]));
	}
	n_fired = 0;
	last_fired_ns = 0;
	timer_start(&timers[0], 0); /* passed long ago: at once */
	host_advance(0);
	assert(n_fired >= 1);
	host_advance(200 * 7);
	assert(timer_stop(&timers[0]) || n_fired == 200);
}

/* --- wait queues and locks ------------------------------------------------------------------------------ */

static struct wait_queue queue;
static int tokens;

static void consumer(void *arg)
{
	int err = wait_event_exclusive(&queue, 1, tokens > 0, *(uint64_t *)arg);
	if (err == 0)
		tokens--;
	note(err == 0 ? 'c' : err == -ETIMEDOUT ? 't' : 'i');
	thread_exit();
}

static void watcher(void *arg)
{
	(void)arg;
	wait_event(&queue, 2, tokens == 100);
	note('W');
	thread_exit();
}

static void check_wait(void)
{
	uint64_t never = NO_DEADLINE, soon = clock_monotonic_ns() + 50;
	struct thread *c[4];
	wait_queue_init(&queue);
	wait_wake(&queue, EVENTS_ALL);
	struct thread *w = start(watcher, NULL);
	for (int i = 0; i < 3; i++)
		c[i] = start(consumer, &never);
	c[3] = start(consumer, &soon);
	thread_yield();
	tokens = 1;
	wait_wake(&queue, 2); /* not for consumers */
	thread_yield();
	check_trace("");
	wait_wake(&queue, 1); /* one of them */
	thread_yield();
	check_trace("c");
	tokens = 2;
	wait_wake_all(&queue, 1);
	thread_yield();
	check_trace("cc");
	host_advance(100);
	thread_yield();
	check_trace("t");
	tokens = 100;
	wait_wake(&queue, 2 | 1);
	join(w);
	check_trace("W");
	for (int i = 0; i < 4; i++)
		join(c[i]);
	assert(list_empty(&queue.waiters));

	/* A signal takes the one that was woken: the next one gets the event. */
	tokens = 0;
	c[0] = start(consumer, &never);
	c[1] = start(consumer, &never);
	thread_yield();
	wait_wake(&queue, 1);
	thread_notify(c[0], WORK_SIGNAL);
	thread_yield();
	tokens = 1;
	thread_yield();
	check_trace("ic");
	join(c[0]);
	join(c[1]);
}

static struct mutex mutex;
static struct rw_lock rw;
static int inside, n_inside_most;

static void mutex_user(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		mutex_lock(&mutex);
		assert(inside++ == 0);
		if (rand() % 2)
			thread_yield();
		inside--;
		mutex_unlock(&mutex);
		if (rand() % 3 == 0)
			thread_yield();
	}
	thread_exit();
}

static void rw_user(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		if (rand() % 3) {
			rw_lock_read(&rw);
			assert(inside >= 0);
			inside++;
			n_inside_most = max(n_inside_most, inside);
			thread_yield();
			inside--;
			rw_unlock_read(&rw);
		} else {
			rw_lock_write(&rw);
			assert(inside == 0);
			inside = -1;
			thread_yield();
			inside = 0;
			rw_unlock_write(&rw);
		}
	}
	thread_exit();
}

static void check_locks(void)
{
	struct thread *t[8];
	mutex_init(&mutex);
	rw_lock_init(&rw);
	for (int i = 0; i < 8; i++)
		t[i] = start(mutex_user, NULL);
	for (int i = 0; i < 8; i++)
		join(t[i]);
	assert(mutex_try_lock(&mutex) && !mutex_try_lock(&mutex));
	mutex_unlock(&mutex);
	for (int i = 0; i < 8; i++)
		t[i] = start(rw_user, NULL);
	for (int i = 0; i < 8; i++)
		join(t[i]);
	assert(n_inside_most > 1 && rw.readers == 0 && rw.writers_waiting == 0);
}

static void tests(void *unused)
{
	(void)unused;
	text_init(&out, trace, sizeof(trace));
	check_threads();
	check_many();
	check_slices();
	check_timers();
	check_wait();
	check_locks();
}

int main(void)
{
	host_run(tests, NULL);
	return 0;
}
