/* pidfd_open(2): a descriptor for the process, or with PIDFD_THREAD for one of its threads. */
#pragma once

#include "kernel/proc/process.h"

#define PIDFD_NONBLOCK 04000u
#define PIDFD_THREAD 0200u

/* -EINVAL, -ESRCH; -ENOENT: not the process's first thread. */
int pidfd_create(int pid, unsigned flags, struct file **out) must_check;
/* The task it stands for, counted.  -EBADF: no pidfd; -ESRCH: the thread is gone. */
int pidfd_task(const struct file *f, struct task **out) must_check;
/* It stands for one thread, not for the process. */
bool pidfd_is_thread(const struct file *f);
