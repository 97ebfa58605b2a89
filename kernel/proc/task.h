/* Making tasks, and their queues of signals: for the files of this folder. */
#pragma once

#include "kernel/proc/process.h"

/* Not running, in no list.  -ENOMEM, -EAGAIN. */
int task_create(const char *name, void (*entry)(void *), void *arg, struct task **out) must_check;
/* Give it a tid and put it into the process.  -EAGAIN: RLIMIT_NPROC; -EINTR: the process is ending. */
int task_add(struct task *t) must_check;

void signal_queue_init(struct signal_queue *q);
void signal_queue_clear(struct signal_queue *q);
