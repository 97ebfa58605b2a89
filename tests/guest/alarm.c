/* alarm: fires once, can be taken back, tells the seconds that were left. */
#include "lib/check.h"

static volatile int caught;

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	caught++;
}

int main(void)
{
	handle(SIGALRM, on_alarm, 0);
	show(alarm(100));
	show(alarm(50));
	show(alarm(0));
	show(alarm(0));
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	alarm(1);
	show(pause());
	uint64_t took = now_ns(CLOCK_MONOTONIC) - begin;
	is(took >= 990000000 && took < 3000000000);
	printf("%d\n", caught);
	return 0;
}
