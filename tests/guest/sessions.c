/* Process groups and sessions of the one process, children there are none, execveat. */
#include "lib/check.h"
#include <sys/wait.h>

int main(void)
{
	siginfo_t info;
	char *argv[] = {"x", NULL};
	show(setpgid(0, 0) == 0 || errno == EPERM);
	is(getpgrp() == getpid());
	show(setsid());
	show(getpgid(0x3ffffff));
	show(setpgid(0, -5));
	show(setpgid(0x3ffffff, 0));
	show(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	show(waitid(99, 0, &info, WEXITED));
	show(waitid(P_ALL, 0, &info, 0));
	show(waitpid(-1, NULL, WNOHANG));
	show(waitpid(-1, NULL, 0x8000000));
	show(syscall(SYS_execveat, AT_FDCWD, "absent", argv, NULL, 0));
	show(syscall(SYS_execveat, 99, "absent", argv, NULL, 0));
	show(getsid(-1));
	return 0;
}
