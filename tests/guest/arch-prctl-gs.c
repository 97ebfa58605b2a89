/* The GS base belongs to the thread: set by arch_prctl, kept over switches, inherited by a new thread. */
/* test: cpus=2 */
#include "lib/check.h"
#include <asm/prctl.h>

static unsigned long inherited;

static long gs_load(void)
{
	long value;
	__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
	return value;
}

static void *thread(void *area)
{
	unsigned long base = 1;
	must(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	is(base == inherited);
	must(syscall(SYS_arch_prctl, ARCH_SET_GS, area));
	long wrong = 0;
	for (int i = 0; i < 2000; i++) {
		wrong += gs_load() != *(long *)area;
		sched_yield();
	}
	printf("%ld wrong\n", wrong);
	return NULL;
}

int main(void)
{
	static long a[8] = {11}, b[8] = {22};
	must(syscall(SYS_arch_prctl, ARCH_SET_GS, a));
	must(syscall(SYS_arch_prctl, ARCH_GET_GS, &inherited));
	is(inherited == (unsigned long)a);
	pthread_join(start(thread, b), NULL);
	printf("%ld\n", gs_load());
	show(syscall(SYS_arch_prctl, ARCH_SET_GS, 0xffff800000000000));
	show(syscall(SYS_arch_prctl, ARCH_GET_GS, 8));
	return 0;
}
