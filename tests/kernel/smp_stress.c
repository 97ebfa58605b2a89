/*
 * A program that keeps all of the kernel's hot paths busy from 16 threads at once, for the number of seconds given, and
 * checks what it reads: futexes, epoll over eventfds, pipes and sockets, malloc, mappings cut and moved, files,
 * threads that come and go, signals, timers, affinity.  At the end: what the kernel holds must not have grown.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define N_THREADS 16
#define PAGE 4096ul
#define LARGE (2ul << 20)

static atomic_bool over;
static atomic_ulong n_done;
static pthread_t threads[N_THREADS];
static atomic_bool alive[N_THREADS];
static _Thread_local uint32_t seed;
static _Thread_local int me;

static void fail(const char *what)
{
	fprintf(stderr, "smp-stress: %s (errno %d)\n", what, errno);
	_exit(1);
}

static void must(int ok, const char *what)
{
	if (!ok)
		fail(what);
}

static uint32_t next(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* --- futexes --- */

static pthread_mutex_t mutexes[4] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static unsigned long counts[4], shadow[4];
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void do_futex(void)
{
	unsigned i = next(4);
	for (unsigned n = next(50) + 1; n > 0; n--) {
		pthread_mutex_lock(&mutexes[i]);
		must(counts[i] == shadow[i], "a mutex let two threads in");
		counts[i]++;
		if (next(8) == 0)
			sched_yield();
		shadow[i]++;
		pthread_mutex_unlock(&mutexes[i]);
	}
	pthread_mutex_lock(&mutexes[0]);
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 1000000;
	if (t.tv_nsec >= 1000000000)
		t.tv_nsec -= 1000000000, t.tv_sec++;
	if (next(3) == 0)
		pthread_cond_timedwait(&changed, &mutexes[0], &t);
	else
		pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutexes[0]);
}

/* --- epoll: one for all threads --- */

#define N_EVENTS 8
static int epoll_fd, event_fds[N_EVENTS];
static atomic_ulong sent, received;

static void do_epoll(void)
{
	for (unsigned n = next(20) + 1; n > 0; n--) {
		uint64_t x = next(3) + 1;
		must(write(event_fds[next(N_EVENTS)], &x, 8) == 8, "eventfd write");
		atomic_fetch_add(&sent, x);
		struct epoll_event e[4];
		int got = epoll_wait(epoll_fd, e, 4, (int)next(2));
		must(got >= 0 || errno == EINTR, "epoll_wait");
		for (int i = 0; i < got; i++)
			if (read(e[i].data.fd, &x, 8) == 8)
				atomic_fetch_add(&received, x);
	}
	struct epoll_event e = {.events = EPOLLIN | (next(2) ? EPOLLET : 0)};
	e.data.fd = event_fds[next(N_EVENTS)];
	must(epoll_ctl(epoll_fd, EPOLL_CTL_MOD, e.data.fd, &e) == 0, "EPOLL_CTL_MOD");
}

/* --- memory --- */

static void do_malloc(void)
{
	unsigned char *blocks[32] = {0};
	size_t sizes[32];
	for (unsigned n = 200; n > 0; n--) {
		unsigned i = next(32);
		if (blocks[i]) {
			must(blocks[i][0] == i && blocks[i][sizes[i] - 1] == (unsigned char)me,
				"a block changed");
			free(blocks[i]);
			blocks[i] = 0;
			continue;
		}
		sizes[i] = next(10) ? next(2000) + 2 : next(300000) + 2;
		blocks[i] = malloc(sizes[i]);
		must(blocks[i] != 0, "malloc");
		blocks[i][0] = (unsigned char)i;
		blocks[i][sizes[i] - 1] = (unsigned char)me;
	}
	for (unsigned i = 0; i < 32; i++)
		free(blocks[i]);
}

static void do_map(void)
{
	size_t n = (next(3) ? next(64) + 4 : 1024 + next(512)) * PAGE;
	char *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(p != MAP_FAILED, "mmap");
	for (size_t i = 0; i < n; i += PAGE)
		*(uint64_t *)(p + i) = i ^ (uint64_t)me;
	size_t at = next((uint32_t)(n / PAGE - 2)) * PAGE;
	must(madvise(p + at, PAGE, MADV_DONTNEED) == 0, "madvise");
	must(mprotect(p + at + PAGE, PAGE, PROT_READ) == 0, "mprotect");
	size_t size = n + PAGE * next(100);
	char *q = mremap(p, n, size, MREMAP_MAYMOVE);
	/* Across areas that differ Linux refuses. */
	if (q == MAP_FAILED)
		q = p, size = n;
	for (size_t i = 0; i < n; i += PAGE)
		must(*(uint64_t *)(q + i) == (i == at ? 0 : i ^ (uint64_t)me), "a page changed");
	must(munmap(q, size) == 0, "munmap");
}

/* --- files and sockets --- */

static void do_file(void)
{
	char name[40], data[5000], back[5000];
	snprintf(name, sizeof(name), "/tmp/stress-%d-%u", me, next(4));
	size_t n = next(sizeof(data)) + 1;
	memset(data, me + 'a', n);
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0, "open");
	must(write(fd, data, n) == (ssize_t)n && pread(fd, back, n, 0) == (ssize_t)n, "file");
	must(memcmp(data, back, n) == 0, "a file changed");
	struct stat s;
	must(fstat(fd, &s) == 0 && s.st_size == (off_t)n, "fstat");
	char *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED && p[n - 1] == me + 'a', "mmap of a file");
	p[0] = '!';
	must(pread(fd, back, 1, 0) == 1 && back[0] == '!', "a mapped file");
	munmap(p, n);
	close(fd);
	if (next(2))
		unlink(name);
}

