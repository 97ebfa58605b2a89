/* Threads: life, sleep and wake.  Where they run is run_queue.c's. */
#include "kernel/sched/thread.h"
#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/timer.h"

/* --- life ----------------------------------------------------------------------------------------- */

int thread_create(const struct thread_request *r, struct thread **out)
{
	assert(r->size >= sizeof(struct thread));
	struct thread *t = heap_zalloc(r->size);
	if (t == NULL)
		return -ENOMEM;
	t->kernel_stack = stack_alloc();
	if (t->kernel_stack == NULL)
		goto free_thread;
	int err = thread_arch_init(&t->arch, t->kernel_stack, r->entry, r->arg);
	if (err < 0)
		goto free_stack;
	atomic_init(&t->state, THREAD_NEW);
	atomic_init(&t->references, 1);
	string_copy(t->name, r->name, sizeof(t->name));
	t->destroy = r->destroy;
	list_init(&t->run_link);
	irq_state state = irq_save();
	t->cpu = cpu_id();
	irq_restore(state);
	t->affinity = UINT64_MAX;
	*out = t;
	return 0;

free_stack:
	stack_free(t->kernel_stack);
free_thread:
	heap_free(t);
	return -ENOMEM;
}

void thread_start(struct thread *t)
{
	assert(atomic_load(&t->state) == THREAD_NEW);
	atomic_store(&t->state, THREAD_RUNNING);
	run_queue_add(t);
}

/* The reference that running is goes here; without others the memory goes after the switch. */
_Noreturn void thread_exit(void)
{
	struct thread *self = thread_current();
	lock_check_none("a thread ends with a lock held");
	if (atomic_fetch_sub(&self->references, 1) == 1) {
		if (self->destroy != NULL)
			self->destroy(self);
		self->orphan = true;
	}
	irq_disable();
	atomic_store(&self->state, THREAD_DEAD);
	run_queue_leave(self);
	panic("a dead thread runs");
}

void thread_put(struct thread *t)
{
	if (atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) != 1)
		return;
	if (t->destroy != NULL)
		t->destroy(t);
	/* It may be a few instructions short of leaving its stack. */
	while (atomic_load_explicit(&t->on_cpu, memory_order_acquire))
		cpu_relax();
	if (t->kernel_stack != NULL)
		stack_free(t->kernel_stack);
	thread_arch_destroy(&t->arch);
	heap_free(t);
}

/* --- sleep and wake ---------------------------------------------------------------------------------- */

struct sleep_timer {
	struct timer timer;
	struct thread *thread;
	atomic_bool fired;
};

static void sleep_over(struct timer *t)
{
	struct sleep_timer *s = container_of(t, struct sleep_timer, timer);
	atomic_store(&s->fired, true);
	thread_wake(s->thread);
}

static void block(struct thread *self)
{
	/* Off: somebody would sleep with a spinlock held. */
	assert(irq_enabled());
	lock_check_block();
	irq_disable();
	enum thread_state expected = THREAD_RUNNING;
	if (atomic_compare_exchange_strong(&self->state, &expected, THREAD_BLOCKED)) {
		self->n_voluntary++;
		run_queue_leave(self);
	} else {
		atomic_store(&self->state, THREAD_RUNNING);
	}
	irq_enable();
}

static int block_until(struct thread *self, uint64_t deadline_ns)
{
	struct sleep_timer s = {.thread = self};
	timer_init(&s.timer, sleep_over);
	timer_start(&s.timer, deadline_ns);
	block(self);
	timer_stop(&s.timer);
	return atomic_load(&s.fired) ? -ETIMEDOUT : 0;
}

int thread_block(uint64_t deadline_ns)
{
	struct thread *self = thread_current();
	if (deadline_ns != NO_DEADLINE)
		return block_until(self, deadline_ns);
	block(self);
	return 0;
}

bool thread_interrupted(void)
{
	unsigned work = atomic_load(&thread_current()->arch.user_work);
	return (work & (WORK_SIGNAL | WORK_EXIT)) != 0;
}

int thread_block_interruptible(uint64_t deadline_ns)
{
	if (thread_current()->no_wait)
		return -EAGAIN;
	if (thread_interrupted())
		return -EINTR;
	int err = thread_block(deadline_ns);
	return thread_interrupted() ? -EINTR : err;
}

/* Whether it slept. */
static bool wake_up(struct thread *t)
{
	enum thread_state state = atomic_load(&t->state);
	for (;;) {
		switch (state) {
		case THREAD_BLOCKED:
			if (!atomic_compare_exchange_weak(&t->state, &state, THREAD_RUNNING))
				continue;
			run_queue_add(t);
			return true;
		case THREAD_RUNNING:
			if (!atomic_compare_exchange_weak(&t->state, &state, THREAD_WOKEN))
				continue;
			return false;
		default:
			return false;
		}
	}
}

void thread_wake(struct thread *t)
{
	wake_up(t);
}

void thread_notify(struct thread *t, unsigned work)
{
	atomic_fetch_or(&t->arch.user_work, work);
	if (wake_up(t))
		return;
	irq_state state = irq_save();
	unsigned cpu = *(volatile unsigned *)&t->cpu;
	if (atomic_load(&t->on_cpu) && cpu != cpu_id())
		cpu_kick(cpu);
	irq_restore(state);
}

/* --- giving way --------------------------------------------------------------------------------------- */

void thread_yield(void)
{
	irq_state state = irq_save();
	run_queue_yield(thread_current());
	irq_restore(state);
}

void thread_preempt(void)
{
	struct thread *self = thread_current();
	if (!(atomic_load(&self->arch.user_work) & WORK_RESCHEDULE))
		return;
	atomic_fetch_and(&self->arch.user_work, ~WORK_RESCHEDULE);
	thread_yield();
}

int thread_set_affinity(struct thread *t, uint64_t cpus)
{
	unsigned n = cpu_possible();
	if (n < 64)
		cpus &= (1ull << n) - 1;
	if (cpus == 0)
		return -EINVAL;
	atomic_store(&t->affinity, cpus);
	/* Its next way back into the program moves it. */
	if (!(cpus & 1ull << t->cpu)) {
		if (t == thread_current())
			atomic_fetch_or(&t->arch.user_work, WORK_RESCHEDULE);
		else
			thread_notify(t, WORK_RESCHEDULE);
	}
	return 0;
}

void thread_times(struct thread *t, uint64_t *user_ns, uint64_t *system_ns)
{
	uint64_t total_ns = atomic_load(&t->run_ns);
	/* Since it was last added up; 0 unless it runs, or idles on its own stack. */
	uint64_t since = atomic_load(&t->accounted_ns), now = clock_monotonic_ns();
	enum thread_state state = atomic_load(&t->state);
	if (atomic_load(&t->on_cpu) && state != THREAD_BLOCKED && now > since)
		total_ns += now - since;
	cpu_time_divide(&t->split, total_ns, user_ns, system_ns);
}
