/* Priority-inheriting mutexes work, or are refused cleanly when they are made. */
/* test: cpus=2 */
#include "lib/check.h"

static pthread_mutex_t lock;
static long counter;

static void *worker(void *unused)
{
	for (int i = 0; i < 3000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	if (pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT) != 0 ||
		pthread_mutex_init(&lock, &attr) != 0) {
		puts("6000");
		return 0;
	}
	pthread_t a = start(worker, NULL), b = start(worker, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	printf("%ld\n", counter);
	return 0;
}
