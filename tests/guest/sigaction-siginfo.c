/* siginfo tells who sent a signal and how; sigaction gives back what was set. */
#include "lib/check.h"

static void on_signal(int sig, siginfo_t *info, void *context)
{
	printf("signal %d code %d pid %s uid %d value %d\n", sig, info->si_code,
		info->si_pid == getpid() ? "own" : "other", info->si_uid,
		info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
}

int main(void)
{
	struct sigaction old;
	handle(SIGUSR1, on_signal, SA_RESTART);
	must(sigaction(SIGUSR1, NULL, &old));
	printf("flags %#x handler %s\n", old.sa_flags & ~0x04000000,
		old.sa_sigaction == on_signal ? "same" : "other");
	show(kill(getpid(), SIGUSR1));
	show(raise(SIGUSR1));
	show(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 1234}));
	show(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1));
	show(kill(getpid(), 0));
	show(kill(getpid(), 65));
	show(kill(0x3ffffff, 0));
	show(sigaction(SIGKILL, &old, NULL));
	show(sigaction(SIGSTOP, &old, NULL));
	show(sigaction(65, &old, NULL));
	show(sigaction(SIGKILL, NULL, &old));
	return 0;
}
