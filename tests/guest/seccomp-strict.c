/* seccomp's strict mode: read, write, exit, and SIGKILL for the rest. */
#include "lib/check.h"
#include <linux/seccomp.h>
#include <sys/prctl.h>

int main(void)
{
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
	if (write(1, "written\n", 8) != 8)
		syscall(SYS_exit, 3);
	syscall(SYS_getpid);
	write(1, "not reached\n", 12);
	return 0;
}
