/* seccomp filters of the process on itself: every action, several filters, threads, what is refused. */
/* test: cpus=2 */
#include "lib/check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define NUMBER offsetof(struct seccomp_data, nr)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ON(number, action)                                                                         \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, action)
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)

static long install(struct sock_filter *filter, int n, unsigned flags)
{
	struct sock_fprog p = {n, filter};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}
#define INSTALL(filter, flags) install(filter, COUNT(filter), flags)

static void on_sys(int sig, siginfo_t *info, void *context)
{
	printf("SIGSYS code %d errno %d call %d arch %d\n", info->si_code, info->si_errno,
		info->si_syscall == SYS_getppid, info->si_arch == AUDIT_ARCH_X86_64);
}

static void status(void)
{
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "Seccomp", 7) || !strncmp(line, "NoNewPrivs", 10))
			fputs(line, stdout);
	fclose(f);
}

static atomic_int go;

static void *other(void *unused)
{
	while (!go)
		sched_yield();
	show(syscall(SYS_getpgrp) > 0);
	show(prctl(PR_GET_SECCOMP));
	return NULL;
}

static void refused(void)
{
	struct sock_filter no_return[] = {LOAD(0)}, beyond[] = {LOAD(64), ALLOW},
			   odd[] = {LOAD(2), ALLOW};
	struct sock_filter far[] = {BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), ALLOW};
	struct sock_filter zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW};
	struct sock_filter cell[] = {BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW},
			   byte[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ALLOW};
	struct sock_filter unknown[] = {BPF_STMT(0xffff, 0), ALLOW}, fine[] = {ALLOW};
	show(INSTALL(no_return, 0));
	show(INSTALL(beyond, 0));
	show(INSTALL(odd, 0));
	show(INSTALL(far, 0));
	show(INSTALL(zero, 0));
	show(INSTALL(cell, 0));
	show(INSTALL(byte, 0));
	show(INSTALL(unknown, 0));
	show(INSTALL(fine, 1 << 20));
	show(install(fine, 0, 0));
	show(install(wild(), 1, 0));
	show(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, wild()));
	show(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0));
	show(syscall(SYS_seccomp, 99, 0, 0));
	uint32_t action = SECCOMP_RET_ERRNO, none = 0x12340000;
	show(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
	show(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &none));
	show(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &action));
}

int main(void)
{
	struct sock_filter actions[] = {LOAD(NUMBER), ON(SYS_getppid, SECCOMP_RET_TRAP | 77),
		ON(SYS_getpgid, SECCOMP_RET_ERRNO | 5), ON(SYS_getsid, SECCOMP_RET_ERRNO | 60000),
		ON(SYS_getpriority, SECCOMP_RET_TRACE), ON(SYS_sched_yield, SECCOMP_RET_LOG),
		ON(SYS_umask, SECCOMP_RET_ERRNO), ALLOW};
	/* The second argument of lseek, computed with all that the machine has. */
	struct sock_filter computed[] = {LOAD(NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_lseek, 1, 0), ALLOW,
		LOAD(offsetof(struct seccomp_data, args[1])), BPF_STMT(BPF_ST, 2),
		BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 3),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), BPF_STMT(BPF_LDX | BPF_MEM, 2),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0)};
	struct sock_filter stricter[] = {LOAD(NUMBER), ON(SYS_getpgid, SECCOMP_RET_ERRNO | 7),
		ON(SYS_getpgrp, SECCOMP_RET_ERRNO | 9), ALLOW};
	refused();
	show(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	show(prctl(PR_GET_SECCOMP));
	struct sock_fprog p = {COUNT(actions), actions};
	show(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0));
	show(prctl(PR_GET_SECCOMP));
	handle(SIGSYS, on_sys, 0);
	show(syscall(SYS_getppid) == SYS_getppid);
	show(syscall(SYS_getpgid, 0));
	show(syscall(SYS_getsid, 0));
	printf("errno %d\n", errno);
	show(syscall(SYS_getpriority, 0, 0));
	show(syscall(SYS_sched_yield));
	show(umask(0));
	show(INSTALL(computed, 0));
	show(syscall(SYS_lseek, 0, 40, 0));
	printf("errno %d\n", errno);
	status();
	pthread_t t = start(other, NULL);
	show(INSTALL(stricter, SECCOMP_FILTER_FLAG_TSYNC));
	go = 1;
	pthread_join(t, NULL);
	show(syscall(SYS_getpgid, 0));
	status();
	show(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
	return 0;
}
