/* A queue between eight threads on four CPUs: a hundred thousand items, each taken once. */
/* test: cpus=4 */
#include "lib/check.h"

enum { ITEMS = 50000, ROOM = 16 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queue[ROOM], head, count, made, taken;
static long sum;

static void *producer(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		while (count == ROOM)
			pthread_cond_wait(&not_full, &lock);
		if (made == ITEMS) {
			pthread_mutex_unlock(&lock);
			return NULL;
		}
		queue[(head + count++) % ROOM] = made++;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&lock);
	}
}

static void *consumer(void *unused)
{
	pthread_mutex_lock(&lock);
	for (;;) {
		while (count == 0 && taken < ITEMS)
			pthread_cond_wait(&not_empty, &lock);
		if (taken == ITEMS)
			break;
		sum += queue[head];
		head = (head + 1) % ROOM;
		count--;
		if (++taken == ITEMS)
			pthread_cond_broadcast(&not_empty);
		pthread_cond_broadcast(&not_full);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t thread[8];
	for (int i = 0; i < 8; i++)
		thread[i] = start(i < 4 ? producer : consumer, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	printf("%d made, %d taken, sum %ld\n", made, taken, sum);
	return 0;
}
