/* futex: CMP_REQUEUE wakes some and moves the rest to the other word; REQUEUE and WAKE_OP too. */
#include "lib/check.h"
#include <linux/futex.h>

static uint32_t first, second;
static atomic_int woken;

static long futex(
	uint32_t *at, int op, uint32_t value, long value2, uint32_t *other, uint32_t value3)
{
	return syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, value, value2, other, value3);
}

static void *waiter(void *unused)
{
	must(futex(&first, FUTEX_WAIT, 0, 0, NULL, 0));
	atomic_fetch_add(&woken, 1);
	return NULL;
}

int main(void)
{
	pthread_t thread[5];
	for (int i = 0; i < 5; i++)
		thread[i] = start(waiter, NULL);
	sleep_ms(200);
	show(futex(&first, FUTEX_CMP_REQUEUE, 1, INT_MAX, &second, 7));
	show(futex(&first, FUTEX_CMP_REQUEUE, 1, 3, &second, 0));
	sleep_ms(50);
	printf("%d woken\n", woken);
	show(futex(&first, FUTEX_WAKE, INT_MAX, 0, NULL, 0));
	show(futex(&second, FUTEX_WAKE, 2, 0, NULL, 0));
	sleep_ms(50);
	printf("%d woken\n", woken);
	second = 10;
	show(futex(&first, FUTEX_WAKE_OP, 1, 5, &second,
		FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 10)));
	printf("second is %u\n", second);
	for (int i = 0; i < 5; i++)
		pthread_join(thread[i], NULL);
	printf("%d woken\n", woken);
	return 0;
}
