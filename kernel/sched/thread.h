/*
 * Threads: 1:1 with the program's, plus one idle thread per CPU.  Per-CPU run queues, work stealing,
 * a time slice enforced only while the program runs (the kernel is not preempted).
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/arch/switch.h"
#include "kernel/lib/list.h"
#include "kernel/lib/tree.h"
#include "kernel/sched/cpu_time.h"
#include "kernel/sched/lock_check.h"

#define THREAD_NAME_SIZE 16

enum thread_state {
	THREAD_RUNNING, /* on a CPU or in a run queue */
	THREAD_WOKEN, /* the same, and thread_wake() came since: the next thread_block() returns */
	THREAD_BLOCKED,
	THREAD_DEAD,
	THREAD_NEW, /* not started */
};

/* Bits of arch.user_work: reasons to call user_return(). */
#define WORK_RESCHEDULE 1u
#define WORK_SIGNAL 2u /* also: ends interruptible sleeps with -EINTR */
#define WORK_RSEQ 8u   /* moved to another CPU, or left its own in the middle of the program */
#define WORK_EXIT 4u   /* likewise, and uninterruptible ones that can end */

struct thread {
	struct thread_arch arch; /* first: see kernel/arch/switch.h */
	_Atomic(enum thread_state) state;
	atomic_uint references;
	int tid;
	char name[THREAD_NAME_SIZE];
	void *kernel_stack;
	void (*destroy)(struct thread *t);
	/* In a run queue: under its lock.  Of the thread, or who woke it, otherwise. */
	struct list run_link;
	unsigned cpu;       /* where it runs or ran last */
	unsigned told_cpu;  /* where it ran when it last got WORK_RSEQ */
	atomic_bool on_cpu; /* its stack is in use there */
	bool orphan;        /* dead, and nobody refers to it */
	bool leaving;       /* must go to another CPU */
	bool no_wait; /* own thread only: interruptible sleeps end at once with -EAGAIN (io_uring) */
	_Atomic uint64_t affinity; /* bit per CPU */
	int nice;
	bool no_slice; /* SCHED_FIFO: runs until it sleeps, yields, or somebody more urgent comes */
	int rt_priority; /* 1..99: runs before all of less; 0: an ordinary thread */
	uint64_t slice_end_ns;
	_Atomic uint64_t run_ns;       /* CPU time */
	_Atomic uint64_t accounted_ns; /* when it was last added up */
	struct cpu_time_split split;
	uint64_t n_voluntary, n_involuntary;
#ifdef DEBUG
	struct held_locks held;
#endif
};

/* The larger, the more urgent. */
static inline int thread_rank(const struct thread *t)
{
	return t->rt_priority;
}

/* This CPU has nothing to do; interrupts are off. */
bool sched_is_idle(void);
/* Set up the run queues and make the boot CPU's thread of control its idle thread. */
void sched_init(void);
/* An additional CPU joins: becomes its idle thread and never returns. */
_Noreturn void sched_run_idle(void);

/* A new thread in entry(arg), not running yet: thread_start() it or thread_put() it.
 * size >= sizeof(struct thread): the caller embeds it as the first member of something larger; cleared.
 * -ENOMEM, -EAGAIN. */
struct thread_request {
	size_t size;
	const char *name;
	void (*entry)(void *);
	void *arg;
	/* Called when the last reference goes, before the memory does; may be NULL; may sleep. */
	void (*destroy)(struct thread *t);
};
int thread_create(const struct thread_request *r, struct thread **out) must_check;
void thread_start(struct thread *t);
_Noreturn void thread_exit(void);
static inline void thread_get(struct thread *t)
{
	atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
}
void thread_put(struct thread *t);

/*
 * Sleep and wake.  The pattern, free of lost wake-ups:
 *     announce yourself where the waker looks; check the condition; thread_block(deadline); check again.
 * A wake-up between announcing and blocking makes thread_block() return at once.
 */
/* Sleep until thread_wake() or the deadline (monotonic ns, NO_DEADLINE).  0: woken (perhaps for nothing);
 * -ETIMEDOUT. Interruptible: -EINTR while a WORK_SIGNAL or WORK_EXIT bit is set;
 * -EAGAIN in a thread that set no_wait. */
int thread_block(uint64_t deadline_ns);
int thread_block_interruptible(uint64_t deadline_ns) must_check;
/* Any context. */
void thread_wake(struct thread *t);
/* From hold, with interrupts off, to release other CPUs are not told of threads woken for them; nests.  For wakers that
 * hold a lock which the woken take first. */
void kicks_hold(void);
void kicks_release(void);

void thread_yield(void);
/* Set a WORK_ bit; wakes an interruptible sleeper and kicks a CPU that runs it.  Any context. */
void thread_notify(struct thread *t, unsigned work);
/* From user_return(): reschedule if WORK_RESCHEDULE is set. */
void thread_preempt(void);
bool thread_interrupted(void); /* WORK_SIGNAL or WORK_EXIT set for the current thread */

int thread_set_affinity(
	struct thread *t, uint64_t cpus) must_check; /* -EINVAL: none of them exists */
/* CPU time up to now. */
void thread_times(struct thread *t, uint64_t *user_ns, uint64_t *system_ns);

struct sched_usage {
	uint64_t idle_ns, user_ns, system_ns, n_switches, n_interrupts;
};
void sched_usage(unsigned cpu, struct sched_usage *out);
