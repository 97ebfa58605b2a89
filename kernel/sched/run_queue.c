/*
 * Run queues: one per CPU, first in, first out.
 *
 * Rules.  A CPU holds its queue's lock across a switch, so under that lock on_cpu says whether the
 * thread's stack is free to run on.  A thread woken while it is still on its CPU goes to that CPU's
 * queue; otherwise to its last CPU if that is idle, else to an idle one, else to the last.
 *
 * A CPU with nothing to do idles on the stack of the thread that blocked last: when that one is
 * woken next, which is what a server does, there is no switch at all.  Only dead and leaving
 * threads make way for the idle thread.
 *
 * No tick: a timer for the end of the slice is started when somebody waits behind a running thread, and one that
 * samples where CPU time goes when a thread begins to run; that one ends with the first sample of an idle CPU.
 */
#include "kernel/sched/run_queue.h"
#include "kernel/arch/timer.h"
#include "kernel/arch/upcall.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/timer.h"

#define SLICE_NS (4 * NS_PER_MS)
#define RR_SLICE_NS (100 * NS_PER_MS) /* sched_rr_get_interval(2) */

static struct run_queue {
	struct spinlock lock;
	/* under lock: */
	struct list ready;
	atomic_uint n_ready; /* a glance at it needs no lock */
	/* this CPU alone: */
	struct thread *idle;
	bool idling; /* on whoever's stack */
	atomic_bool slice_armed;
	struct timer slice;
	struct timer sample;
	bool sample_armed;
	enum cpu_mode mode;   /* where the timer's interrupt came from */
	uint32_t sample_seed; /* of the waits between samples */
	struct cpu_time_split split;
	_Atomic uint64_t idle_ns, busy_ns, n_switches, n_interrupts;
} aligned_to(64) queues[CPU_MAX];

static _Atomic uint64_t online_cpus, idle_cpus; /* bit per CPU */

static uint64_t bit(unsigned cpu)
{
	return 1ull << cpu;
}

/* --- time -------------------------------------------------------------------------------------- */

/* Counters that only their own CPU changes. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

static void account(struct run_queue *q, struct thread *t, uint64_t now)
{
	uint64_t since = atomic_load_explicit(&t->accounted_ns, memory_order_relaxed);
	atomic_store_explicit(&t->accounted_ns, now, memory_order_relaxed);
	if (t == q->idle)
		return;
	add(&t->run_ns, now - since);
	add(&q->busy_ns, now - since);
}

/* Waits of 0..8.4 ms, at random: whatever runs regularly is met at all its places alike. */
static void sample_arm(struct run_queue *q, uint64_t now)
{
	if (q->sample_armed)
		return;
	q->sample_armed = true;
	q->sample_seed = q->sample_seed * 1664525u + 1013904223u;
	timer_start(&q->sample, now + (q->sample_seed >> 9));
}

static void sample_fire(struct timer *t)
{
	struct run_queue *q = container_of(t, struct run_queue, sample);
	struct thread *current = thread_current();
	q->sample_armed = false;
	if (q->idling || current == q->idle)
		return;
	cpu_time_sample(&current->split, q->mode);
	cpu_time_sample(&q->split, q->mode);
	sample_arm(q, clock_monotonic_ns());
}

static uint64_t slice_of(const struct thread *t)
{
	if (thread_rank(t) > 0)
		return RR_SLICE_NS;
	return SLICE_NS * (uint64_t)(20 - t->nice) / 20;
}

/* Interrupts are off; this CPU's queue.  t runs, or will in a moment, and somebody waits. */
static void slice_arm(struct run_queue *q, const struct thread *t)
{
	if (atomic_load_explicit(&q->slice_armed, memory_order_relaxed) || q->idling ||
		t == q->idle || t->no_slice)
		return;
	atomic_store_explicit(&q->slice_armed, true, memory_order_relaxed);
	timer_start(&q->slice, t->slice_end_ns);
}

