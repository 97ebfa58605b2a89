/* futex: WAKE_BITSET wakes those whose bits match; an empty set is refused. */
#include "lib/check.h"
#include <linux/futex.h>

static uint32_t word;
static atomic_int woken[2];

static long futex(int op, uint32_t value, uint32_t bits)
{
	return syscall(SYS_futex, &word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, bits);
}

static void *waiter(void *bit)
{
	must(futex(FUTEX_WAIT_BITSET, 0, 1u << (long)bit));
	woken[(long)bit] = 1;
	return NULL;
}

int main(void)
{
	pthread_t a = start(waiter, (void *)0), b = start(waiter, (void *)1);
	sleep_ms(100);
	show(futex(FUTEX_WAKE_BITSET, INT_MAX, 4));
	show(futex(FUTEX_WAKE_BITSET, INT_MAX, 2));
	pthread_join(b, NULL);
	printf("%d %d\n", woken[0], woken[1]);
	show(futex(FUTEX_WAKE_BITSET, INT_MAX, 0));
	show(futex(FUTEX_WAIT_BITSET, 0, 0));
	show(futex(FUTEX_WAKE, INT_MAX, 0));
	pthread_join(a, NULL);
	show(futex(99, 0, 0));
	return 0;
}
