/* NUMA calls on one node, protection keys, locking: answered or refused as on Linux. */
#include "lib/check.h"
#include <sys/personality.h>

int main(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned long nodes = 1;
	int mode = -1;
	long n = syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0);
	is((n == 0 && mode == 0) || (n == -1 && errno == ENOSYS));
	n = syscall(SYS_set_mempolicy, 0, NULL, 0);
	is(n == 0 || errno == ENOSYS);
	n = syscall(SYS_mbind, p, 4 * PAGE, 2, &nodes, 2, 0);
	is(n == 0 || errno == ENOSYS);
	show(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, -1));
	show(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, 99));
	show(syscall(SYS_mlock2, p, 4 * PAGE, 0));
	show(syscall(SYS_mlock2, p, 4 * PAGE, 1));
	show(syscall(SYS_mlock2, p, 4 * PAGE, 77));
	show(mlockall(MCL_CURRENT));
	show(mlockall(0));
	show(munlockall());
	show(personality(0xffffffff));
	return 0;
}
