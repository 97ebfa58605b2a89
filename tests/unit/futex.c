/* futex(2) on the host port, where user memory is the test's own. */
#include <stdlib.h>

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/assert.h"
#include "kernel/sched/futex.h"
#include "kernel/sched/thread.h"

static uint32_t words[4];
static int n_woken, n_again, n_timeouts, n_interrupted;

static user_addr word(unsigned i)
{
	return user_at((uintptr_t)&words[i]);
}

struct wait {
	unsigned word;
	uint32_t mask;
	uint64_t deadline_ns;
};

static void waiter(void *arg)
{
	const struct wait *w = arg;
	switch (futex_wait(word(w->word), FUTEX_KEY_PRIVATE, 0, w->mask, w->deadline_ns)) {
	case 0:
		n_woken++;
		break;
	case -EAGAIN:
		n_again++;
		break;
	case -ETIMEDOUT:
		n_timeouts++;
		break;
	case -EINTR:
		n_interrupted++;
		break;
	default:
		panic("futex_wait()");
	}
	thread_exit();
}

static struct thread *start(void (*entry)(void *), void *arg)
{
	const struct thread_request r = {
		.size = sizeof(struct thread), .name = "w", .entry = entry, .arg = arg};
	struct thread *t = NULL;
	assert(thread_create(&r, &t) == 0);
	thread_start(t);
	return t;
}

static void settle(void)
{
	for (int i = 0; i < 3; i++)
		thread_yield();
}

static void check_wake(void)
{
	static struct wait all = {0, ~0u, NO_DEADLINE}, some = {0, 6, NO_DEADLINE},
			   other = {1, ~0u, NO_DEADLINE};
	assert(futex_wake(word(0), 0, 1, ~0u) == 0);
	for (int i = 0; i < 4; i++)
		start(waiter, &all);
	start(waiter, &other);
	settle();
	assert(futex_wake(word(0), 0, 1, ~0u) == 1 && futex_wake(word(0), 0, 2, ~0u) == 2);
	settle();
	assert(n_woken == 3);
	assert(futex_wake(word(0), 0, 100, ~0u) == 1 && futex_wake(word(1), 0, 100, ~0u) == 1);
	settle();
	assert(n_woken == 5);
	start(waiter, &some);
	settle();
	assert(futex_wake(word(0), 0, 1, 8) == 0 && futex_wake(word(0), 0, 1, 4) == 1);
	settle();
	assert(n_woken == 6);
}

static void check_endings(void)
{
	struct wait w = {0, ~0u, clock_monotonic_ns() + 1000};
	start(waiter, &w);
	settle();
	host_advance(2000);
	settle();
	assert(n_timeouts == 1);
	w.deadline_ns = NO_DEADLINE;
	struct thread *t = start(waiter, &w);
	settle();
	thread_notify(t, WORK_SIGNAL);
	settle();
	assert(n_interrupted == 1);
	words[0] = 1;
	assert(futex_wait(word(0), 0, 0, ~0u, NO_DEADLINE) == -EAGAIN);
	words[0] = 0;
	assert(futex_wait(user_at((uintptr_t)words + 1), 0, 0, ~0u, NO_DEADLINE) == -EINVAL);
	assert(futex_wait(user_at(8), 0, 0, ~0u, NO_DEADLINE) == -EFAULT);
	assert(futex_wait(word(0), 0, 0, 0, NO_DEADLINE) == -EINVAL);
	assert(futex_wake(word(0), 0, 0, 0) == -EINVAL);
	assert(futex_wake(word(0), 0, 1, ~0u) == 0);
}

static void check_requeue(void)
{
	static struct wait w = {0, ~0u, NO_DEADLINE};
	n_woken = 0;
	for (int i = 0; i < 6; i++)
		start(waiter, &w);
	settle();
	uint32_t expected = 5;
	assert(futex_requeue(word(0), word(2), 0, 1, 3, &expected) == -EAGAIN);
	expected = 0;
	assert(futex_requeue(word(0), word(2), 0, 1, 3, &expected) == 4);
	settle();
	assert(n_woken == 1);
	assert(futex_wake(word(2), 0, 100, ~0u) == 3 && futex_wake(word(0), 0, 100, ~0u) == 2);
	settle();
	assert(n_woken == 6);
	/* Onto itself. */
	start(waiter, &w);
	settle();
	assert(futex_requeue(word(0), word(0), 0, 0, 10, NULL) == 1);
	assert(futex_wake(word(0), 0, 100, ~0u) == 1);
	settle();
	/* A requeued one times out from its new place. */
	w.deadline_ns = clock_monotonic_ns() + 500;
	start(waiter, &w);
	settle();
	assert(futex_requeue(word(0), word(3), 0, 0, 10, NULL) == 1);
	host_advance(1000);
	settle();
	assert(n_timeouts == 2 && futex_wake(word(3), 0, 100, ~0u) == 0);
}

static uint32_t op(unsigned op, unsigned cmp, unsigned arg, unsigned cmp_arg)
{
	return op << 28 | cmp << 24 | (arg & 0xfff) << 12 | (cmp_arg & 0xfff);
}

static void check_wake_op(void)
{
	static struct wait a = {0, ~0u, NO_DEADLINE}, b = {1, ~0u, NO_DEADLINE};
	start(waiter, &a);
	start(waiter, &b);
	settle();
	words[1] = 5;
	/* ADD 3, if old == 6: only the first. */
	assert(futex_wake_op(word(0), word(1), 0, 1, 1, op(1, 0, 3, 6)) == 1 && words[1] == 8);
	/* SET -1, if old > -2: the second. */
	assert(futex_wake_op(word(0), word(1), 0, 1, 1, op(0, 4, 0xfff, 0xffe)) == 1 &&
		words[1] == ~0u);
	/* ANDN 1 << 4. */
	assert(futex_wake_op(word(0), word(1), 0, 1, 1, op(3 | 8, 0, 4, 0)) == 0 &&
		words[1] == ~0x10u);
	assert(futex_wake_op(word(0), word(1), 0, 1, 1, op(7, 0, 4, 0)) == -ENOSYS);
	assert(futex_wake_op(word(0), user_at(4), 0, 1, 1, op(0, 0, 0, 0)) == -EFAULT);
	settle();
}

static void tests(void *unused)
{
	(void)unused;
	check_wake();
	check_endings();
	check_requeue();
	check_wake_op();
}

int main(void)
{
	host_run(tests, NULL);
	return 0;
}
