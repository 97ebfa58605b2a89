/* Calls with arguments of many kinds, between two marks. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void files(void)
{
	char buf[64];
	struct stat st;
	struct iovec iov[2] = {{"one", 3}, {"two\n", 4}};
	int fd = open("/tmp/mote-trace-calls", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	writev(fd, iov, 2);
	pread(fd, buf, sizeof(buf), 0);
	lseek(fd, 0, SEEK_END);
	fstat(fd, &st);
	fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK);
	ftruncate(fd, 100);
	close(fd);
	rename("/tmp/mote-trace-calls", "/tmp/mote-trace-calls2");
	unlinkat(AT_FDCWD, "/tmp/mote-trace-calls2", 0);
	mkdir("/no/such/folder", 0755);
	openat(AT_FDCWD, "/etc", O_RDONLY | O_DIRECTORY);
	close(3);
}

static void signals_and_time(void)
{
	sigset_t set;
	struct timespec t = {0, 1000};
	struct rlimit limit;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigprocmask(SIG_SETMASK, NULL, &set);
	signal(SIGPIPE, SIG_IGN);
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	prctl(PR_SET_NAME, "traced");
}

static void waiting(void)
{
	struct epoll_event e = {EPOLLIN | EPOLLET, {.u64 = 7}};
	int fds[2];

	pipe2(fds, O_CLOEXEC);
	struct pollfd p = {fds[0], POLLIN, 0};

	poll(&p, 1, 0);
	write(fds[1], "x", 1);
	poll(&p, 1, 0);
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &e);
	epoll_wait(ep, &e, 1, 0);
	eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE);
	close(fds[0]);
	close(fds[1]);
	close(ep);
}

static void sockets(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(34567),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int on = 1, s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	bind(s, (struct sockaddr *)&a, sizeof(a));
	getsockname(s, (struct sockaddr *)&a, &len);
	close(s);
}

static void memory(void)
{
	void *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p, 4096, PROT_READ);
	madvise(p, 8192, MADV_DONTNEED);
	munmap(p, 8192);
}

int main(void)
{
	access("/no-such-mark", F_OK);
	files();
	signals_and_time();
	waiting();
	sockets();
	memory();
	write(1, "done\n", 5);
	access("/no-such-mark", R_OK);
	return 0;
}
