/*
 * Timers.  Each CPU has a tree of those started on it.  The hardware is armed for the first one and
 * not touched again when that is stopped: at worst it interrupts for nothing.
 */
#include "kernel/sched/timer.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/upcall.h"

static struct timers {
	struct spinlock lock;
	/* under lock: */
	struct tree tree;
	struct tree_node *first;
	uint64_t armed_ns; /* 0 before the first use: nothing */
	struct timer *_Atomic running;
} aligned_to(64) timers[CPU_MAX];

static struct timer *of_node(const struct tree_node *n)
{
	return container_of(n, struct timer, node);
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	uint64_t x = of_node(a)->deadline_ns, y = of_node(b)->deadline_ns;
	return x < y ? -1 : x > y;
}

/* Under the lock, on this CPU. */
static void arm_first(struct timers *all)
{
	if (all->first == NULL)
		return;
	uint64_t deadline_ns = of_node(all->first)->deadline_ns;
	if (all->armed_ns != 0 && all->armed_ns <= deadline_ns)
		return;
	all->armed_ns = max(deadline_ns, 1ull);
	timer_arm(all->armed_ns);
}

static void take_out(struct timers *all, struct timer *t)
{
	if (all->first == &t->node)
		all->first = tree_next(&t->node);
	tree_remove(&all->tree, &t->node);
}

/* Out of the tree it is in; false when it is in none. */
bool timer_cancel(struct timer *t)
{
	for (;;) {
		unsigned cpu = atomic_load(&t->cpu);
		if (cpu == TIMER_IDLE)
			return false;
		struct timers *all = &timers[cpu];
		irq_state state = spin_lock(&all->lock);
		bool here = atomic_load(&t->cpu) == cpu;
		if (here) {
			take_out(all, t);
			atomic_store(&t->cpu, TIMER_IDLE);
		}
		spin_unlock(&all->lock, state);
		if (here)
			return true;
	}
}

void timer_init(struct timer *t, void (*fire)(struct timer *t))
{
	*t = (struct timer){.fire = fire};
	atomic_init(&t->cpu, TIMER_IDLE);
}

void timer_start(struct timer *t, uint64_t deadline_ns)
{
	for (;;) {
		timer_cancel(t);
		irq_state state = irq_save();
		unsigned cpu = cpu_id();
		struct timers *all = &timers[cpu];
		spin_lock_nested(&all->lock);
		unsigned idle = TIMER_IDLE;
		/* Somebody else may have started it meanwhile: then the later call decides. */
		bool ours = atomic_compare_exchange_strong(&t->cpu, &idle, cpu);
		if (ours) {
			atomic_store(&t->last_cpu, cpu);
			t->deadline_ns = deadline_ns;
			tree_insert(&all->tree, &t->node, compare);
			if (all->first == NULL || deadline_ns < of_node(all->first)->deadline_ns)
				all->first = &t->node;
			if (all->first == &t->node)
				arm_first(all);
		}
		spin_unlock_nested(&all->lock);
		irq_restore(state);
		if (ours)
			return;
	}
}

bool timer_stop(struct timer *t)
{
	for (;;) {
		if (timer_cancel(t))
			return true;
		struct timers *all = &timers[atomic_load(&t->last_cpu)];
		if (atomic_load(&all->running) != t)
			return false;
		while (atomic_load(&all->running) == t)
			cpu_relax();
	}
}

/* The first timer if it is due, marked as running; otherwise the hardware is armed for it. */
static struct timer *take_due(struct timers *all)
{
	spin_lock_nested(&all->lock);
	struct timer *t = all->first == NULL ? NULL : of_node(all->first);
	if (t != NULL && t->deadline_ns <= clock_monotonic_ns()) {
		atomic_store(&all->running, t); /* before it looks stopped */
		take_out(all, t);
		atomic_store(&t->cpu, TIMER_IDLE);
	} else {
		t = NULL;
		all->armed_ns = 0;
		arm_first(all);
	}
	spin_unlock_nested(&all->lock);
	return t;
}

void timer_run(void)
{
	struct timers *all = &timers[cpu_id()];
	struct timer *t;
	while ((t = take_due(all)) != NULL) {
		t->fire(t);
		atomic_store(&all->running, NULL);
	}
}
