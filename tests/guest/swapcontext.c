/* Coroutines by makecontext and swapcontext, a hundred on their own stacks. */
#include "lib/check.h"
#include <ucontext.h>

enum { N = 100 };
static ucontext_t home, routine[N];
static int sum;

static void body(int id)
{
	for (int i = 0; i < 10; i++) {
		sum += id;
		swapcontext(&routine[id], &home);
	}
}

int main(void)
{
	char *stacks = map_pages(N * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	for (int i = 0; i < N; i++) {
		getcontext(&routine[i]);
		routine[i].uc_stack.ss_sp = stacks + i * 4 * PAGE;
		routine[i].uc_stack.ss_size = 4 * PAGE;
		routine[i].uc_link = &home;
		makecontext(&routine[i], (void (*)(void))body, 1, i);
	}
	for (int round = 0; round < 11; round++)
		for (int i = 0; i < N; i++)
			swapcontext(&home, &routine[i]);
	printf("%d\n", sum);
	return 0;
}
