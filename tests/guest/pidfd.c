/* pidfd_open and what can be done with the descriptor; kcmp; ptrace and waiting for what is no child. */
#include "lib/check.h"
#include <linux/kcmp.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static atomic_int tid, signalled;

static void *sleeper(void *unused)
{
	tid = gettid();
	while (!signalled)
		sleep_ms(1);
	return NULL;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	printf("signal %d code %d value %d\n", sig, info->si_code, info->si_value.sival_int);
	signalled = 1;
}

static void open_and_send(int fd)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	info.si_value.sival_int = 7;
	show(syscall(SYS_pidfd_open, 0, 0));
	show(syscall(SYS_pidfd_open, -1, 0));
	show(syscall(SYS_pidfd_open, 4000000, 0));
	show(syscall(SYS_pidfd_open, getpid(), 1));
	is(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	char byte;
	show(read(fd, &byte, 1));
	show(write(fd, &byte, 1));
	struct pollfd p = {.fd = fd, .events = POLLIN};
	show(poll(&p, 1, 0));
	show(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	show(syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0));
	show(syscall(SYS_pidfd_send_signal, 99, 0, NULL, 0));
	show(syscall(SYS_pidfd_send_signal, fd, 70, NULL, 0));
	show(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 8));
	show(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, &info, 0));
	show(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, wild(), 0));
	show(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0));
	show(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0));
}

static void copy_descriptors(int fd)
{
	int ends[2], copy;
	char c = 0;
	must(pipe(ends));
	copy = must(syscall(SYS_pidfd_getfd, fd, ends[0], 0));
	is(fcntl(copy, F_GETFD) == FD_CLOEXEC);
	must(write(ends[1], "x", 1));
	show(read(copy, &c, 1));
	show(syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, copy, ends[0]));
	is(syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, copy, ends[1]) > 0);
	int forth = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, copy, ends[1]);
	int back = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, ends[1], copy);
	is(forth + back == 3);
	show(syscall(SYS_pidfd_getfd, fd, 99, 0));
	show(syscall(SYS_pidfd_getfd, fd, 0, 1));
	show(syscall(SYS_pidfd_getfd, 0, 0, 0));
	show(syscall(SYS_process_mrelease, fd, 0));
	show(syscall(SYS_process_mrelease, fd, 1));
	show(syscall(SYS_process_mrelease, 0, 0));
}

int main(void)
{
	int fd = must(syscall(SYS_pidfd_open, getpid(), 0));
	handle(SIGUSR1, on_signal, 0);
	pthread_t thread = start(sleeper, NULL);
	while (!tid)
		sched_yield();
	show(syscall(SYS_kcmp, getpid(), tid, KCMP_VM, 0, 0));
	show(syscall(SYS_kcmp, getpid(), tid, KCMP_FILES, 0, 0));
	show(syscall(SYS_kcmp, getpid(), tid, KCMP_SYSVSEM, 0, 0));
	show(syscall(SYS_kcmp, getpid(), 4000000, KCMP_VM, 0, 0));
	show(syscall(SYS_kcmp, getpid(), tid, 20, 0, 0));
	show(syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, 0, 99));
	show(ptrace(PTRACE_ATTACH, getpid(), NULL, NULL));
	show(ptrace(PTRACE_ATTACH, tid, NULL, NULL));
	show(ptrace(PTRACE_SEIZE, getpid(), NULL, NULL));
	show(ptrace(PTRACE_ATTACH, 4000000, NULL, NULL));
	show(ptrace(PTRACE_CONT, tid, NULL, NULL));
	show(ptrace(PTRACE_PEEKDATA, getpid(), NULL, NULL));
	siginfo_t info;
	show(waitid(P_PIDFD, fd, &info, WEXITED));
	show(waitid(P_PIDFD, 0, &info, WEXITED));
	show(waitid(P_PIDFD, 99, &info, WEXITED));
	show(waitid(P_PID, 0, &info, WEXITED));
	show(wait4(INT_MIN, NULL, 0, NULL));
	copy_descriptors(fd);
	open_and_send(fd);
	pthread_join(thread, NULL);
	return 0;
}
