/* sigwaitinfo and sigtimedwait take pending signals, wait for them, and time out. */
#include "lib/check.h"

static void *sender(void *unused)
{
	sleep_ms(50);
	sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 7});
	return NULL;
}

int main(void)
{
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	show(sigwaitinfo(&set, &info));
	printf("code %d\n", info.si_code);
	show(sigtimedwait(&set, &info, &(struct timespec){0, 0}));
	show(sigtimedwait(&set, &info, &(struct timespec){0, 30000000}));
	pthread_t thread = start(sender, NULL);
	show(sigwaitinfo(&set, &info));
	printf("code %d value %d\n", info.si_code, info.si_value.sival_int);
	pthread_join(thread, NULL);
	show(sigtimedwait(&set, &info, &(struct timespec){0, -1}));
	show(sigtimedwait(&set, wild(), &(struct timespec){0, 0}));
	int sig;
	raise(SIGUSR2);
	printf("%d ", sigwait(&set, &sig));
	printf("%d\n", sig);
	return 0;
}
