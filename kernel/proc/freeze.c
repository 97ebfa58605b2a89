/* All threads to the border, and back. */
#include "kernel/proc/freeze.h"

#include "kernel/arch/inspect.h"
#include "kernel/arch/timer.h"
#include "kernel/proc/signal.h"

#define PATIENCE_NS NS_PER_S
#define ROUND_NS (5 * NS_PER_MS)

const struct program_watcher *program_watcher;

static struct wait_queue parked = {SPINLOCK_INIT, LIST_INIT(parked.waiters)};

/* Tell those that are on their way; how many are. */
static unsigned remind(void)
{
	unsigned n = 0;
	irq_state state = spin_lock(&process.lock);
	struct task *t;
	list_for_each (t, &process.tasks, link)
		if (&t->thread != thread_current() && !t->parked) {
			thread_notify(&t->thread, WORK_SIGNAL);
			n++;
		}
	spin_unlock(&process.lock, state);
	return n;
}

unsigned process_freeze(void)
{
	atomic_store(&process.frozen, true);
	uint64_t give_up_ns = clock_monotonic_ns() + PATIENCE_NS;
	struct waiter w;
	waiter_init_thread(&w, EVENTS_ALL, 0);
	wait_add(&parked, &w);
	while (remind() > 0 && clock_monotonic_ns() < give_up_ns)
		(void)thread_block(clock_monotonic_ns() + ROUND_NS);
	wait_remove(&parked, &w);
	return process.n_tasks;
}

void process_thaw(void)
{
	atomic_store(&process.frozen, false);
	wait_wake_all(&process.continued, EVENTS_ALL);
}

static bool must_go(const struct task *t)
{
	return !(atomic_load(&process.frozen) || t->held) ||
	       (atomic_load(&t->thread.arch.user_work) & WORK_EXIT) ||
	       ((t->pending.set | process.pending.set) & signal_bit(SIGKILL));
}

void freeze_wait(struct task *t)
{
	if (must_go(t))
		return;
	inspect_save();
	atomic_store(&t->parked, true);
	wait_wake_all(&parked, EVENTS_ALL);
	wait_event(&process.continued, EVENTS_ALL, must_go(t));
	atomic_store(&t->parked, false);
	inspect_watch_here();
	if (t->changed_outside) {
		t->changed_outside = false;
		inspect_load();
	}
}
