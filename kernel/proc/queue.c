/* Pending signals: one of each ordinary kind, any number of the real-time ones, in order (signal(7)). */
#include "kernel/proc/queue.h"

#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "kernel/mem/heap.h"

#define SIGNAL_SET(name) (1ull << (name - 1))

/* Faults come before everything else, so that their handler sees the place of the fault. */
#define SYNCHRONOUS                                                                                \
	(SIGNAL_SET(SIGSEGV) | SIGNAL_SET(SIGBUS) | SIGNAL_SET(SIGILL) | SIGNAL_SET(SIGTRAP) |     \
		SIGNAL_SET(SIGFPE) | SIGNAL_SET(SIGSYS))

enum signal_default signal_default_action(int signal)
{
	const uint64_t core = SYNCHRONOUS | SIGNAL_SET(SIGQUIT) | SIGNAL_SET(SIGABRT) |
			      SIGNAL_SET(SIGXCPU) | SIGNAL_SET(SIGXFSZ);
	const uint64_t ignore = SIGNAL_SET(SIGCHLD) | SIGNAL_SET(SIGURG) | SIGNAL_SET(SIGWINCH);
	const uint64_t stop = SIGNAL_SET(SIGSTOP) | SIGNAL_SET(SIGTSTP) | SIGNAL_SET(SIGTTIN) |
			      SIGNAL_SET(SIGTTOU);
	uint64_t bit = signal_bit(signal);
	if (bit & core)
		return DEFAULT_CORE;
	if (bit & ignore)
		return DEFAULT_IGNORE;
	if (bit & stop)
		return DEFAULT_STOP;
	return signal == SIGCONT ? DEFAULT_CONTINUE : DEFAULT_TERMINATE;
}

bool signal_ignored(int signal)
{
	uint64_t handler = process.actions[signal].handler;
	if (handler == SIG_IGN)
		return true;
	enum signal_default action = signal_default_action(signal);
	return handler == SIG_DFL && (action == DEFAULT_IGNORE || action == DEFAULT_CONTINUE);
}

void signal_queue_init(struct signal_queue *q)
{
	q->set = 0;
	list_init(&q->entries);
}

static void entry_drop(struct pending_signal *p)
{
	list_remove(&p->link);
	p->queued = false;
	process.n_queued--;
	if (p->taken)
		p->taken(p, NULL);
	else
		heap_free(p);
}

void signal_queue_drop(struct signal_queue *q, uint64_t mask)
{
	if (!(q->set & mask))
		return;
	q->set &= ~mask;
	struct pending_signal *p, *next;
	list_for_each_safe (p, next, &q->entries, link)
		if (signal_bit(p->info.si_signo) & mask)
			entry_drop(p);
}

void signal_queue_clear(struct signal_queue *q)
{
	irq_state state = spin_lock(&process.signal_lock);
	signal_queue_drop(q, ~0ull);
	spin_unlock(&process.signal_lock, state);
}

static struct pending_signal *entry_new(int signal, const struct linux_siginfo *info)
{
	if (process.n_queued >= process.limits[RLIMIT_SIGPENDING].current)
		return NULL;
	struct pending_signal *p = heap_zalloc(sizeof(*p));
	if (!p)
		return NULL;
	if (info)
		p->info = *info;
	else
		p->info.rt.pid = PROCESS_ID, p->info.rt.uid = process.uid;
	p->info.si_signo = signal;
	return p;
}

int signal_queue_add(struct signal_queue *q, int signal, const struct linux_siginfo *info,
	struct pending_signal *entry)
{
	if (signal < SIGRTMIN && (q->set & signal_bit(signal)))
		return 0;
	struct pending_signal *p = entry ? entry : entry_new(signal, info);
	/* Without memory an ordinary signal arrives all the same, without its information. */
	if (!p && signal >= SIGRTMIN && info && info->si_code != SI_USER)
		return -EAGAIN;
	q->set |= signal_bit(signal);
	if (p) {
		p->queued = true;
		list_push_back(&q->entries, &p->link);
		process.n_queued++;
	}
	return 0;
}

void signal_queue_settle(struct signal_queue *q, int signal)
{
	struct pending_signal *p;
	list_for_each (p, &q->entries, link)
		if (p->info.si_signo == signal)
			return;
	q->set &= ~signal_bit(signal);
}

static void entry_take(struct signal_queue *q, struct pending_signal *p, struct linux_siginfo *info)
{
	*info = p->info;
	list_remove(&p->link);
	p->queued = false;
	process.n_queued--;
	if (p->taken)
		p->taken(p, info);
	else
		heap_free(p);
	signal_queue_settle(q, info->si_signo);
}

int signal_queue_take(struct signal_queue *q, uint64_t mask, struct linux_siginfo *info)
{
	uint64_t due = q->set & mask;
	if (!due)
		return 0;
	if (due & SYNCHRONOUS)
		due &= SYNCHRONOUS;
	int signal = __builtin_ctzll(due) + 1;
	struct pending_signal *p;
	list_for_each (p, &q->entries, link)
		if (p->info.si_signo == signal) {
			entry_take(q, p, info);
			return signal;
		}
	q->set &= ~signal_bit(signal);
	*info = (struct linux_siginfo){.si_signo = signal};
	return signal;
}

void signal_recheck(struct task *t)
{
	if ((t->pending.set | process.pending.set) & ~t->blocked)
		atomic_fetch_or(&t->thread.arch.user_work, WORK_SIGNAL);
}
