/* membarrier: what it offers can be used, or it is absent cleanly. */
#include "lib/check.h"
#include <linux/membarrier.h>

int main(void)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	is(commands >= 0 || errno == ENOSYS);
	int fine = 1;
	if (commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
		fine &= syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) ==
			0;
		fine &= syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
	}
	is(fine);
	return 0;
}
