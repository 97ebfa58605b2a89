/* Clocks: every kind, resolutions, order, thread and process CPU time. */
#include "lib/check.h"

int main(void)
{
	struct timespec t, s;
	const clockid_t all[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
		CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
	for (size_t i = 0; i < COUNT(all); i++) {
		s = (struct timespec){0};
		printf("clock %d: %d %d", all[i], clock_gettime(all[i], &t),
			clock_getres(all[i], &s));
		printf(" %s\n", s.tv_sec == 0 && s.tv_nsec > 0 ? "resolution" : "none");
	}
	uint64_t last = 0, backwards = 0;
	for (int i = 0; i < 100000; i++) {
		uint64_t now = now_ns(CLOCK_MONOTONIC);
		backwards += now < last;
		last = now;
	}
	printf("%lu steps back\n", backwards);
	is(time(NULL) > 1700000000);
	struct timeval tv;
	show(gettimeofday(&tv, NULL));
	is(labs(tv.tv_sec - time(NULL)) <= 1);
	is(now_ns(CLOCK_REALTIME) / 1000000000 - tv.tv_sec <= 1);
	uint64_t cpu = now_ns(CLOCK_THREAD_CPUTIME_ID), wall = now_ns(CLOCK_MONOTONIC);
	sleep_ms(60);
	is(now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu < 40000000);
	is(now_ns(CLOCK_MONOTONIC) - wall >= 60000000);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (volatile long i = 0; i < 20000000; i++)
		;
	is(now_ns(CLOCK_PROCESS_CPUTIME_ID) > cpu);
	show(clock_gettime(99, &t));
	show(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8));
	show(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
	clockid_t own;
	show(clock_getcpuclockid(0, &own));
	show(clock_gettime(own, &t));
	return 0;
}
