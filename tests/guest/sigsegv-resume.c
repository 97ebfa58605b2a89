/* A handler repairs what faulted: maps the page, changes a register, moves the instruction pointer. */
#include "lib/check.h"
#include <ucontext.h>

static char *missing;
static int way;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	greg_t *regs = u->uc_mcontext.gregs;
	if (way == 0)
		must((long)mmap(missing, PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	else if (way == 1)
		regs[REG_RBX] = (greg_t) "repaired";
	else
		regs[REG_RIP] += 2; /* ud2 */
	printf("signal %d, %s\n", sig, (char *)info->si_addr == missing ? "there" : "elsewhere");
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	handle(SIGILL, on_fault, 0);
	missing = map_pages(1, PROT_NONE, MAP_PRIVATE);
	strcpy(missing, "first way");
	puts(missing);
	way = 1;
	missing = (char *)64;
	char c;
	__asm__ volatile("mov $64, %%rbx\n\tmov (%%rbx), %0" : "=r"(c) : : "rbx");
	printf("%c\n", c);
	way = 2;
	__asm__ volatile("ud2");
	puts("past ud2");
	return 0;
}
