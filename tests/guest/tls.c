/* Thread-local variables: initialised for each thread, kept apart, arch_prctl reads the base. */
/* test: cpus=2 */
#include "lib/check.h"
#include <asm/prctl.h>

static _Thread_local int counter = 41;
static _Thread_local char big[100000];

static void *thread(void *id)
{
	for (int i = 0; i < 1000; i++) {
		counter++;
		big[i] = (char)(long)id;
		if (i % 100 == 0)
			sched_yield();
	}
	unsigned long base = 0;
	must(syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
	printf("%d %d %d %s\n", counter, big[999], big[1000],
		*(unsigned long *)base == base ? "self" : "strange");
	return NULL;
}

int main(void)
{
	for (long i = 1; i <= 3; i++)
		pthread_join(start(thread, (void *)i), NULL);
	pthread_t a = start(thread, (void *)7), b = start(thread, (void *)7);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	printf("%d %d\n", counter, big[5]);
	show(syscall(SYS_arch_prctl, 0x9999, 0));
	return 0;
}
