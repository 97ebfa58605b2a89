/*
 * Sending signals, blocking and waiting for them, actions and alternate stacks.  What happens to a thread that has one
 * due is deliver.c's.
 */
#include "kernel/proc/signal.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/async.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/format.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/queue.h"
#include "kernel/proc/task.h"

#define STOP_SIGNALS                                                                               \
	(1ull << (SIGSTOP - 1) | 1ull << (SIGTSTP - 1) | 1ull << (SIGTTIN - 1) |                   \
		1ull << (SIGTTOU - 1))
#define SA_UNSUPPORTED 0x400ul /* how programs ask whether unknown flags are cleared */

/* --- sending: under process.lock and signal_lock --- */

static bool blocks(const struct task *t, int signal)
{
	return t->blocked & ~SIGNALS_UNBLOCKABLE & signal_bit(signal);
}

/* t learns of a signal it does not block, or waits for. */
static void tell(struct task *t, int signal)
{
	if (t->waited & signal_bit(signal))
		thread_wake(&t->thread);
	if (!blocks(t, signal))
		thread_notify(&t->thread, WORK_SIGNAL);
}

/* For a signal to the process: the first thread, if it takes it, else whoever does. */
static void tell_one(int signal)
{
	struct task *t;
	list_for_each (t, &process.tasks, link)
		if (!blocks(t, signal) || (t->waited & signal_bit(signal))) {
			tell(t, signal);
			return;
		}
}

static void drop_everywhere(uint64_t mask)
{
	signal_queue_drop(&process.pending, mask);
	struct task *t;
	list_for_each (t, &process.tasks, link)
		signal_queue_drop(&t->pending, mask);
}

/* SIGCONT and the stop signals cancel each other when they are sent, whatever their actions. */
static void settle_stop(int signal)
{
	if (signal_bit(signal) & STOP_SIGNALS)
		drop_everywhere(signal_bit(SIGCONT));
	if (signal == SIGCONT)
		drop_everywhere(STOP_SIGNALS);
	if (signal == SIGCONT || signal == SIGKILL) {
		process.stopped = false;
		wait_wake_all(&process.continued, EVENTS_ALL);
	}
}

/* Ignored signals vanish, unless blocked: the action may have changed by the time they are not. */
static bool vanishes(const struct task *t, int signal)
{
	if (!t && !list_empty(&process.tasks))
		t = list_first(&process.tasks, struct task, link);
	return signal_ignored(signal) &&
	       !(t && (blocks(t, signal) || (t->waited & signal_bit(signal))));
}

static int send(
	struct task *t, int signal, const struct linux_siginfo *info, struct pending_signal *entry)
{
	irq_state state = spin_lock(&process.lock);
	spin_lock_nested(&process.signal_lock);
	int err = 0;
	bool arrived = false;
	settle_stop(signal);
	if (entry && entry->queued)
		err = -EAGAIN;
	else if (!vanishes(t, signal)) {
		err = signal_queue_add(t ? &t->pending : &process.pending, signal, info, entry);
		arrived = err == 0;
	}
	if (arrived && t)
		tell(t, signal);
	else if (arrived)
		tell_one(signal);
	spin_unlock_nested(&process.signal_lock);
	spin_unlock(&process.lock, state);
	if (arrived)
		wait_wake_all(&process.signal_arrived, EPOLLIN);
	return err;
}

int signal_send_process(int signal, const struct linux_siginfo *info)
{
	return send(NULL, signal, info, NULL);
}

int signal_send_task(struct task *t, int signal, const struct linux_siginfo *info)
{
	return send(t, signal, info, NULL);
}

bool signal_send_entry(struct task *t, struct pending_signal *p)
{
	return send(t, p->info.si_signo, NULL, p) == 0;
}

void signal_retract_entry(struct pending_signal *p)
{
	irq_state state = spin_lock(&process.lock);
	spin_lock_nested(&process.signal_lock);
	if (p->queued) {
		list_remove(&p->link);
		p->queued = false;
		process.n_queued--;
	}
	signal_queue_settle(&process.pending, p->info.si_signo);
	struct task *t;
	list_for_each (t, &process.tasks, link)
		signal_queue_settle(&t->pending, p->info.si_signo);
	spin_unlock_nested(&process.signal_lock);
	spin_unlock(&process.lock, state);
}

void signal_force(int signal, int code, uintptr_t address)
{
	signal_force_info(&(struct linux_siginfo){
		.si_signo = signal, .si_code = code, .fault.address = address});
}

