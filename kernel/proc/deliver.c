/*
 * Signals on their way into a thread, at the border to the program: default actions, handlers with their frames and
 * stacks, the restart of the system call that was interrupted (signal(7), "Interruption of system calls").
 */
#include "abi/linux/errno.h"
#include "kernel/lib/log.h"
#include "kernel/proc/freeze.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/queue.h"
#include "kernel/proc/rseq.h"

/* --- stopped --- */

static bool must_end(const struct task *t)
{
	return ((t->pending.set | process.pending.set) & signal_bit(SIGKILL)) ||
	       (atomic_load(&t->thread.arch.user_work) & WORK_EXIT);
}

static void stop_process(int signal)
{
	log_warn("%s stops the program; it goes on with SIGCONT, if it left a timer for that",
		signal_name(signal));
	irq_state state = spin_lock(&process.lock);
	process.stopped = true;
	struct task *t;
	list_for_each (t, &process.tasks, link)
		thread_notify(&t->thread, WORK_SIGNAL);
	spin_unlock(&process.lock, state);
}

static void wait_while_stopped(struct task *t)
{
	freeze_wait(t);
	if (process.stopped)
		wait_event(&process.continued, EVENTS_ALL, !process.stopped || must_end(t));
}

/* --- the next signal --- */

struct delivery {
	int signal;
	struct linux_siginfo info;
	struct linux_sigaction action;
};

/* Take what is due, with the action as it is now. */
static bool next_delivery(struct task *t, struct delivery *d)
{
	irq_state state = spin_lock(&process.signal_lock);
	d->signal = signal_queue_take(&t->pending, ~t->blocked, &d->info);
	if (!d->signal)
		d->signal = signal_queue_take(&process.pending, ~t->blocked, &d->info);
	if (d->signal) {
		struct linux_sigaction *action = &process.actions[d->signal];
		d->action = *action;
		if ((action->flags & SA_RESETHAND) && action->handler > SIG_IGN)
			action->handler = SIG_DFL;
	}
	spin_unlock(&process.signal_lock, state);
	return d->signal != 0;
}

/* No handler: as signal(7) lists it. */
static void act_by_default(const struct delivery *d, struct trap_frame *f)
{
	switch (signal_default_action(d->signal)) {
	case DEFAULT_IGNORE:
	case DEFAULT_CONTINUE:
		break;
	case DEFAULT_STOP:
		stop_process(d->signal);
		break;
	case DEFAULT_TERMINATE:
	case DEFAULT_CORE:
		process_killed(d->signal, &d->info, f);
	}
}

/* --- into a handler --- */

static bool in_altstack(const struct linux_stack *s, uintptr_t sp)
{
	return !(s->flags & (int)SS_AUTODISARM) && sp > s->sp && sp - s->sp <= s->size;
}

static bool takes_altstack(const struct task *t, const struct delivery *d, uintptr_t sp)
{
	return (d->action.flags & SA_ONSTACK) && t->altstack.size != 0 &&
	       !in_altstack(&t->altstack, sp);
}

/* What the program's ucontext says of its stack. */
static struct linux_stack stack_for_context(const struct task *t, uintptr_t sp)
{
	struct linux_stack s = t->altstack;
	s.flags = (s.size == 0                            ? SS_DISABLE
			  : in_altstack(&t->altstack, sp) ? SS_ONSTACK
							  : 0) |
		  (s.flags & (int)SS_AUTODISARM);
	return s;
}

static int push_frame(struct task *t, const struct delivery *d, struct trap_frame *f)
{
	struct signal_frame s = {
		.signal = d->signal,
		.info = &d->info,
		.handler = user_at(d->action.handler),
		.restorer = user_at(d->action.restorer),
		.flags = d->action.flags,
		.old_mask = t->restore_mask ? t->saved_mask : t->blocked,
		.on_altstack = takes_altstack(t, d, trap_sp(f)),
		.altstack = stack_for_context(t, trap_sp(f)),
		.fault_address = t->fault.address,
		.fault_error = t->fault.error,
		.fault_vector = t->fault.vector,
	};
	return trap_push_signal(f, &s);
}

