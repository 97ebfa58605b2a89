/* Five hundred threads alive at once, then five thousand one after the other. */
/* test: cpus=4 memory=256M timeout=120 */
#include "lib/check.h"

static pthread_barrier_t gate;
static atomic_int sum;

static void *together(void *value)
{
	pthread_barrier_wait(&gate);
	atomic_fetch_add(&sum, (int)(long)value);
	return value;
}

static void *alone(void *value)
{
	atomic_fetch_add(&sum, 1);
	return value;
}

int main(void)
{
	static pthread_t thread[500];
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	pthread_barrier_init(&gate, NULL, COUNT(thread) + 1);
	for (size_t i = 0; i < COUNT(thread); i++)
		must(-pthread_create(&thread[i], &small, together, (void *)i));
	pthread_barrier_wait(&gate);
	long back = 0;
	for (size_t i = 0; i < COUNT(thread); i++) {
		void *value;
		must(-pthread_join(thread[i], &value));
		back += (long)value == (long)i;
	}
	printf("%d %ld\n", sum, back);
	sum = 0;
	for (long i = 0; i < 5000; i++) {
		must(-pthread_create(&thread[0], &small, alone, NULL));
		must(-pthread_join(thread[0], NULL));
	}
	printf("%d\n", sum);
	return 0;
}
