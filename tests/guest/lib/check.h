/*
 * What guest programs share.  They compare nothing: they print what they see, one fact a line, and
 * Linux's answer is the expectation.  So print nothing that may differ between two runs: no address,
 * no time, no process id.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* show(close(99)) prints "close(99) = -1 EBADF". */
#define show(call) show_result(#call, (errno = 0, (long)(call)))

/* Prints "call ok" or "call failed ERROR"; for results that differ between runs. */
#define show_ok(call) show_success(#call, (errno = 0, (long)(call)))

/* must(): the test cannot go on without it; the value. */
#define must(call) must_succeed(#call, (long)(call), __LINE__)

/* A truth worth a line. */
#define is(fact) printf("%s: %s\n", #fact, (fact) ? "yes" : "no")

static inline void show_result(const char *what, long value)
{
	if (value == -1 && errno != 0)
		printf("%s = -1 %s\n", what, strerrorname_np(errno));
	else
		printf("%s = %ld\n", what, value);
	fflush(stdout);
}

static inline void show_success(const char *what, long value)
{
	if (value == -1)
		printf("%s failed %s\n", what, strerrorname_np(errno));
	else
		printf("%s ok\n", what);
	fflush(stdout);
}

static inline long must_succeed(const char *what, long value, int line)
{
	if (value == -1) {
		printf("line %d: %s: %s\n", line, what, strerrorname_np(errno));
		fflush(stdout);
		_exit(99);
	}
	return value;
}

/* A pointer to nothing, which the compiler does not see through. */
static inline void *wild(void)
{
	void *volatile p = (void *)8;
	return p;
}

static inline void *map_pages(size_t n_pages, int prot, int flags)
{
	return (void *)must(mmap(NULL, n_pages * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0));
}

static inline uint64_t now_ns(clockid_t clock)
{
	struct timespec t;
	must(clock_gettime(clock, &t));
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static inline void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static inline pthread_t start(void *(*function)(void *), void *argument)
{
	pthread_t thread;
	errno = pthread_create(&thread, NULL, function, argument);
	must(errno ? -1 : 0);
	return thread;
}

static inline void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	sigemptyset(&action.sa_mask);
	must(sigaction(sig, &action, NULL));
}

/* A file of the working directory with this text; closed. */
static inline void write_file(const char *name, const char *text)
{
	int fd = must(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	must(write(fd, text, strlen(text)));
	must(close(fd));
}

/* Prints the file's content between brackets. */
static inline void show_file(const char *name)
{
	char buf[4096];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	if (n < 0)
		printf("%s: %s\n", name, strerrorname_np(errno));
	else
		printf("%s: [%.*s]\n", name, (int)n, buf);
	if (fd >= 0)
		close(fd);
}
