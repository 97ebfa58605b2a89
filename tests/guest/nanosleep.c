/* Sleeping: never too short, absolute, in the past, refused, interrupted with the rest told. */
#include "lib/check.h"

static void on_alarm(int sig, siginfo_t *info, void *context)
{
}

int main(void)
{
	struct timespec t, left = {0};
	int early = 0;
	for (int i = 0; i < 20; i++) {
		uint64_t begin = now_ns(CLOCK_MONOTONIC);
		t = (struct timespec){0, 1000000 + i * 100000};
		must(nanosleep(&t, NULL));
		early += now_ns(CLOCK_MONOTONIC) - begin < (uint64_t)t.tv_nsec;
	}
	printf("%d early\n", early);
	uint64_t until = now_ns(CLOCK_MONOTONIC) + 30000000;
	t = (struct timespec){until / 1000000000, until % 1000000000};
	show(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	is(now_ns(CLOCK_MONOTONIC) >= until);
	show(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	until = now_ns(CLOCK_REALTIME) + 20000000;
	t = (struct timespec){until / 1000000000, until % 1000000000};
	show(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL));
	is(now_ns(CLOCK_REALTIME) >= until);
	show(nanosleep(&(struct timespec){0, 1000000000}, NULL));
	show(nanosleep(&(struct timespec){-1, 0}, NULL));
	show(nanosleep(wild(), NULL));
	show(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL));
	show(clock_nanosleep(99, 0, &t, NULL));
	handle(SIGALRM, on_alarm, SA_RESTART);
	ualarm(50000, 0);
	show(nanosleep(&(struct timespec){10, 0}, &left));
	is(left.tv_sec == 9);
	ualarm(50000, 0);
	show(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){10, 0}, &left));
	is(left.tv_sec == 9);
	show(usleep(1000));
	return 0;
}
