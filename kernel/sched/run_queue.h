/* Inside the scheduler: what thread.c and run_queue.c share. */
#pragma once

#include "kernel/sched/thread.h"

/* Interrupts are off, self is the current thread.  Run something else; returns when self is to go on.
 * Its state says what becomes of it: blocked, dead; running ones must be in a queue or leaving. */
void run_queue_leave(struct thread *self);
/* A thread that has become runnable, in no queue.  Any context. */
void run_queue_add(struct thread *t);
/* Interrupts are off.  Let others run first, if there are any; the current thread stays runnable. */
void run_queue_yield(struct thread *self);
