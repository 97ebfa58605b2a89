/* sigsuspend lets a signal in, returns EINTR after its handler, and restores the mask. */
#include "lib/check.h"

static volatile int caught;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	caught++;
}

static void *sender(void *main_thread)
{
	for (int i = 0; i < 20; i++) {
		sleep_ms(5);
		pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
	}
	return NULL;
}

int main(void)
{
	sigset_t block, none, now;
	handle(SIGUSR1, on_signal, 0);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &block, NULL));
	raise(SIGUSR1);
	printf("caught %d\n", caught);
	show(sigsuspend(&none));
	printf("caught %d\n", caught);
	must(sigprocmask(SIG_BLOCK, NULL, &now));
	printf("blocked again: %d\n", sigismember(&now, SIGUSR1));
	pthread_t self = pthread_self(), thread = start(sender, &self);
	show(sigsuspend(&none));
	pthread_join(thread, NULL);
	must(sigprocmask(SIG_UNBLOCK, &block, NULL));
	is(caught >= 2);
	return 0;
}
