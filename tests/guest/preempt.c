/* A thread that never calls the kernel does not keep the others from running. */
/* test: cpus=1 */
#include "lib/check.h"

static atomic_int stop;

static void *spins(void *unused)
{
	while (!stop)
		;
	return NULL;
}

int main(void)
{
	pthread_t thread[3];
	for (int i = 0; i < 3; i++)
		thread[i] = start(spins, NULL);
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < 5; i++)
		sleep_ms(10);
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	uint64_t took = now_ns(CLOCK_MONOTONIC) - begin;
	is(took >= 50000000);
	is(took < 5000000000);
	return 0;
}
