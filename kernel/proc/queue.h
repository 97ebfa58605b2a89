/* Queues of pending signals and the rules of dropping them: signal.c and deliver.c share these.  Under signal_lock. */
#pragma once

#include "kernel/proc/signal.h"

#define SIGNALS_UNBLOCKABLE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

enum signal_default {
	DEFAULT_TERMINATE,
	DEFAULT_CORE,
	DEFAULT_IGNORE,
	DEFAULT_STOP,
	DEFAULT_CONTINUE
};
enum signal_default signal_default_action(int signal);
/* Its action means that nothing happens. */
bool signal_ignored(int signal);

/* entry NULL: one is made from info.  0; -EAGAIN when a real-time signal finds no room. */
int signal_queue_add(struct signal_queue *q, int signal, const struct linux_siginfo *info,
	struct pending_signal *entry) must_check;
/* The most urgent signal of mask, taken out, or 0. */
int signal_queue_take(struct signal_queue *q, uint64_t mask, struct linux_siginfo *info);
void signal_queue_drop(struct signal_queue *q, uint64_t mask);
/* An entry of that signal was taken off by hand: the set follows. */
void signal_queue_settle(struct signal_queue *q, int signal);
/* Set WORK_SIGNAL for the current task when something is due. */
void signal_recheck(struct task *t);
