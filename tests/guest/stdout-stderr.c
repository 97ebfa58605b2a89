/* Both outputs, written from four threads, come whole lines at a time and none is lost. */
/* test: cpus=4 */
#include "lib/check.h"

static atomic_int turn;

static void *writer(void *id)
{
	char line[64];
	for (int i = 0; i < 50; i++) {
		while (turn % 4 != (long)id)
			sched_yield();
		int n = sprintf(line, "%ld writes line %d\n", (long)id, i);
		must(write(i % 2 ? 1 : 2, line, n));
		turn++;
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[4];
	for (long i = 0; i < 4; i++)
		thread[i] = start(writer, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
