/* Operations of programs, counted from outside: a line "@name n" stands before and behind n rounds of each. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096ul

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(1);
}

static long call(long number, long a, long b, long c)
{
	long result;
	register long r10 __asm__("r10") = 0;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

static void null_call(long n)
{
	while (n-- > 0)
		call(SYS_getppid, 0, 0, 0);
}

static void touch(size_t bytes, long n, int advice)
{
	while (n-- > 0) {
		char *p =
			mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(p != MAP_FAILED, "mmap");
		if (advice)
			madvise(p, bytes, advice);
		for (size_t i = 0; i < bytes; i += PAGE)
			*(volatile char *)(p + i) = 1;
		munmap(p, bytes);
	}
}

/* Rounds are pages here. */
static void fault_small(long n)
{
	touch(16 * PAGE, n / 16, 0);
}

static void fault_random(long n)
{
	size_t bytes = (size_t)n * PAGE;
	char *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(p != MAP_FAILED, "mmap");
	madvise(p, bytes, MADV_NOHUGEPAGE);
	for (long i = 0; i < n; i++)
		*(volatile char *)(p + (size_t)(i * 1021 % n) * PAGE) = 1;
	munmap(p, bytes);
}

static void fault_large(long n)
{
	touch((size_t)n * PAGE, 1, 0);
}

static int there[2], back[2];

static void *pong(void *arg)
{
	char c;
	for (long n = *(long *)arg; n > 0; n--)
		must(read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1, "pong");
	return 0;
}

static void pipe_round(long n)
{
	pthread_t t;
	char c = 0;
	must(!pipe(there) && !pipe(back) && !pthread_create(&t, 0, pong, &n), "pipe");
	for (long i = 0; i < n; i++)
		must(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1, "ping");
	pthread_join(t, 0);
	close(there[0]), close(there[1]), close(back[0]), close(back[1]);
}

static void *nothing(void *arg)
{
	return arg;
}

static void thread_round(long n)
{
	pthread_t t;
	while (n-- > 0)
		must(!pthread_create(&t, 0, nothing, 0) && !pthread_join(t, 0), "pthread");
}

static atomic_uint turn;

static void wait_turn(unsigned from)
{
	while (atomic_load(&turn) == from)
		call(SYS_futex, (long)&turn, 128, from);
}

static void *futex_pong(void *arg)
{
	for (long n = *(long *)arg; n > 0; n--) {
		wait_turn(0);
		atomic_store(&turn, 0);
		call(SYS_futex, (long)&turn, 129, 1);
	}
	return 0;
}

static void futex_round(long n)
{
	pthread_t t;
	must(!pthread_create(&t, 0, futex_pong, &n), "pthread");
	for (long i = 0; i < n; i++) {
		atomic_store(&turn, 1);
		call(SYS_futex, (long)&turn, 129, 1);
		wait_turn(1);
	}
	pthread_join(t, 0);
}

static void epoll_round(long n)
{
	uint64_t x = 1;
	int ep = epoll_create1(0), e = eventfd(0, 0);
	struct epoll_event event = {.events = EPOLLIN}, got;
	must(epoll_ctl(ep, EPOLL_CTL_ADD, e, &event) == 0, "epoll");
	while (n-- > 0)
		must(write(e, &x, 8) == 8 && epoll_wait(ep, &got, 1, -1) == 1 &&
				read(e, &x, 8) == 8,
			"epoll");
	close(e), close(ep);
}

static void read_page(long n)
{
	static char page[PAGE];
	int fd = open("/tmp/abi.data", O_RDWR | O_CREAT, 0600);
	must(fd >= 0 && write(fd, page, PAGE) == PAGE, "/tmp/abi.data");
	while (n-- > 0)
		must(pread(fd, page, PAGE, 0) == PAGE, "pread");
	close(fd);
}

static void map_round(long n)
{
	while (n-- > 0)
		munmap(mmap(0, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0),
			16 * PAGE);
}

static const struct {
	const char *name;
	void (*run)(long n);
	long n;
} operations[] = {
	{"null", null_call, 20000},
	{"fault-small", fault_small, 16384},
	{"fault-random", fault_random, 4096},
	{"fault-64m", fault_large, 16384},
	{"map", map_round, 4000},
	{"pipe", pipe_round, 4000},
	{"futex", futex_round, 4000},
	{"epoll", epoll_round, 4000},
	{"read", read_page, 4000},
	{"thread", thread_round, 4000},
	{"thread-100000", thread_round, 100000},
};

static void say(const char *name, long n)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "@%s %ld\n", name, n);
	must(write(1, line, (size_t)len) == len, "write");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		operations[i].run(operations[i].n / 10 + 16);
		say(operations[i].name, 0);
		say(operations[i].name, 1);
		operations[i].run(operations[i].n);
		say(operations[i].name, 2);
	}
	return 0;
}
