/* Four threads touch the same fresh pages at once: every increment is there. */
/* test: cpus=4 */
#include "lib/check.h"

enum { PAGES = 512 };
static atomic_int *cell;
static pthread_barrier_t gate;

static void *toucher(void *unused)
{
	for (int round = 0; round < 8; round++) {
		pthread_barrier_wait(&gate);
		for (size_t i = 0; i < PAGES; i++)
			atomic_fetch_add(&cell[i * (PAGE / sizeof(int))], 1);
		if (pthread_barrier_wait(&gate) == PTHREAD_BARRIER_SERIAL_THREAD) {
			long sum = 0;
			for (size_t i = 0; i < PAGES; i++)
				sum += cell[i * (PAGE / sizeof(int))];
			printf("%ld\n", sum);
			madvise(cell, PAGES * PAGE, MADV_DONTNEED);
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[4];
	cell = map_pages(PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pthread_barrier_init(&gate, NULL, 4);
	for (int i = 0; i < 4; i++)
		thread[i] = start(toucher, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
