/* RLIMIT_CPU: SIGXCPU at the soft limit and again a second later, SIGKILL at the hard one. */
#include "lib/check.h"
#include <sys/resource.h>

static void on_limit(int sig, siginfo_t *info, void *context)
{
	static int n;
	char line[] = "SIGXCPU 0\n";
	line[8] += ++n;
	write(1, line, sizeof(line) - 1);
}

int main(void)
{
	struct rlimit l = {1, 3};
	handle(SIGXCPU, on_limit, 0);
	must(setrlimit(RLIMIT_CPU, &l));
	for (;;)
		;
}
