/* timerfd: counts expirations, absolute and relative, pollable, and tells what is left. */
#include "lib/check.h"
#include <sys/timerfd.h>

int main(void)
{
	uint64_t n = 0;
	struct itimerspec t = {{0, 0}, {0, 30000000}}, old;
	int fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	show(read(fd, &n, 8));
	show(timerfd_settime(fd, 0, &t, NULL));
	struct pollfd p = {fd, POLLIN, 0};
	show(poll(&p, 1, 0));
	show(poll(&p, 1, 5000));
	show(read(fd, &n, 4));
	show(read(fd, &n, 8));
	printf("%lu\n", n);
	show(read(fd, &n, 8));
	t = (struct itimerspec){{0, 5000000}, {0, 5000000}};
	show(timerfd_settime(fd, 0, &t, NULL));
	sleep_ms(60);
	show(read(fd, &n, 8));
	is(n >= 10);
	show(timerfd_gettime(fd, &old));
	printf("%ld\n", old.it_interval.tv_nsec);
	t = (struct itimerspec){0};
	show(timerfd_settime(fd, 0, &t, &old));
	is(old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 5000000);
	show(poll(&p, 1, 30));
	uint64_t past = now_ns(CLOCK_MONOTONIC) - 1000000;
	t.it_value = (struct timespec){past / 1000000000, past % 1000000000};
	show(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
	show(read(fd, &n, 8));
	int blocking = must(timerfd_create(CLOCK_REALTIME, 0));
	t.it_value = (struct timespec){0, 20000000};
	show(timerfd_settime(blocking, 0, &t, NULL));
	show(read(blocking, &n, 8));
	show(write(blocking, &n, 8));
	show(timerfd_create(99, 0));
	show(timerfd_create(CLOCK_MONOTONIC, 1));
	show(timerfd_settime(1, 0, &t, NULL));
	return 0;
}
