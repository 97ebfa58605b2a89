/* Every call that takes a pointer answers EFAULT for a bad one, whatever kind of bad. */
#include "lib/check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static const long bad[] = {
	8, 0x7ffffffffff0, 0x7fffffffffff, 0x800000000000, 0x1234567812345678, -1, -4096};

#define EACH(what, call)                                                                           \
	do {                                                                                       \
		printf("%s:", what);                                                               \
		for (size_t i = 0; i < COUNT(bad); i++) {                                          \
			long p = bad[i];                                                           \
			errno = 0;                                                                 \
			long result = call;                                                        \
			printf(" %s", result == -1 ? strerrorname_np(errno) : "ok");               \
		}                                                                                  \
		puts("");                                                                          \
	} while (0)

int main(void)
{
	char buf[64];
	int fd[2], file = must(open("f", O_RDWR | O_CREAT, 0600)), ep = must(epoll_create1(0));
	must(write(file, "contents of the file", 20));
	must(pipe(fd));
	must(write(fd[1], "in the pipe", 11));
	EACH("read file", (lseek(file, 0, SEEK_SET), syscall(SYS_read, file, p, 10)));
	EACH("write file", syscall(SYS_write, file, p, 10));
	EACH("read pipe", syscall(SYS_read, fd[0], p, 3));
	EACH("write pipe", syscall(SYS_write, fd[1], p, 3));
	EACH("readv", syscall(SYS_readv, fd[0], p, 1));
	EACH("open", syscall(SYS_open, p, O_RDONLY));
	EACH("stat", syscall(SYS_stat, "f", p));
	EACH("fstat", syscall(SYS_fstat, file, p));
	EACH("access", syscall(SYS_access, p, 0));
	EACH("pipe2", syscall(SYS_pipe2, p, 0));
	EACH("getcwd", syscall(SYS_getcwd, p, 100));
	EACH("readlink", syscall(SYS_readlink, "/proc/self/exe", p, 10));
	EACH("rename", syscall(SYS_rename, "f", p));
	EACH("getdents64", syscall(SYS_getdents64, open("/", O_RDONLY), p, 1000));
	EACH("nanosleep", syscall(SYS_nanosleep, p, 0));
	EACH("clock_gettime", syscall(SYS_clock_gettime, 1, p));
	EACH("gettimeofday", syscall(SYS_gettimeofday, p, 0));
	EACH("time", syscall(SYS_time, p));
	EACH("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, p, 0, 8));
	EACH("rt_sigprocmask", syscall(SYS_rt_sigprocmask, SIG_BLOCK, p, 0, 8));
	EACH("sigaltstack", syscall(SYS_sigaltstack, p, 0));
	EACH("futex", syscall(SYS_futex, p & ~3, 0, 0, 0));
	EACH("poll", syscall(SYS_poll, p, 1, 0));
	EACH("select", syscall(SYS_select, 10, p, 0, 0, 0));
	EACH("epoll_ctl", syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, fd[0], p));
	EACH("uname", syscall(SYS_uname, p));
	EACH("getrlimit", syscall(SYS_getrlimit, 7, p));
	EACH("sysinfo", syscall(SYS_sysinfo, p));
	EACH("getrandom", syscall(SYS_getrandom, p, 10, 0));
	EACH("sendto", syscall(SYS_sendto, must(socket(AF_INET, SOCK_DGRAM, 0)), buf, 1, 0, p, 16));
	EACH("bind", syscall(SYS_bind, must(socket(AF_INET, SOCK_DGRAM, 0)), p, 16));
	EACH("setsockopt",
		syscall(SYS_setsockopt, must(socket(AF_INET, SOCK_DGRAM, 0)), 1, 2, p, 4));
	EACH("socketpair", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, p));
	EACH("execve", syscall(SYS_execve, p, 0, 0));
	EACH("set_robust_list", syscall(SYS_set_robust_list, p, 24) == 0 ? 0 : -1);
	EACH("sched_getaffinity", syscall(SYS_sched_getaffinity, 0, 128, p));
	EACH("prlimit64", syscall(SYS_prlimit64, 0, 7, p, 0));
	syscall(SYS_set_robust_list, 0, 24);
	return 0;
}
