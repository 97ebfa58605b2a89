/* SA_RESETHAND, SA_NODEFER, sa_mask and SIG_IGN. */
#include "lib/check.h"

static volatile int depth, deepest, calls;

static void nested(int sig, siginfo_t *info, void *context)
{
	if (++depth > deepest)
		deepest = depth;
	if (++calls < 3)
		raise(sig);
	depth--;
}

static void masked(int sig, siginfo_t *info, void *context)
{
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	for (int s = 1; s < 32; s++)
		if (sigismember(&now, s))
			printf("%d blocked in the handler\n", s);
}

static void once(int sig, siginfo_t *info, void *context)
{
	struct sigaction now;
	sigaction(sig, NULL, &now);
	printf("once, now %s\n", now.sa_handler == SIG_DFL ? "default" : "still set");
}

int main(void)
{
	handle(SIGUSR1, nested, 0);
	raise(SIGUSR1);
	printf("without NODEFER: %d deep\n", deepest);
	deepest = calls = 0;
	handle(SIGUSR1, nested, SA_NODEFER);
	raise(SIGUSR1);
	printf("with NODEFER: %d deep\n", deepest);
	struct sigaction action = {.sa_sigaction = masked, .sa_flags = SA_SIGINFO};
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGTERM);
	sigaddset(&action.sa_mask, SIGKILL);
	must(sigaction(SIGUSR2, &action, NULL));
	raise(SIGUSR2);
	signal(SIGTERM, SIG_IGN);
	raise(SIGTERM);
	raise(SIGCHLD);
	raise(SIGWINCH);
	puts("ignored");
	handle(SIGUSR1, once, SA_RESETHAND);
	raise(SIGUSR1);
	fflush(stdout);
	raise(SIGUSR1);
	return 0;
}
