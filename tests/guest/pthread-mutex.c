/* Mutexes of every kind: contended, recursive, error-checking, timed, read-write, spin. */
/* test: cpus=4 */
#include "lib/check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static long counter[3];

static void *worker(void *unused)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		counter[0]++;
		pthread_mutex_unlock(&lock);
		if (i % 8 == 0) {
			pthread_rwlock_wrlock(&rwlock);
			counter[1]++;
			pthread_rwlock_unlock(&rwlock);
		} else {
			pthread_rwlock_rdlock(&rwlock);
			pthread_rwlock_unlock(&rwlock);
		}
		if (i % 64 == 0) {
			pthread_spin_lock(&spin);
			counter[2]++;
			pthread_spin_unlock(&spin);
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[4];
	pthread_spin_init(&spin, 0);
	for (int i = 0; i < 4; i++)
		thread[i] = start(worker, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("%ld %ld %ld\n", counter[0], counter[1], counter[2]);
	pthread_mutexattr_t attr;
	pthread_mutex_t m;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&m, &attr);
	pthread_mutex_lock(&m);
	printf("%s\n", strerrorname_np(pthread_mutex_lock(&m)));
	pthread_mutex_unlock(&m);
	printf("%s\n", strerrorname_np(pthread_mutex_unlock(&m)));
	pthread_mutex_lock(&lock);
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 50000000;
	if (t.tv_nsec >= 1000000000)
		t = (struct timespec){t.tv_sec + 1, t.tv_nsec - 1000000000};
	printf("%s\n", strerrorname_np(pthread_mutex_timedlock(&lock, &t)));
	return 0;
}
