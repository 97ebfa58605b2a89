/* Blocked signals stay pending, one of each kind, and come when let through. */
/* test: cpus=2 */
#include "lib/check.h"

static void on_signal(int sig, siginfo_t *info, void *context)
{
	printf("got %d\n", sig);
}

static void pending(void)
{
	sigset_t set;
	must(sigpending(&set));
	printf("pending:");
	for (int s = 1; s < 32; s++)
		if (sigismember(&set, s))
			printf(" %d", s);
	puts("");
}

static void *inherits(void *unused)
{
	sigset_t set;
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	printf("a new thread blocks: %d %d\n", sigismember(&set, SIGUSR1),
		sigismember(&set, SIGUSR2));
	return NULL;
}

int main(void)
{
	sigset_t set, old;
	handle(SIGUSR1, on_signal, 0);
	handle(SIGUSR2, on_signal, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, &old));
	for (int i = 0; i < 3; i++)
		kill(getpid(), SIGUSR1);
	raise(SIGUSR2);
	pending();
	pthread_join(start(inherits, NULL), NULL);
	must(sigprocmask(SIG_SETMASK, &old, NULL));
	pending();
	sigfillset(&set);
	must(sigprocmask(SIG_SETMASK, &set, NULL));
	must(sigprocmask(SIG_BLOCK, NULL, &set));
	printf("SIGKILL blocked: %d\n", sigismember(&set, SIGKILL));
	show(sigprocmask(77, &set, NULL));
	show(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
	show(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8));
	return 0;
}
