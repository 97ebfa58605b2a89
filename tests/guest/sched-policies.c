/* Scheduling policies, priorities and I/O priorities: set, told back, refused. */
#include "lib/check.h"
#include <sched.h>
#include <sys/resource.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static void *inherited(void *unused)
{
	struct sched_param p;
	must(sched_getparam(0, &p));
	printf("thread: policy %d priority %d nice %d\n", sched_getscheduler(0), p.sched_priority,
		getpriority(PRIO_PROCESS, 0));
	return NULL;
}

static void set(int policy, int priority)
{
	struct sched_param p = {priority};
	struct timespec t = {9, 9};
	printf("%d/%d: ", policy, priority);
	show(sched_setscheduler(0, policy, &p));
	must(sched_getparam(0, &p));
	must(sched_rr_get_interval(0, &t));
	printf("policy %d priority %d\n", sched_getscheduler(0), p.sched_priority);
	if (sched_getscheduler(0) == SCHED_RR || sched_getscheduler(0) == SCHED_FIFO)
		printf("interval %ld.%ld\n", (long)t.tv_sec, t.tv_nsec);
	pthread_attr_t a;
	pthread_attr_init(&a);
	pthread_attr_setinheritsched(&a, PTHREAD_INHERIT_SCHED);
	pthread_t thread;
	pthread_create(&thread, &a, inherited, NULL);
	pthread_join(thread, NULL);
}

static void attributes(void)
{
	struct attr a = {sizeof(a)};
	show(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0));
	printf("%u %lu %d %u\n", a.policy, a.flags, a.nice, a.priority);
	a = (struct attr){sizeof(a), SCHED_RR, 1, 0, 7};
	show(syscall(SYS_sched_setattr, 0, &a, 0));
	show(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0));
	printf("%u %lu %d %u\n", a.policy, a.flags, a.nice, a.priority);
	a = (struct attr){sizeof(a), SCHED_OTHER, 0, 5, 0};
	show(syscall(SYS_sched_setattr, 0, &a, 0));
	show(getpriority(PRIO_PROCESS, 0));
	a.priority = 1;
	show(syscall(SYS_sched_setattr, 0, &a, 0));
	a.size = 40;
	show(syscall(SYS_sched_setattr, 0, &a, 0));
	a.size = 5000;
	show(syscall(SYS_sched_setattr, 0, &a, 0));
	a = (struct attr){sizeof(a), 20};
	show(syscall(SYS_sched_setattr, 0, &a, 0));
	show(syscall(SYS_sched_setattr, 0, &a, 1));
	show(syscall(SYS_sched_getattr, 0, &a, 47, 0));
	show(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 1));
}

#define BEST(n) (2 << 13 | (n))

static void disk(void)
{
	show(syscall(SYS_ioprio_set, 1, 0, BEST(7)));
	show(syscall(SYS_ioprio_get, 1, 0));
	show(syscall(SYS_ioprio_set, 1, 0, 1 << 13 | 3));
	show(syscall(SYS_ioprio_get, 1, 0));
	show(syscall(SYS_ioprio_set, 1, 0, 3 << 13));
	show(syscall(SYS_ioprio_get, 1, 0));
	show(syscall(SYS_ioprio_set, 1, 0, 5 << 13));
	show(syscall(SYS_ioprio_set, 1, 0, 4));
	show(syscall(SYS_ioprio_set, 9, 0, 0));
	show(syscall(SYS_ioprio_get, 1, 4000000));
	show(syscall(SYS_ioprio_get, 9, 0));
}

int main(void)
{
	struct sched_param p = {5};
	set(SCHED_FIFO, 10);
	set(SCHED_RR, 99);
	show(sched_setparam(0, &p));
	set(SCHED_RR, 100);
	set(SCHED_RR, 0);
	set(SCHED_RR | SCHED_RESET_ON_FORK, 3);
	set(SCHED_OTHER, 0);
	show(sched_setparam(0, &p));
	set(SCHED_OTHER, 1);
	set(SCHED_BATCH, 0);
	set(SCHED_IDLE, 0);
	set(SCHED_OTHER, 0);
	p.sched_priority = 0;
	show(sched_setscheduler(0, 7, &p));
	show(sched_setscheduler(0, 6, &p));
	show(sched_setscheduler(4000000, SCHED_OTHER, &p));
	show(sched_setscheduler(-1, SCHED_OTHER, &p));
	for (int policy = 0; policy < 7; policy++)
		printf("%d: %d to %d\n", policy, sched_get_priority_min(policy),
			sched_get_priority_max(policy));
	attributes();
	disk();
	return 0;
}
