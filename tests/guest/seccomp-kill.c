/* A call that a seccomp filter forbids ends the program with SIGSYS; with several threads the thread alone. */
#include "lib/check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static atomic_int passed;

static void *forbidden(void *unused)
{
	syscall(SYS_getppid);
	passed = 1;
	return NULL;
}

int main(void)
{
	struct sock_filter f[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog p = {COUNT(f), f};
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0));
	pthread_join(start(forbidden, NULL), NULL);
	printf("passed %d\n", passed);
	fflush(stdout);
	start(forbidden, NULL);
	syscall(SYS_getpgid, 0);
	puts("not reached");
	return 0;
}