static void slice_fire(struct timer *t)
{
	struct run_queue *q = container_of(t, struct run_queue, slice);
	atomic_store_explicit(&q->slice_armed, false, memory_order_relaxed);
	struct thread *current = thread_current();
	if (atomic_load_explicit(&q->n_ready, memory_order_relaxed) == 0 || q->idling)
		return;
	if (clock_monotonic_ns() >= current->slice_end_ns)
		atomic_fetch_or(&current->arch.user_work, WORK_RESCHEDULE);
	else
		slice_arm(q, current);
}

/* --- in and out ---------------------------------------------------------------------------------- */

static void push(struct run_queue *q, struct thread *t)
{
	struct list *before = &q->ready;
	/* Ordinary threads go to the back; the urgent in front of all that are less so. */
	if (unlikely(thread_rank(t) > 0))
		for (before = q->ready.next; before != &q->ready; before = before->next)
			if (thread_rank(list_entry(before, struct thread, run_link)) <
				thread_rank(t))
				break;
	list_insert(before->prev, before, &t->run_link);
	unsigned n = atomic_load_explicit(&q->n_ready, memory_order_relaxed);
	atomic_store_explicit(&q->n_ready, n + 1, memory_order_relaxed);
}

static void take(struct run_queue *q, struct thread *t)
{
	list_remove(&t->run_link);
	unsigned n = atomic_load_explicit(&q->n_ready, memory_order_relaxed);
	atomic_store_explicit(&q->n_ready, n - 1, memory_order_relaxed);
}

static unsigned choose_cpu(const struct thread *t)
{
	uint64_t allowed = t->affinity & online_cpus, idle = allowed & idle_cpus;
	if (idle & bit(t->cpu))
		return t->cpu;
	if (idle != 0)
		return (unsigned)__builtin_ctzll(idle);
	if (allowed & bit(t->cpu) || allowed == 0)
		return t->cpu;
	return (unsigned)__builtin_ctzll(allowed);
}

/* Its CPU's alone. */
static struct held {
	unsigned depth;
	uint64_t cpus; /* to be kicked */
} held_kicks[CPU_MAX];

void kicks_hold(void)
{
	held_kicks[cpu_id()].depth++;
}

void kicks_release(void)
{
	struct held *h = &held_kicks[cpu_id()];
	if (--h->depth > 0 || likely(h->cpus == 0))
		return;
	irq_state state = irq_save();
	uint64_t cpus = h->cpus;
	h->cpus = 0;
	for (; cpus != 0; cpus &= cpus - 1)
		cpu_kick((unsigned)__builtin_ctzll(cpus));
	irq_restore(state);
}

static void kick(unsigned cpu)
{
	struct held *h = &held_kicks[cpu_id()];
	if (h->depth > 0)
		h->cpus |= bit(cpu);
	else
		cpu_kick(cpu);
}

/* A thread of that rank was put into that queue.  The more urgent do not wait for the end of a slice. */
static void announce(struct run_queue *q, unsigned cpu, int rank)
{
	irq_state state = irq_save();
	if (cpu == cpu_id()) {
		if (unlikely(rank > thread_rank(thread_current())) && !q->idling)
			atomic_fetch_or(&thread_current()->arch.user_work, WORK_RESCHEDULE);
		slice_arm(q, thread_current());
	} else if (idle_cpus & bit(cpu)) {
		if (atomic_fetch_and(&idle_cpus, ~bit(cpu)) & bit(cpu))
			kick(cpu);
	} else if (rank > 0 || !atomic_load_explicit(&q->slice_armed, memory_order_relaxed)) {
		kick(cpu); /* to arm it */
	}
	irq_restore(state);
}

void run_queue_add(struct thread *t)
{
	bool on_cpu = atomic_load_explicit(&t->on_cpu, memory_order_acquire);
	unsigned cpu = on_cpu ? t->cpu : choose_cpu(t);
	struct run_queue *q = &queues[cpu];
	irq_state state = spin_lock(&q->lock);
	t->cpu = cpu;
	int rank = thread_rank(t);
	push(q, t);
	spin_unlock(&q->lock, state);
	/* Full barrier: the CPU sets its idle bit, then looks at the queue; we the other way round. */
	atomic_thread_fence(memory_order_seq_cst);
	announce(q, cpu, rank);
}

