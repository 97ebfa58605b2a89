/* Condition variables: signal, broadcast, timed wait on both clocks; semaphores; once. */
/* test: cpus=2 */
#include "lib/check.h"
#include <semaphore.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ping = PTHREAD_COND_INITIALIZER, pong = PTHREAD_COND_INITIALIZER;
static int turn, rounds;
static sem_t sem;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void only_once(void)
{
	puts("once");
}

static void *partner(void *unused)
{
	pthread_once(&once, only_once);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 1000; i++) {
		while (turn != 1)
			pthread_cond_wait(&ping, &lock);
		turn = 0;
		rounds++;
		pthread_cond_signal(&pong);
	}
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 1000; i++)
		sem_post(&sem);
	return NULL;
}

static void timed_wait(clockid_t clock)
{
	pthread_condattr_t attr;
	pthread_cond_t never;
	struct timespec t;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, clock);
	pthread_cond_init(&never, &attr);
	uint64_t begin = now_ns(CLOCK_MONOTONIC), until = now_ns(clock) + 80000000;
	t = (struct timespec){until / 1000000000, until % 1000000000};
	pthread_mutex_lock(&lock);
	printf("%s", strerrorname_np(pthread_cond_timedwait(&never, &lock, &t)));
	pthread_mutex_unlock(&lock);
	printf(" %s\n", now_ns(CLOCK_MONOTONIC) - begin >= 79000000 ? "in time" : "early");
}

int main(void)
{
	sem_init(&sem, 0, 0);
	pthread_t thread = start(partner, NULL);
	pthread_once(&once, only_once);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 1000; i++) {
		turn = 1;
		pthread_cond_signal(&ping);
		while (turn != 0)
			pthread_cond_wait(&pong, &lock);
	}
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 1000; i++)
		sem_wait(&sem);
	pthread_join(thread, NULL);
	printf("%d rounds, semaphore %d\n", rounds, sem_trywait(&sem));
	timed_wait(CLOCK_REALTIME);
	timed_wait(CLOCK_MONOTONIC);
	return 0;
}