/* The handler runs next: mask and alternate stack as sigaction(2) says. */
static void enter_handler(struct task *t, const struct delivery *d)
{
	irq_state state = spin_lock(&process.signal_lock);
	t->restore_mask = false;
	t->blocked |= d->action.mask;
	if (!(d->action.flags & SA_NODEFER))
		t->blocked |= signal_bit(d->signal);
	t->blocked &= ~SIGNALS_UNBLOCKABLE;
	signal_recheck(t);
	spin_unlock(&process.signal_lock, state);
	if (t->altstack.flags & (int)SS_AUTODISARM)
		t->altstack = (struct linux_stack){.flags = SS_DISABLE};
}

/* The stack can not take the frame: SIGSEGV, and if that was the signal, the end. */
static void frame_failed(const struct delivery *d)
{
	if (d->signal == SIGSEGV) {
		irq_state state = spin_lock(&process.signal_lock);
		process.actions[SIGSEGV].handler = SIG_DFL;
		spin_unlock(&process.signal_lock, state);
	}
	signal_force(SIGSEGV, SI_KERNEL, 0);
}

static void run_handler(struct task *t, const struct delivery *d, struct trap_frame *f)
{
	if (t->restart == ERESTARTNOINTR ||
		(t->restart == ERESTARTSYS && (d->action.flags & SA_RESTART)))
		trap_restart_syscall(f);
	t->restart = 0;
	t->deadline_ns = NO_DEADLINE;
	t->resume_deadline = false;
	/* Where the program stands goes into the frame: not into a sequence. */
	if (t->rseq.va)
		rseq_disturbed(f);
	if (push_frame(t, d, f) < 0)
		frame_failed(d);
	else
		enter_handler(t, d);
}

/* Nothing ran in between: the interrupted call goes on as if it had not been. */
static void resume_call(struct task *t, struct trap_frame *f)
{
	if (t->restart) {
		trap_restart_syscall(f);
		t->restart = 0;
		t->resume_deadline = t->deadline_ns != NO_DEADLINE;
	}
	if (t->restore_mask) {
		t->restore_mask = false;
		uint64_t old;
		(void)!signal_set_mask(SIG_SETMASK, &t->saved_mask, &old);
	}
}

/* Whoever watches may take the signal away, or put another in its place. */
static bool ask_watcher(struct delivery *d, struct trap_frame *f)
{
	if (d->signal == SIGKILL)
		return true;
	bool ends =
		d->action.handler == SIG_DFL && signal_default_action(d->signal) == DEFAULT_CORE;
	d->info.si_signo = d->signal;
	int signal = program_watcher->signal(&d->info, ends, f);
	if (signal == 0 || signal > SIGNALS)
		return false;
	if (signal != d->signal) {
		d->signal = signal;
		d->info = (struct linux_siginfo){.si_signo = signal};
		d->action = process.actions[signal];
	}
	return true;
}

void signal_deliver(struct trap_frame *f)
{
	struct task *t = task_current();
	atomic_fetch_and(&t->thread.arch.user_work, ~WORK_SIGNAL);
	wait_while_stopped(t);
	struct delivery d;
	while (next_delivery(t, &d)) {
		if (unlikely(program_watcher) && !ask_watcher(&d, f))
			continue;
		if (d.action.handler > SIG_IGN) {
			run_handler(t, &d, f);
			return;
		}
		if (d.action.handler == SIG_DFL)
			act_by_default(&d, f);
		wait_while_stopped(t);
	}
	resume_call(t, f);
}

long signal_return(struct trap_frame *f)
{
	struct task *t = task_current();
	uint64_t mask = 0, old = 0;
	struct linux_stack stack, old_stack;
	if (trap_pop_signal(f, &mask, &stack) < 0) {
		signal_force(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	(void)!signal_set_mask(SIG_SETMASK, &mask, &old);
	/* A stack that can not be set stays as it is, as on Linux. */
	stack.flags &= (int)SS_AUTODISARM | SS_DISABLE;
	(void)!signal_set_stack(&stack, &old_stack, trap_sp(f));
	t->restart = 0;
	return trap_result(f);
}
