/* Signals: sending, masks, delivery.  signal(7). */
#pragma once

#include "kernel/proc/process.h"

void signal_init(void);
static inline uint64_t signal_bit(int signal)
{
	return 1ull << (signal - 1);
}

/* One pending signal.  Timers bring theirs along: an entry with taken is not freed but handed back. */
struct pending_signal {
	struct list link;
	struct linux_siginfo info;
	/* Under signal_lock, when it is delivered (info: the copy for the program) or dropped (NULL). */
	void (*taken)(struct pending_signal *p, struct linux_siginfo *info);
	bool queued;
};

/* To the process (any thread that does not block it) or to one thread.  info NULL: SI_USER of ourselves.  Any context.
 * -EAGAIN: too many queued. */
int signal_send_process(int signal, const struct linux_siginfo *info);
int signal_send_task(struct task *t, int signal, const struct linux_siginfo *info);
/* The same with an entry of the caller's; false: it is still queued from the last time.  t NULL: to the process.  Any
 * context. */
bool signal_send_entry(struct task *t, struct pending_signal *p);
/* Take it out of the queue if it is there. */
void signal_retract_entry(struct pending_signal *p);
/* A fault of the current thread: delivered even when blocked or ignored (then it kills). */
void signal_force(int signal, int code, uintptr_t address);

/* The same with all that is to be said of it. */
void signal_force_info(const struct linux_siginfo *info);

/* rt_sigprocmask(2) for the current thread; *old is what was. */
int signal_set_mask(int how, const uint64_t *set, uint64_t *old) must_check;
/* Until the next return to the program: ppoll, pselect, epoll_pwait, sigsuspend. */
void signal_set_temporary_mask(uint64_t mask);
/* The call returns result: unless it was interrupted (then delivery does it), the old mask is back. */
void signal_end_temporary_mask(long result);
int signal_set_action(
	int signal, const struct linux_sigaction *new, struct linux_sigaction *old) must_check;
int signal_set_stack(
	const struct linux_stack *new, struct linux_stack *old, uintptr_t sp) must_check;
uint64_t signal_pending(void); /* of the current thread and the process, blocked ones included */
/* sigtimedwait(2): the signal; -EAGAIN at the deadline; -EINTR. */
int signal_wait(uint64_t mask, uint64_t deadline_ns, struct linux_siginfo *info) must_check;
/* Deliver what is due: from user_return(). */
void signal_deliver(struct trap_frame *f);
/* rt_sigreturn(2). */
long signal_return(struct trap_frame *f);
const char *signal_name(int signal); /* "SIGSEGV" */

/* Results of system calls that a signal interrupted: the dispatcher notes one in task.restart when a call returned
 * -EINTR, signal_deliver() acts on it.  (Linux's internal numbers; programs never see them.) */
#define ERESTARTSYS 512    /* restart if no handler ran or it has SA_RESTART */
#define ERESTARTNOINTR 513 /* restart always */
#define ERESTARTNOHAND 514 /* restart only if no handler ran */
