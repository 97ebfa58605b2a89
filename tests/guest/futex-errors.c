/* futex: bad addresses, misaligned words, and a signal that interrupts. */
#include "lib/check.h"
#include <linux/futex.h>

static uint32_t words[2];

static void on_alarm(int sig, siginfo_t *info, void *context)
{
}

int main(void)
{
	show(syscall(SYS_futex, NULL, FUTEX_WAIT, 0, NULL));
	show(syscall(SYS_futex, (char *)words + 1, FUTEX_WAIT, 0, NULL));
	show(syscall(SYS_futex, (char *)words + 2, FUTEX_WAKE, 1, NULL));
	show(syscall(SYS_futex, words, FUTEX_WAIT, 0, wild()));
	show(syscall(SYS_futex, words, FUTEX_REQUEUE, 1, -1, words + 1));
	show(syscall(SYS_futex, 0xffff800000000000, FUTEX_WAKE, 1));
	handle(SIGALRM, on_alarm, 0);
	ualarm(50000, 0);
	show(syscall(SYS_futex, words, FUTEX_WAIT_PRIVATE, 0, NULL));
	return 0;
}