/* A thread of that queue that may run on cpu, out of it. */
static struct thread *take_for(struct run_queue *q, unsigned cpu)
{
	struct thread *t, *found = NULL;
	spin_lock_nested(&q->lock);
	list_for_each (t, &q->ready, run_link)
		if (t->affinity & bit(cpu) && !atomic_load(&t->on_cpu)) {
			found = t;
			break;
		}
	if (found != NULL)
		take(q, found);
	spin_unlock_nested(&q->lock);
	return found;
}

/* Interrupts are off, no lock is held. */
static void steal(struct run_queue *q, unsigned cpu)
{
	unsigned n = cpu_count();
	for (unsigned i = 1; i < n; i++) {
		struct run_queue *other = &queues[(cpu + i) % n];
		if (atomic_load_explicit(&other->n_ready, memory_order_relaxed) == 0)
			continue;
		struct thread *t = take_for(other, cpu);
		if (t == NULL)
			continue;
		spin_lock_nested(&q->lock);
		t->cpu = cpu;
		push(q, t);
		spin_unlock_nested(&q->lock);
		return;
	}
}

/* --- switching, interrupts off -------------------------------------------------------------------- */

/* The first thing after a switch, on the new stack: previous is off the CPU. */
static void finish(struct thread *previous)
{
	struct run_queue *q = &queues[cpu_id()];
	if (likely(atomic_load(&previous->state) != THREAD_DEAD && !previous->leaving)) {
		atomic_store_explicit(&previous->on_cpu, false, memory_order_release);
		spin_unlock_nested(&q->lock);
		return;
	}
	spin_unlock_nested(&q->lock);
	if (previous->leaving) {
		previous->leaving = false;
		atomic_store_explicit(&previous->on_cpu, false, memory_order_release);
		run_queue_add(previous);
		return;
	}
	stack_free(previous->kernel_stack);
	previous->kernel_stack = NULL;
	if (previous->orphan) {
		thread_arch_destroy(&previous->arch);
		heap_free(previous);
	} else {
		atomic_store_explicit(&previous->on_cpu, false, memory_order_release);
	}
}

void thread_first_run(struct thread *previous)
{
	finish(previous);
}

/* q's lock is held, and released on the other side. */
static void switch_to(struct run_queue *q, unsigned cpu, struct thread *self, struct thread *next)
{
	uint64_t now = clock_monotonic_ns();
	account(q, self, now);
	atomic_store_explicit(&next->accounted_ns, now, memory_order_relaxed);
	next->slice_end_ns = now + slice_of(next);
	next->cpu = cpu;
	if (unlikely(next->told_cpu != cpu)) {
		next->told_cpu = cpu;
		atomic_fetch_or(&next->arch.user_work, WORK_RSEQ);
	}
	atomic_store_explicit(&next->on_cpu, true, memory_order_relaxed);
	add(&q->n_switches, 1);
	if (next != q->idle)
		sample_arm(q, now);
	if (!list_empty(&q->ready))
		slice_arm(q, next);
	finish(thread_switch(self, next));
}

/* q's lock is held, and held again afterwards, when something is in the queue. */
static void idle(struct run_queue *q, unsigned cpu, struct thread *self)
{
	uint64_t start = clock_monotonic_ns();
	account(q, self, start);
	q->idling = true;
	while (list_empty(&q->ready)) {
		atomic_fetch_or(&idle_cpus, bit(cpu));
		spin_unlock_nested(&q->lock);
		if (cpu_count() > 1)
			steal(q, cpu);
		if (atomic_load(&q->n_ready) == 0)
			cpu_idle();
		atomic_fetch_and(&idle_cpus, ~bit(cpu));
		spin_lock_nested(&q->lock);
	}
	q->idling = false;
	uint64_t now = clock_monotonic_ns();
	add(&q->idle_ns, now - start);
	if (self != q->idle)
		sample_arm(q, now);
	atomic_store_explicit(&self->accounted_ns, now, memory_order_relaxed);
	self->slice_end_ns = now + slice_of(self);
}

