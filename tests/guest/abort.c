/* abort ends by SIGABRT, also when it is blocked and ignored. */
#include "lib/check.h"

int main(void)
{
	sigset_t set;
	sigfillset(&set);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	signal(SIGABRT, SIG_IGN);
	puts("aborting");
	fflush(stdout);
	abort();
}
