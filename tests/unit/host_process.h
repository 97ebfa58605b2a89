/* Processes of the host, for tests.  Its headers can not be included beside abi/linux: both define the same names. */
#pragma once

int fork(void);
int waitpid(int pid, int *status, int options);
_Noreturn void _exit(int code);
unsigned alarm(unsigned seconds);

static inline int host_exit_code(int status)
{
	return status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff;
}
