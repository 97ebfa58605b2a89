/* Which signal and code each exception gives: divide, overflow, opcode, breakpoint, alignment, x87.
   Not SSE: QEMU's translation raises no exceptions of its arithmetic. */
#include "lib/check.h"
#include <setjmp.h>

static sigjmp_buf back;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	printf("signal %d code %d\n", sig, info->si_code);
	siglongjmp(back, 1);
}

#define TRY(statement)                                                                             \
	do {                                                                                       \
		printf("%s: ", #statement);                                                        \
		fflush(stdout);                                                                    \
		if (sigsetjmp(back, 1) == 0) {                                                     \
			statement;                                                                 \
			puts("nothing");                                                           \
		}                                                                                  \
	} while (0)

static volatile int zero;

static void x87_divide(void)
{
	unsigned short control = 0x037b;
	__asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(control));
}

int main(void)
{
	const int all[] = {SIGFPE, SIGILL, SIGTRAP, SIGSEGV, SIGBUS};
	for (size_t i = 0; i < COUNT(all); i++)
		handle(all[i], on_signal, 0);
	TRY(zero = 7 / zero);
	TRY(__asm__ volatile("idivl %0" : : "r"(-1), "a"(INT_MIN), "d"(-1)));
	TRY(__asm__ volatile("ud2"));
	TRY(__asm__ volatile("int3"));
	TRY(__asm__ volatile("int $0x42"));
	TRY(__asm__ volatile("cli"));
	TRY(__asm__ volatile("movaps %%xmm0, (%0)" : : "r"((char *)&back + 1) : "memory"));
	TRY(x87_divide());
	__asm__ volatile("fninit");
	return 0;
}
