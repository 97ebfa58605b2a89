/* Signals: sending, masks, delivery.  signal(7). */
#pragma once

#include "kernel/proc/process.h"

void signal_init(void);
static inline uint64_t signal_bit(int signal)
{
	return 1ull << (signal - 1);
}

/* To the process (any thread that does not block it) or to one thread.  info NULL: SI_USER of ourselves.  Any context.
 * -EAGAIN: too many queued. */
int signal_send_process(int signal, const struct linux_siginfo *info);
int signal_send_task(struct task *t, int signal, const struct linux_siginfo *info);
/* A fault of the current thread: delivered even when blocked or ignored (then it kills). */
void signal_force(int signal, int code, uintptr_t address);

/* rt_sigprocmask(2) for the current thread; *old is what was. */
int signal_set_mask(int how, const uint64_t *set, uint64_t *old) must_check;
/* Until the next return to the program: ppoll, pselect, epoll_pwait, sigsuspend. */
void signal_set_temporary_mask(uint64_t mask);
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

/* Results of system calls that a signal interrupted; signal_deliver() turns them into a restart or -EINTR.
 * (Linux's internal numbers; programs never see them.) */
#define ERESTARTSYS 512    /* restart if SA_RESTART */
#define ERESTARTNOHAND 514 /* restart only if no handler ran */
