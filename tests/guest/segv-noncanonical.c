/* A non-canonical address is a general protection fault: SIGSEGV, SI_KERNEL, address 0. */
#include "lib/check.h"
#include <setjmp.h>

static sigjmp_buf back;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	printf("signal %d code %d address %p\n", sig, info->si_code, info->si_addr);
	siglongjmp(back, 1);
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	volatile long wild = 0x1234567812345678;
	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)wild = 1;
	wild = 0xffffffff80000000;
	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)wild = 1;
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("hlt");
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("mov %cr0, %rax");
	return 0;
}
