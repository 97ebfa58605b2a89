/* The monotonic clock does not step back between CPUs. */
/* test: cpus=4 */
#include "lib/check.h"

static atomic_ulong latest;
static atomic_long backwards;

static void *reader(void *unused)
{
	for (int i = 0; i < 50000; i++) {
		uint64_t seen = latest, now = now_ns(CLOCK_MONOTONIC);
		if (now < seen)
			backwards++;
		while (now > seen && !atomic_compare_exchange_weak(&latest, &seen, now))
			;
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[4];
	for (int i = 0; i < 4; i++)
		thread[i] = start(reader, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("%ld steps back\n", backwards);
	return 0;
}
