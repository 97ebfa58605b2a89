/* Cancelling threads that block in read, sleep, and on a condition; clean-up handlers run. */
#include "lib/check.h"

static int pipe_fd[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void clean(void *what)
{
	printf("clean-up: %s\n", (char *)what);
}

static void unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
	puts("clean-up: unlock");
}

static void *reads(void *unused)
{
	char c;
	pthread_cleanup_push(clean, "read");
	must(read(pipe_fd[0], &c, 1));
	pthread_cleanup_pop(0);
	return NULL;
}

static void *sleeps(void *unused)
{
	pthread_cleanup_push(clean, "sleep");
	sleep(1000);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *waits(void *unused)
{
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock, &lock);
	for (;;)
		pthread_cond_wait(&never, &lock);
	pthread_cleanup_pop(1);
	return NULL;
}

static void *computes(void *unused)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (volatile long n = 0;; n++)
		;
	return NULL;
}

static void cancel(void *(*function)(void *))
{
	pthread_t thread = start(function, NULL);
	void *result;
	sleep_ms(50);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("%s\n", result == PTHREAD_CANCELED ? "cancelled" : "ended by itself");
}

int main(void)
{
	must(pipe(pipe_fd));
	cancel(reads);
	cancel(sleeps);
	cancel(waits);
	cancel(computes);
	printf("%d\n", pthread_mutex_trylock(&lock));
	return 0;
}
