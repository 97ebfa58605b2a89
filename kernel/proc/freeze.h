/*
 * The program stands still, for whoever looks at it from outside (kernel/inspect): its threads wait at the border to the
 * program, their registers in memory.
 */
#pragma once

#include "kernel/proc/process.h"

/* Who watches the program; NULL: nobody. */
struct program_watcher {
	/* A signal is about to be delivered to the current thread; the one to deliver instead, 0: none.  May sleep. */
	int (*signal)(struct linux_siginfo *info, bool ends, struct trap_frame *f);
};
extern const struct program_watcher *program_watcher;

/* Bring all threads to the border: waits until they stand there, or a second; how many do.  Sleeps.  By a thread of
 * the program: the others. */
unsigned process_freeze(void);
/* All go on, but those that are held. */
void process_thaw(void);
/* The current thread: wait at the border while the program is frozen or the thread held. */
void freeze_wait(struct task *t);
