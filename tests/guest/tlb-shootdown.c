/* mprotect takes effect on the other CPUs before it returns: no write lands afterwards. */
/* test: cpus=4 */
#include "lib/check.h"
#include <setjmp.h>

static _Thread_local sigjmp_buf back;
static volatile long *page;
static atomic_int stop, turns[3];

static void on_fault(int sig, siginfo_t *info, void *context)
{
	siglongjmp(back, 1);
}

static void *writer(void *index)
{
	while (!stop) {
		if (sigsetjmp(back, 1) == 0)
			page[(long)index]++;
		atomic_fetch_add(&turns[(long)index], 1);
	}
	return NULL;
}

int main(void)
{
	handle(SIGSEGV, on_fault, SA_NODEFER);
	page = map_pages(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pthread_t thread[3];
	for (long i = 0; i < 3; i++)
		thread[i] = start(writer, (void *)i);
	for (int i = 0; i < 3; i++)
		while (page[i] ==
			0) /* with fewer CPUs than threads, each must have its first turn */
			sched_yield();
	long changed = 0;
	for (int round = 0; round < 100; round++) {
		must(mprotect((void *)page, PAGE, PROT_READ));
		long before[3] = {page[0], page[1], page[2]};
		int from = turns[0];
		for (int n = 0; n < 20 && turns[0] < from + 10; n++)
			sched_yield();
		for (int i = 0; i < 3; i++)
			changed += page[i] != before[i];
		must(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE));
		sched_yield();
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("%ld writes after mprotect\n", changed);
	is(page[0] > 0 && page[1] > 0 && page[2] > 0);
	return 0;
}
