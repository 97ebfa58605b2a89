/* iopl and ioperm: the machine's ports are the kernel's. */
#include "lib/check.h"

int main(void)
{
	show(syscall(SYS_iopl, 0));
	show(syscall(SYS_iopl, 3));
	show(syscall(SYS_iopl, 4));
	show(syscall(SYS_ioperm, 0, 10, 0));
	show(syscall(SYS_ioperm, 0, 10, 1));
	show(syscall(SYS_ioperm, 65530, 10, 1));
	show(syscall(SYS_ioperm, 0, 0, 1));
	return 0;
}
