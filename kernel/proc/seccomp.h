/*
 * seccomp(2): programs of classic BPF that decide about every system call of a thread.  While no
 * thread has one, the dispatcher does not even ask.
 */
#pragma once

#include "abi/linux/seccomp.h"
#include "kernel/proc/process.h"

struct seccomp_filter;

/* Takes a checked program (heap) over, whatever it returns.  SECCOMP_FILTER_FLAG_: with TSYNC 0, or the tid of a
 * thread that has filters of its own (-ESRCH with TSYNC_ESRCH).  -EACCES, -EINVAL, -ENOMEM. */
long seccomp_add(struct linux_sock_filter *program, unsigned n, unsigned flags) must_check;
/* -EINVAL: there are filters already. */
int seccomp_set_strict(void) must_check;
/* A new thread has what the current one has. */
void seccomp_inherit(struct task *t);
void seccomp_release(struct task *t);
unsigned seccomp_count(const struct task *t); /* filters it has */

/* Before each call of the current thread: true: it may go on.  Otherwise *result is what it returns, unless the thread
 * was told to end or a signal is due. */
bool seccomp_allows(struct trap_frame *f, unsigned number, const unsigned long args[6],
	long *result) must_check;
bool seccomp_action_known(uint32_t action);
