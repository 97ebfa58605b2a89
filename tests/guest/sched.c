/* Scheduling calls: yield, affinity, getcpu, policies and priorities. */
/* test: cpus=1 */
#include "lib/check.h"
#include <sched.h>
#include <sys/resource.h>

int main(void)
{
	cpu_set_t set;
	unsigned cpu = 99;
	struct sched_param param;
	show(sched_yield());
	show(sched_getaffinity(0, sizeof(set), &set));
	printf("%d CPUs\n", CPU_COUNT(&set));
	show(sched_setaffinity(0, sizeof(set), &set));
	is((int)syscall(SYS_sched_getaffinity, 0, sizeof(set), &set) > 0);
	show(syscall(SYS_sched_getaffinity, 0, 1, &set));
	show(syscall(SYS_sched_getaffinity, 0, sizeof(set), NULL));
	CPU_ZERO(&set);
	show(sched_setaffinity(0, sizeof(set), &set));
	show(syscall(SYS_getcpu, &cpu, NULL, NULL));
	is(cpu < 1024 && sched_getcpu() == (int)cpu);
	show(sched_getscheduler(0));
	show(sched_getparam(0, &param));
	printf("%d\n", param.sched_priority);
	show(sched_get_priority_max(SCHED_FIFO));
	show(sched_get_priority_min(SCHED_RR));
	show(sched_get_priority_max(77));
	show(getpriority(PRIO_PROCESS, 0));
	show(sched_getscheduler(-5));
	return 0;
}