static void do_pipe(void)
{
	int fds[2];
	char data[3000], back[3000];
	size_t n = next(sizeof(data)) + 1;
	memset(data, me, n);
	if (next(2))
		must(pipe(fds) == 0, "pipe");
	else
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	must(write(fds[1], data, n) == (ssize_t)n && read(fds[0], back, n) == (ssize_t)n, "pipe");
	must(memcmp(data, back, n) == 0, "a pipe changed");
	close(fds[0]);
	close(fds[1]);
}

/* --- threads, signals, timers --- */

static void *short_life(void *arg)
{
	char *p = malloc(10000);
	memset(p, 1, 10000);
	free(p);
	return arg;
}

static void do_thread(void)
{
	pthread_t t[3];
	for (unsigned i = 0; i < 3; i++)
		must(pthread_create(&t[i], 0, short_life, (void *)(intptr_t)i) == 0,
			"pthread_create");
	for (unsigned i = 0; i < 3; i++) {
		void *result;
		must(pthread_join(t[i], &result) == 0 && result == (void *)(intptr_t)i,
			"pthread_join");
	}
}

static atomic_ulong n_signals;

static void on_signal(int s)
{
	(void)s;
	atomic_fetch_add(&n_signals, 1);
}

static void do_signal(void)
{
	unsigned i = next(N_THREADS);
	if (atomic_load(&alive[i]))
		pthread_kill(threads[i], SIGUSR1);
	cpu_set_t set;
	CPU_ZERO(&set);
	for (int c = 0; c < 4; c++)
		if (next(2))
			CPU_SET(c, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void do_timer(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec t = {.it_value.tv_nsec = 1 + next(300000)};
	uint64_t n;
	must(fd >= 0 && timerfd_settime(fd, 0, &t, 0) == 0, "timerfd");
	struct timespec nap = {0, next(400000)};
	nanosleep(&nap, 0);
	must(read(fd, &n, 8) == 8 || errno == EAGAIN, "timerfd read");
	close(fd);
}

static void (*const actions[])(void) = {do_futex, do_futex, do_epoll, do_epoll, do_malloc, do_map,
	do_file, do_pipe, do_thread, do_signal, do_timer};

static void *work(void *arg)
{
	me = (int)(intptr_t)arg;
	seed = (uint32_t)me * 7919 + 1;
	while (!atomic_load(&over)) {
		actions[next(sizeof(actions) / sizeof(actions[0]))]();
		atomic_fetch_add(&n_done, 1);
	}
	return 0;
}

/* --- */

static long kernel_memory(void)
{
	char text[4096], *p = text;
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	long total = 0;
	static const char *const rows[] = {"Slab:", "KernelStack:", "PageTables:"};
	for (unsigned i = 0; i < 3; i++)
		if ((p = strstr(text, rows[i])) != 0)
			total += atol(p + strlen(rows[i]));
	return total;
}

static void run_for(long ms)
{
	atomic_store(&over, false);
	for (intptr_t i = 0; i < N_THREADS; i++) {
		must(pthread_create(&threads[i], 0, work, (void *)i) == 0, "pthread_create");
		atomic_store(&alive[i], true);
	}
	struct timespec end, nap = {0, 10000000};
	clock_gettime(CLOCK_MONOTONIC, &end);
	long left = ms;
	while (left > 0) {
		nanosleep(&nap, 0);
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = ms -
		       ((now.tv_sec - end.tv_sec) * 1000 + (now.tv_nsec - end.tv_nsec) / 1000000);
	}
	for (int i = 0; i < N_THREADS; i++)
		atomic_store(&alive[i], false);
	nanosleep(&nap, 0);
	atomic_store(&over, true);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], 0);
	for (int i = 0; i < N_THREADS; i++)
		for (int k = 0; k < 4; k++) {
			char name[40];
			snprintf(name, sizeof(name), "/tmp/stress-%d-%d", i, k);
			unlink(name);
		}
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? atol(argv[1]) : 5;
	signal(SIGUSR1, on_signal);
	setvbuf(stdout, 0, _IOLBF, 0);
	epoll_fd = epoll_create1(0);
	for (int i = 0; i < N_EVENTS; i++) {
		event_fds[i] = eventfd(0, EFD_NONBLOCK);
		struct epoll_event e = {.events = EPOLLIN, .data.fd = event_fds[i]};
		must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fds[i], &e) == 0, "EPOLL_CTL_ADD");
	}
	run_for(seconds * 250);
	long before = kernel_memory();
	run_for(seconds * 750);
	long after = kernel_memory();
	for (int i = 0; i < N_EVENTS; i++) {
		uint64_t x = 0;
		if (read(event_fds[i], &x, 8) == 8)
			atomic_fetch_add(&received, x);
	}
	must(sent == received, "events went missing");
	printf("%lu actions, %lu signals, kernel memory %ld -> %ld kB\n", atomic_load(&n_done),
		atomic_load(&n_signals), before, after);
	/* Per-CPU caches and page tables vary; a leak does not stop. */
	must(after < before + 1500, "the kernel holds more and more");
	puts("stress ok");
	return 0;
}
