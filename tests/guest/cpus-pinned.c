/* sched_setaffinity moves a thread at once; the others keep theirs. */
/* test: cpus=2 */
#include "lib/check.h"
#include <sched.h>

static void *pinned(void *cpu)
{
	cpu_set_t set;
	long wrong = 0;
	CPU_ZERO(&set);
	CPU_SET((long)cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	for (int i = 0; i < 3000; i++) {
		wrong += sched_getcpu() != (long)cpu;
		if (i % 10 == 0)
			sched_yield();
	}
	must(sched_getaffinity(0, sizeof(set), &set));
	return (void *)(wrong * 10 + CPU_COUNT(&set));
}

int main(void)
{
	pthread_t thread[4];
	cpu_set_t set;
	for (long i = 0; i < 4; i++)
		thread[i] = start(pinned, (void *)(i % 2));
	for (int i = 0; i < 4; i++) {
		void *result;
		pthread_join(thread[i], &result);
		printf("%ld\n", (long)result);
	}
	must(sched_getaffinity(0, sizeof(set), &set));
	printf("%d\n", CPU_COUNT(&set));
	return 0;
}
