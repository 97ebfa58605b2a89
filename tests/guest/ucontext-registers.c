/* A handler sees every register of the interrupted code and may change each. */
#include "lib/check.h"
#include <ucontext.h>

static const int order[] = {
	REG_R8, REG_R9, REG_R10, REG_R12, REG_R13, REG_R14, REG_R15, REG_RBX, REG_RSI, REG_RDX};

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	for (size_t i = 0; i < COUNT(order); i++) {
		printf("%llx ", regs[order[i]]);
		regs[order[i]] += 0x100;
	}
	printf("carry %lld cs %llx\n", regs[REG_EFL] & 1, regs[REG_CSGSFS] & 0xffff);
	regs[REG_EFL] &= ~1ll;
}

int main(void)
{
	static long out[11];
	handle(SIGTRAP, on_trap, 0);
	__asm__ volatile(
		"mov $8, %%r8; mov $9, %%r9; mov $10, %%r10; mov $12, %%r12; mov $13, %%r13; mov "
		"$14, %%r14\n\t"
		"mov $15, %%r15; mov $0xb, %%ebx; mov $0x51, %%esi; mov $0xd, %%edx; stc; int3\n\t"
		"setc 80(%0); mov %%r8, (%0); mov %%r9, 8(%0); mov %%r10, 16(%0); mov %%r12, "
		"24(%0); mov %%r13, 32(%0)\n\t"
		"mov %%r14, 40(%0); mov %%r15, 48(%0); mov %%rbx, 56(%0); mov %%rsi, 64(%0); mov "
		"%%rdx, 72(%0)"
		:
		: "D"(out)
		: "r8", "r9", "r10", "r12", "r13", "r14", "r15", "rbx", "rsi", "rdx", "memory",
		"cc");
	for (int i = 0; i < 11; i++)
		printf("%lx ", out[i]);
	puts("");
	return 0;
}
