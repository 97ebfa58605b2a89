/* Pending signals: order, what is kept and what is not, entries of timers. */
#include <stdlib.h>

#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "kernel/arch/host/host.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/proc/queue.c"

struct process process;

static struct linux_siginfo info_with(int value)
{
	struct linux_siginfo info = {.si_code = SI_QUEUE};
	info.rt.value = (uint64_t)value;
	return info;
}

static void add(struct signal_queue *q, int signal, int value)
{
	const struct linux_siginfo info = info_with(value);
	assert(signal_queue_add(q, signal, &info, NULL) == 0);
}

/* The next of mask is that signal, with that value. */
static void expect(struct signal_queue *q, uint64_t mask, int signal, int value)
{
	struct linux_siginfo info;
	memset(&info, 0, sizeof(info));
	assert(signal_queue_take(q, mask, &info) == signal);
	assert(signal == 0 || (info.si_signo == signal && (int)info.rt.value == value));
}

static void check_order(void)
{
	struct signal_queue q;
	signal_queue_init(&q);
	add(&q, SIGUSR2, 1);
	add(&q, SIGUSR2, 2); /* an ordinary signal is pending once, as it came first */
	add(&q, 40, 1);
	add(&q, 40, 2);
	add(&q, 35, 3);
	add(&q, SIGSEGV, 4);
	assert(process.n_queued == 5);
	expect(&q, ~signal_bit(SIGSEGV), SIGUSR2, 1);
	expect(&q, ~0ull, SIGSEGV, 4); /* faults before the rest */
	expect(&q, ~0ull, 35, 3);      /* lower numbers first */
	expect(&q, ~0ull, 40, 1);
	assert(q.set == signal_bit(40));
	expect(&q, ~0ull, 40, 2);
	expect(&q, ~0ull, 0, 0);
	assert(q.set == 0 && process.n_queued == 0 && list_empty(&q.entries));
}

static void check_limit(void)
{
	struct signal_queue q;
	signal_queue_init(&q);
	process.limits[RLIMIT_SIGPENDING].current = 1;
	add(&q, 40, 1);
	const struct linux_siginfo info = info_with(2);
	assert(signal_queue_add(&q, 40, &info, NULL) == -EAGAIN);
	assert(signal_queue_add(&q, SIGUSR1, &info, NULL) == 0); /* arrives, without its value */
	expect(&q, ~0ull, SIGUSR1, 0);
	signal_queue_drop(&q, signal_bit(40));
	assert(q.set == 0 && process.n_queued == 0);
	process.limits[RLIMIT_SIGPENDING].current = 1000;
}

static unsigned n_taken, n_dropped;

static void taken(struct pending_signal *p, struct linux_siginfo *info)
{
	assert(!p->queued);
	if (info)
		n_taken++;
	else
		n_dropped++;
}

static void check_entries(void)
{
	struct signal_queue q;
	static struct pending_signal entry = {.taken = taken, .info = {.si_signo = SIGALRM}};
	signal_queue_init(&q);
	assert(signal_queue_add(&q, SIGALRM, NULL, &entry) == 0 && entry.queued);
	expect(&q, ~0ull, SIGALRM, 0);
	assert(n_taken == 1 && !entry.queued);
	assert(signal_queue_add(&q, SIGALRM, NULL, &entry) == 0);
	signal_queue_clear(&q);
	assert(n_dropped == 1 && !entry.queued && q.set == 0);
}

static void check_actions(void)
{
	assert(signal_default_action(SIGSEGV) == DEFAULT_CORE);
	assert(signal_default_action(SIGTERM) == DEFAULT_TERMINATE);
	assert(signal_default_action(SIGCHLD) == DEFAULT_IGNORE);
	assert(signal_default_action(SIGTSTP) == DEFAULT_STOP);
	assert(signal_default_action(64) == DEFAULT_TERMINATE);
	assert(signal_ignored(SIGCHLD) && signal_ignored(SIGCONT) && !signal_ignored(SIGUSR1));
	process.actions[SIGUSR1].handler = SIG_IGN;
	process.actions[SIGCHLD].handler = 0x1000;
	assert(signal_ignored(SIGUSR1) && !signal_ignored(SIGCHLD));
}

int main(void)
{
	host_memory_init(64ul << 20);
	process.limits[RLIMIT_SIGPENDING].current = 1000;
	check_order();
	check_limit();
	check_entries();
	check_actions();
	return 0;
}