void signal_force_info(const struct linux_siginfo *info)
{
	struct task *t = task_current();
	int signal = info->si_signo;
	irq_state state = spin_lock(&process.signal_lock);
	struct linux_sigaction *action = &process.actions[signal];
	if (blocks(t, signal) || action->handler == SIG_IGN)
		action->handler = SIG_DFL;
	t->blocked &= ~signal_bit(signal);
	signal_queue_drop(&t->pending, signal_bit(signal));
	(void)!signal_queue_add(&t->pending, signal, info, NULL);
	signal_recheck(t);
	spin_unlock(&process.signal_lock, state);
}

/* --- masks --- */

/* t no longer takes these: what waits for the process is offered to others.  Both locks held. */
static void offer_to_others(const struct task *t, uint64_t signals)
{
	for (uint64_t left = process.pending.set & signals; left; left &= left - 1) {
		int signal = __builtin_ctzll(left) + 1;
		struct task *other;
		list_for_each (other, &process.tasks, link)
			if (other != t && !blocks(other, signal)) {
				tell(other, signal);
				break;
			}
	}
}

static void set_blocked(struct task *t, uint64_t mask)
{
	mask &= ~SIGNALS_UNBLOCKABLE;
	uint64_t newly = mask & ~t->blocked;
	t->blocked = mask;
	if (process.pending.set & newly)
		offer_to_others(t, newly);
	signal_recheck(t);
}

static irq_state lock_both(void)
{
	irq_state state = spin_lock(&process.lock);
	spin_lock_nested(&process.signal_lock);
	return state;
}

static void unlock_both(irq_state state)
{
	spin_unlock_nested(&process.signal_lock);
	spin_unlock(&process.lock, state);
}

int signal_set_mask(int how, const uint64_t *set, uint64_t *old)
{
	struct task *t = task_current();
	uint64_t mask = t->blocked; /* only this thread changes it */
	*old = mask;
	if (!set)
		return 0;
	if (how == SIG_BLOCK)
		mask |= *set;
	else if (how == SIG_UNBLOCK)
		mask &= ~*set;
	else if (how == SIG_SETMASK)
		mask = *set;
	else
		return -EINVAL;
	irq_state state = lock_both();
	set_blocked(t, mask);
	unlock_both(state);
	return 0;
}

void signal_set_temporary_mask(uint64_t mask)
{
	struct task *t = task_current();
	irq_state state = lock_both();
	t->saved_mask = t->blocked;
	t->restore_mask = true;
	set_blocked(t, mask);
	unlock_both(state);
}

void signal_end_temporary_mask(long result)
{
	struct task *t = task_current();
	if (!t->restore_mask || result == -EINTR)
		return;
	irq_state state = lock_both();
	t->restore_mask = false;
	set_blocked(t, t->saved_mask);
	unlock_both(state);
}

void signal_forget_task(struct task *t)
{
	irq_state state = lock_both();
	t->blocked = ~0ull;
	offer_to_others(t, ~0ull);
	unlock_both(state);
}

uint64_t signal_pending(void)
{
	return (task_current()->pending.set | process.pending.set) & task_current()->blocked;
}

/* --- waiting --- */

/* For the current thread: its own queue first. */
static int take(uint64_t mask, struct linux_siginfo *info)
{
	struct task *t = task_current();
	irq_state state = spin_lock(&process.signal_lock);
	int signal = signal_queue_take(&t->pending, mask, info);
	if (!signal)
		signal = signal_queue_take(&process.pending, mask, info);
	spin_unlock(&process.signal_lock, state);
	return signal;
}

static void set_waited(uint64_t mask)
{
	irq_state state = spin_lock(&process.signal_lock);
	task_current()->waited = mask;
	spin_unlock(&process.signal_lock, state);
}

