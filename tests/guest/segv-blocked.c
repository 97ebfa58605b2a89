/* A fault while SIGSEGV is blocked ends the program; the handler does not run. */
#include "lib/check.h"

static void on_fault(int sig, siginfo_t *info, void *context)
{
	_exit(3);
}

int main(void)
{
	sigset_t set;
	handle(SIGSEGV, on_fault, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	puts("faulting");
	fflush(stdout);
	*(volatile int *)8 = 1;
	return 0;
}
