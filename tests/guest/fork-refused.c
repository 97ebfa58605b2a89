/* fork, vfork and posix_spawn are refused with ENOSYS, and the program goes on. */
#include "lib/check.h"
#include <spawn.h>
#include <sys/wait.h>

int main(void)
{
	pid_t pid;
	char *argv[] = {"true", NULL};
	for (int i = 0; i < 2; i++) {
		errno = 0;
		pid = fork();
		if (pid == 0)
			_exit(0);
		printf("fork: %s\n", pid > 0 ? "a process" : strerrorname_np(errno));
		while (pid > 0 && wait(NULL) > 0)
			;
	}
	int err = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL);
	printf("posix_spawn: %s\n", err ? strerrorname_np(err) : "a process");
	while (err == 0 && wait(NULL) > 0)
		;
	show(wait(NULL));
	return 0;
}