int signal_wait(uint64_t mask, uint64_t deadline_ns, struct linux_siginfo *info)
{
	mask &= ~SIGNALS_UNBLOCKABLE;
	set_waited(mask);
	int signal = take(mask, info), err = 0;
	while (!signal && err == 0) {
		err = thread_block_interruptible(deadline_ns);
		signal = take(mask, info);
	}
	set_waited(0);
	if (signal)
		return signal;
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

static bool source_take(uint64_t mask, struct linux_siginfo *info)
{
	return take(mask & ~SIGNALS_UNBLOCKABLE, info) != 0;
}

static bool source_pending(uint64_t mask)
{
	return (task_current()->pending.set | process.pending.set) & mask & ~SIGNALS_UNBLOCKABLE;
}

static struct wait_queue *source_queue(void)
{
	return &process.signal_arrived;
}

/* --- actions and stacks --- */

int signal_set_action(int signal, const struct linux_sigaction *new, struct linux_sigaction *old)
{
	if (signal < 1 || signal > SIGNALS || (new && (signal_bit(signal) & SIGNALS_UNBLOCKABLE)))
		return -EINVAL;
	irq_state state = lock_both();
	*old = process.actions[signal];
	if (new) {
		process.actions[signal] = *new;
		process.actions[signal].mask &= ~SIGNALS_UNBLOCKABLE;
		process.actions[signal].flags &= ~SA_UNSUPPORTED;
		/* POSIX: setting an action that ignores drops what is pending, blocked or not. */
		if (signal_ignored(signal))
			drop_everywhere(signal_bit(signal));
	}
	unlock_both(state);
	return 0;
}

void signal_reset_for_exec(void)
{
	irq_state state = lock_both();
	for (int i = 1; i <= SIGNALS; i++) {
		uint64_t handler = process.actions[i].handler;
		process.actions[i] =
			(struct linux_sigaction){.handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL};
	}
	unlock_both(state);
}

static bool on_stack(const struct linux_stack *s, uintptr_t sp)
{
	return !(s->flags & (int)SS_AUTODISARM) && sp > s->sp && sp - s->sp <= s->size;
}

int signal_set_stack(const struct linux_stack *new, struct linux_stack *old, uintptr_t sp)
{
	struct task *t = task_current();
	struct linux_stack *s = &t->altstack;
	bool in_use = on_stack(s, sp);
	*old = (struct linux_stack){
		.sp = s->sp,
		.size = s->size,
		.flags = (s->size == 0    ? SS_DISABLE
				 : in_use ? SS_ONSTACK
					  : 0) |
			 (s->flags & (int)SS_AUTODISARM),
	};
	if (!new)
		return 0;
	int mode = new->flags & ~(int)SS_AUTODISARM;
	if (in_use)
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		*s = (struct linux_stack){.flags = new->flags};
		return 0;
	}
	if (new->size < MINSIGSTKSZ)
		return -ENOMEM;
	*s = *new;
	return 0;
}

#define POLL_IN 1
#define POLL_OUT 2

/* O_ASYNC: SIGIO, or with F_SETSIG a signal that tells more. */
static void signal_send_async(const struct file_owner *to, unsigned events)
{
	bool in = events & (EPOLLIN | EPOLLHUP);
	struct linux_siginfo info = {.si_code = SI_KERNEL};
	int signal = to->signal ? to->signal : SIGIO;
	if (to->signal) {
		info.si_code = in ? POLL_IN : POLL_OUT;
		info.poll.band = in ? EPOLLIN | EPOLLRDNORM : EPOLLOUT | EPOLLWRNORM | POLLWRBAND;
		info.poll.fd = to->fd;
	}
	struct task *t = to->type == F_OWNER_TID ? process_find_task(to->id) : NULL;
	if (t) {
		(void)!signal_send_task(t, signal, &info);
		thread_put(&t->thread);
	} else if (to->type != F_OWNER_TID) {
		(void)!signal_send_process(signal, &info);
	}
}

static void terminal_signal(int signal)
{
	(void)!signal_send_process(signal, &(struct linux_siginfo){.si_code = SI_KERNEL});
}

static void file_limit_exceeded(void)
{
	(void)!signal_send_task(task_current(), SIGXFSZ, NULL);
}

void signal_init(void)
{
	static const struct signal_source source = {source_take, source_pending, source_queue};
	wait_queue_init(&process.signal_arrived);
	wait_queue_init(&process.continued);
	signal_queue_init(&process.pending);
	signalfd_set_source(&source);
	async_set_sender(signal_send_async);
	vfs_set_limit_hook(file_limit_exceeded);
	terminal_set_signal_hook(terminal_signal);
}

static const char names[][8] = {"0", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE",
	"KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP",
	"TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR",
	"SYS"};

const char *signal_name(int signal)
{
	static char text[SIGNALS + 1][12];
	if (signal < 0 || signal > SIGNALS)
		return "?";
	char *name =
		text[signal]; /* always the same bytes, so writing it twice at once does no harm */
	if (signal < (int)array_size(names))
		format(name, sizeof(text[0]), "SIG%s", names[signal]);
	else if (signal == SIGRTMIN)
		format(name, sizeof(text[0]), "SIGRTMIN");
	else
		format(name, sizeof(text[0]), "SIGRT_%d", signal - SIGRTMIN);
	return name;
}
