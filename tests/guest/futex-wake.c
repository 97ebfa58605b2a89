/* futex: WAIT returns at once on another value, WAKE tells how many it woke, private and shared. */
/* test: cpus=2 */
#include "lib/check.h"
#include <linux/futex.h>

static uint32_t word, done;

static long futex(
	uint32_t *at, int op, uint32_t value, void *timeout, void *second, uint32_t value3)
{
	return syscall(SYS_futex, at, op, value, timeout, second, value3);
}

static void *waiter(void *op)
{
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
		futex(&word, FUTEX_WAIT | (long)op, 0, NULL, NULL, 0);
	__atomic_fetch_add(&done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void round_of(long op)
{
	pthread_t thread[3];
	word = done = 0;
	for (int i = 0; i < 3; i++)
		thread[i] = start(waiter, (void *)op);
	sleep_ms(100);
	printf("before: %u done\n", done);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	printf("woken: %ld\n", futex(&word, FUTEX_WAKE | op, 1, NULL, NULL, 0));
	printf("woken: %ld\n", futex(&word, FUTEX_WAKE | op, INT_MAX, NULL, NULL, 0));
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("after: %u done\n", done);
	printf("woken: %ld\n", futex(&word, FUTEX_WAKE | op, INT_MAX, NULL, NULL, 0));
}

int main(void)
{
	word = 5;
	show(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0));
	show(futex(&word, FUTEX_WAIT_PRIVATE, 4, NULL, NULL, 0));
	round_of(FUTEX_PRIVATE_FLAG);
	round_of(0);
	return 0;
}
