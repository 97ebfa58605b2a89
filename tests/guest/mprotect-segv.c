/* Faults say which address and why: SEGV_MAPERR, SEGV_ACCERR, and the error code's write bit. */
#include "lib/check.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static char *base;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	printf("signal %d code %d offset %ld error %lld trap %lld\n", sig, info->si_code,
		(long)((char *)info->si_addr - base), u->uc_mcontext.gregs[REG_ERR],
		u->uc_mcontext.gregs[REG_TRAPNO]);
	siglongjmp(back, 1);
}

#define TRY(statement)                                                                             \
	do {                                                                                       \
		printf("%s: ", #statement);                                                        \
		if (sigsetjmp(back, 1) == 0) {                                                     \
			statement;                                                                 \
			puts("done");                                                              \
		}                                                                                  \
	} while (0)

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	volatile char *p = base = map_pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char c;
	p[0] = 1;
	must(mprotect(base, PAGE, PROT_READ));
	TRY(c = p[0]);
	TRY(p[3] = 1);
	must(mprotect(base + PAGE, PAGE, PROT_NONE));
	TRY(c = p[PAGE + 8]);
	TRY(p[PAGE + 8] = 1);
	must(munmap(base + 2 * PAGE, PAGE));
	TRY(c = p[2 * PAGE]);
	TRY(p[2 * PAGE] = 1);
	must(mprotect(base, PAGE, PROT_READ | PROT_WRITE));
	TRY(p[3] = 1);
	show(mprotect(base + 1, PAGE, PROT_READ));
	show(mprotect(base, 4 * PAGE, PROT_READ));
	base = NULL;
	TRY(c = *(volatile char *)16);
	(void)c;
	return 0;
}
