/* restart_syscall(2) with nothing to restart says EINTR at once (it was restarted for ever; found by fuzz/syscalls). */
#include "lib/check.h"

int main(void)
{
	show(syscall(SYS_restart_syscall));
	return 0;
}
