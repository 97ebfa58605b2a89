/* A handler for SIGABRT that returns does not stop the abort. */
#include "lib/check.h"

static void on_abort(int sig, siginfo_t *info, void *context)
{
	puts("in the handler");
	fflush(stdout);
}

int main(void)
{
	handle(SIGABRT, on_abort, 0);
	abort();
}
