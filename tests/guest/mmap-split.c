/* Unmapping and protecting the middle of a mapping leaves both ends as they were. */
#include "lib/check.h"
#include <setjmp.h>

static sigjmp_buf back;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	siglongjmp(back, info->si_code);
}

static void probe(char *p, int page)
{
	int code = sigsetjmp(back, 1);
	if (code == 0)
		printf("page %d reads %d\n", page, p[page * PAGE]);
	else
		printf("page %d: %s\n", page, code == SEGV_MAPERR ? "not mapped" : "not allowed");
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	char *p = map_pages(9, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	for (int i = 0; i < 9; i++)
		p[i * PAGE] = i;
	must(munmap(p + 4 * PAGE, PAGE));
	must(mprotect(p + 1 * PAGE, 2 * PAGE, PROT_NONE));
	must(mprotect(p + 7 * PAGE, PAGE, PROT_READ));
	for (int i = 0; i < 9; i++)
		probe(p, i);
	show(mprotect(p + 3 * PAGE, 3 * PAGE, PROT_READ));
	show(munmap(p + 2 * PAGE, 5 * PAGE));
	for (int i = 0; i < 9; i++)
		probe(p, i);
	must(mprotect(p, 2 * PAGE, PROT_READ));
	probe(p, 1);
	return 0;
}
