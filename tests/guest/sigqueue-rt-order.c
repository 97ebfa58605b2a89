/* Real-time signals queue: lowest number first, each number in order, each with its value. */
#include "lib/check.h"

static void on_signal(int sig, siginfo_t *info, void *context)
{
	printf("RTMIN+%d value %d\n", sig - SIGRTMIN, info->si_value.sival_int);
}

int main(void)
{
	sigset_t set;
	sigemptyset(&set);
	for (int i = 0; i < 4; i++) {
		struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
		sigfillset(&action.sa_mask);
		must(sigaction(SIGRTMIN + i, &action, NULL));
		sigaddset(&set, SIGRTMIN + i);
	}
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int n = 0; n < 3; n++)
		for (int i = 3; i >= 0; i--)
			must(sigqueue(
				getpid(), SIGRTMIN + i, (union sigval){.sival_int = n * 10 + i}));
	must(sigprocmask(SIG_UNBLOCK, &set, NULL));
	return 0;
}
