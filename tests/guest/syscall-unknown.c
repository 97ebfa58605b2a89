/* Numbers without a system call answer ENOSYS, registers survive a call. */
#include "lib/check.h"

int main(void)
{
	show(syscall(5000));
	show(syscall(100000000));
	show(syscall(-1));
	show(syscall(335 + 10));
	long r[6];
	__asm__ volatile("mov $1, %%rbx; mov $2, %%r12; mov $3, %%r13; mov $4, %%r14; mov $5, "
			 "%%r15; mov $39, %%eax\n\t"
			 "mov $6, %%r8; mov $7, %%r9; mov $8, %%r10; syscall\n\t"
			 "mov %%rbx, (%0); mov %%r12, 8(%0); mov %%r15, 16(%0); mov %%r8, 24(%0); "
			 "mov %%r9, 32(%0); mov %%r10, 40(%0)"
			 :
			 : "D"(r)
			 : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			 "r15", "memory");
	printf("%ld %ld %ld %ld %ld %ld\n", r[0], r[1], r[2], r[3], r[4], r[5]);
	return 0;
}
