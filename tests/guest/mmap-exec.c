/* Code made at run time runs where PROT_EXEC is given and faults where it is not. */
#include "lib/check.h"
#include <setjmp.h>

static sigjmp_buf back;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	printf("signal %d code %d\n", sig, info->si_code);
	siglongjmp(back, 1);
}

int main(void)
{
	static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov eax, 42; ret */
	handle(SIGSEGV, on_fault, 0);
	unsigned char *p = map_pages(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	memcpy(p, code, sizeof(code));
	if (sigsetjmp(back, 1) == 0)
		printf("%d\n", ((int (*)(void))p)());
	must(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	printf("%d\n", ((int (*)(void))p)());
	if (sigsetjmp(back, 1) == 0)
		p[1] = 43;
	must(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	p[1] = 43;
	must(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	printf("%d\n", ((int (*)(void))p)());
	return 0;
}
