/* futex_waitv: waiting for any of several words. */
#include "lib/check.h"
#include <linux/futex.h>

static uint32_t words[4];
static struct futex_waitv v[4];

static void *waker(void *which)
{
	sleep_ms(30);
	words[(intptr_t)which] = 1;
	must(syscall(SYS_futex, &words[(intptr_t)which], FUTEX_WAKE_PRIVATE, 1));
	return NULL;
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
}

int main(void)
{
	struct timespec past = {0, 1}, bad = {0, -1}, soon;
	for (int i = 0; i < 4; i++)
		v[i] = (struct futex_waitv){
			.uaddr = (uintptr_t)&words[i], .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
	for (intptr_t i = 0; i < 4; i++) {
		pthread_t t = start(waker, (void *)i);
		show(syscall(SYS_futex_waitv, v, 4, 0, NULL, CLOCK_MONOTONIC));
		pthread_join(t, NULL);
		words[i] = 0;
	}
	words[2] = 5;
	show(syscall(SYS_futex_waitv, v, 4, 0, NULL, CLOCK_MONOTONIC));
	words[2] = 0;
	show(syscall(SYS_futex_waitv, v, 4, 0, &past, CLOCK_MONOTONIC));
	show(syscall(SYS_futex_waitv, v, 4, 0, &past, CLOCK_REALTIME));
	show(syscall(SYS_futex_waitv, v, 4, 0, &past, CLOCK_BOOTTIME));
	show(syscall(SYS_futex_waitv, v, 4, 0, &bad, CLOCK_MONOTONIC));
	show(syscall(SYS_futex_waitv, v, 0, 0, NULL, 0));
	show(syscall(SYS_futex_waitv, v, 129, 0, NULL, 0));
	show(syscall(SYS_futex_waitv, v, 1, 1, NULL, 0));
	show(syscall(SYS_futex_waitv, NULL, 1, 0, NULL, 0));
	show(syscall(SYS_futex_waitv, wild(), 1, 0, NULL, 0));
	v[1].flags = 0;
	show(syscall(SYS_futex_waitv, v, 2, 0, NULL, 0));
	v[1].flags = FUTEX_32;
	v[1].__reserved = 1;
	show(syscall(SYS_futex_waitv, v, 2, 0, NULL, 0));
	v[1].__reserved = 0;
	v[1].uaddr++;
	show(syscall(SYS_futex_waitv, v, 2, 0, NULL, 0));
	v[1].uaddr--;
	handle(SIGALRM, on_alarm, 0);
	ualarm(30000, 0);
	show(syscall(SYS_futex_waitv, v, 2, 0, NULL, 0));
	must(clock_gettime(CLOCK_MONOTONIC, &soon));
	soon.tv_sec++;
	handle(SIGALRM, on_alarm, SA_RESTART);
	ualarm(30000, 0);
	show(syscall(SYS_futex_waitv, v, 2, 0, &soon, CLOCK_MONOTONIC));
	return 0;
}
