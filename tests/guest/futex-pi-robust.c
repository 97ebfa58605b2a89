/* Mutexes that inherit priority and outlive their owner: EOWNERDEAD, also for who waits; timed locks; signals. */
/* test: cpus=2 */
#include "lib/check.h"

static pthread_mutex_t lock;
static atomic_int locked, caught;

static const char *name(int err)
{
	return err ? strerrorname_np(err) : "ok";
}

static void *leaves_it_locked(void *wait_ms)
{
	pthread_mutex_lock(&lock);
	locked = 1;
	sleep_ms((intptr_t)wait_ms);
	return NULL;
}

static void *locks_once(void *unused)
{
	int err = pthread_mutex_lock(&lock);
	printf("waiter: %s\n", name(err));
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	caught++;
}

int main(void)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	must(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT) ? -1 : 0);
	must(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST) ? -1 : 0);
	pthread_mutex_init(&lock, &a);
	/* Dead before anybody asks. */
	pthread_join(start(leaves_it_locked, NULL), NULL);
	printf("%s\n", name(pthread_mutex_lock(&lock)));
	printf("%s\n", name(pthread_mutex_consistent(&lock)));
	printf("%s\n", name(pthread_mutex_unlock(&lock)));
	/* Dead while somebody waits. */
	locked = 0;
	pthread_t t = start(leaves_it_locked, (void *)50);
	while (!locked)
		sched_yield();
	printf("%s\n", name(pthread_mutex_trylock(&lock)));
	printf("%s\n", name(pthread_mutex_lock(&lock)));
	pthread_join(t, NULL);
	printf("%s\n", name(pthread_mutex_consistent(&lock)));
	/* A handler in the middle of waiting: the wait goes on. */
	handle(SIGUSR1, on_signal, 0);
	t = start(locks_once, NULL);
	sleep_ms(30);
	pthread_kill(t, SIGUSR1);
	sleep_ms(30);
	printf("caught %d\n", caught);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
	pthread_join(t, NULL);
	/* Not recoverable: unlocked without being made consistent. */
	pthread_join(start(leaves_it_locked, NULL), NULL);
	printf("%s\n", name(pthread_mutex_lock(&lock)));
	pthread_mutex_unlock(&lock);
	printf("%s\n", name(pthread_mutex_lock(&lock)));
	return 0;
}
