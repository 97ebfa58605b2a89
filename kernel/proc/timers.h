/* The process's timers: setitimer(2), alarm(2), timer_create(2).  Times are nanoseconds. */
#pragma once

#include "abi/linux/time.h"
#include "kernel/proc/process.h"

struct timer_setting {
	uint64_t value_ns;    /* until it fires; 0: not armed */
	uint64_t interval_ns; /* then every so often; 0: once */
};

/* which: ITIMER_.  new NULL: only ask. */
void interval_timer_set(int which, const struct timer_setting *new, struct timer_setting *old);

/* timer_create(2): e already checked for form.  -EAGAIN, -EINVAL (no such clock or thread), -ENOMEM. */
int process_timer_create(int clock, const struct linux_sigevent *e, int *id) must_check;
/* -EINVAL: no such timer.  With absolute, value_ns is a time of its clock. */
int process_timer_set(int id, bool absolute, const struct timer_setting *new,
	struct timer_setting *old) must_check;
int process_timer_get(int id, struct timer_setting *out) must_check;
int process_timer_overrun(int id) must_check;
int process_timer_delete(int id) must_check;

/* RLIMIT_CPU was set: SIGXCPU at the soft limit and every second after, SIGKILL at the hard one. */
void cpu_limit_changed(void);

/* Any clock that clock_gettime(2) reads: 0 and the time; -EINVAL. */
int clock_read(int clock, uint64_t *out) must_check;
/* When a clock that runs with monotonic time will show that time: a deadline for thread_block(). */
uint64_t clock_deadline(int clock, uint64_t at_ns);
/* It counts CPU time. */
bool clock_is_cpu(int clock);