void run_queue_leave(struct thread *self)
{
	unsigned cpu = cpu_id();
	struct run_queue *q = &queues[cpu];
	spin_lock_nested(&q->lock);
	struct thread *next = q->idle;
	if (list_empty(&q->ready) && atomic_load(&self->state) != THREAD_DEAD && !self->leaving)
		idle(q, cpu, self);
	if (!list_empty(&q->ready)) {
		next = list_first(&q->ready, struct thread, run_link);
		take(q, next);
		if (!(next->affinity & bit(cpu)))
			atomic_fetch_or(&next->arch.user_work, WORK_RESCHEDULE);
	}
	if (next != self) {
		switch_to(q, cpu, self, next);
		return;
	}
	if (!list_empty(&q->ready))
		slice_arm(q, self);
	spin_unlock_nested(&q->lock);
}

void run_queue_yield(struct thread *self)
{
	struct run_queue *q = &queues[cpu_id()];
	if (!(self->affinity & bit(cpu_id()))) {
		self->leaving = true;
	} else {
		if (atomic_load_explicit(&q->n_ready, memory_order_relaxed) == 0)
			return;
		/* It may well be the one that goes on. */
		if (thread_rank(self) > 0)
			self->slice_end_ns = clock_monotonic_ns() + RR_SLICE_NS;
		spin_lock_nested(&q->lock);
		push(q, self);
		spin_unlock_nested(&q->lock);
	}
	self->n_involuntary++;
	atomic_fetch_or(&self->arch.user_work, WORK_RSEQ);
	run_queue_leave(self);
}

/* --- start ---------------------------------------------------------------------------------------- */

static void cpu_join(void)
{
	unsigned cpu = cpu_id();
	struct run_queue *q = &queues[cpu];
	struct thread *t = heap_zalloc(sizeof(*t));
	if (t == NULL)
		panic("no memory for CPU %u", cpu);
	t->references = 1;
	t->affinity = bit(cpu);
	t->cpu = cpu;
	t->on_cpu = true;
	list_init(&t->run_link);
	__builtin_memcpy(t->name, "idle", 5);
	list_init(&q->ready);
	timer_init(&q->slice, slice_fire);
	timer_init(&q->sample, sample_fire);
	q->idle = t;
	thread_adopt(t);
	atomic_fetch_or(&online_cpus, bit(cpu));
}

void sched_init(void)
{
	cpu_join();
	lock_check_start();
}

/* What is in the queue runs; when it is empty again we are back here. */
_Noreturn void sched_run_idle(void)
{
	irq_disable();
	if (queues[cpu_id()].idle == NULL)
		cpu_join();
	for (;;)
		run_queue_leave(queues[cpu_id()].idle);
}

void timer_interrupt(const struct trap_frame *f)
{
	struct run_queue *q = &queues[cpu_id()];
	add(&q->n_interrupts, 1);
	q->mode = f != NULL && trap_from_user(f) ? CPU_IN_PROGRAM : CPU_IN_KERNEL;
	timer_run();
}

/* Whoever kicked us has put a thread into our queue, or given the current one work to do, which
 * the way back into the program sees. */
void kick_interrupt(void)
{
	struct run_queue *q = &queues[cpu_id()];
	add(&q->n_interrupts, 1);
	struct thread *self = thread_current();
	if (atomic_load(&q->n_ready) == 0)
		return;
	slice_arm(q, self);
	if (q->idling)
		return;
	spin_lock_nested(&q->lock);
	bool urgent = !list_empty(&q->ready) && thread_rank(list_first(&q->ready, struct thread,
							run_link)) > thread_rank(self);
	spin_unlock_nested(&q->lock);
	if (urgent)
		atomic_fetch_or(&self->arch.user_work, WORK_RESCHEDULE);
}

bool sched_is_idle(void)
{
	return queues[cpu_id()].idling;
}

void sched_usage(unsigned cpu, struct sched_usage *out)
{
	struct run_queue *q = &queues[cpu];
	*out = (struct sched_usage){
		.idle_ns = q->idle_ns,
		.n_switches = q->n_switches,
		.n_interrupts = q->n_interrupts,
	};
	cpu_time_divide(&q->split, q->busy_ns, &out->user_ns, &out->system_ns);
}
