/* Nice values, I/O priorities and scheduling attributes: read, set, refused. */
#include "lib/check.h"
#include <sched.h>
#include <sys/resource.h>

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

int main(void)
{
	struct sched_param p = {0};
	struct attributes a = {0};
	struct timespec t;
	show(setpriority(PRIO_PROCESS, 0, 5));
	show(getpriority(PRIO_PROCESS, 0));
	show(setpriority(PRIO_PROCESS, 0, 100));
	show(getpriority(PRIO_PROCESS, 0));
	show(setpriority(7, 0, 0));
	show(nice(-3));
	show(getpriority(PRIO_PROCESS, gettid()));
	show(sched_setparam(0, &p));
	p.sched_priority = 3;
	show(sched_setparam(0, &p));
	show(sched_setscheduler(0, SCHED_OTHER, &p));
	p.sched_priority = 0;
	show(sched_setscheduler(0, SCHED_BATCH, &p));
	show(sched_getscheduler(0));
	show(sched_setscheduler(0, SCHED_OTHER, &p));
	show(syscall(SYS_sched_getattr, 0, &a, 48, 0));
	printf("policy %u nice %d\n", a.policy, a.nice);
	show(syscall(SYS_sched_getattr, 0, &a, 4, 0));
	show(syscall(SYS_sched_setattr, 0, &a, 0));
	show(syscall(SYS_sched_setattr, 0, NULL, 0));
	show(sched_rr_get_interval(0, &t) == 0 ? 0 : -1);
	show(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 4));
	show(syscall(SYS_ioprio_get, 1, 0));
	show(syscall(SYS_ioprio_get, 9, 0));
	return 0;
}
