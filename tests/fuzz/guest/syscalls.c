/*
 * Draws system calls and arguments from the signatures in kernel/syscall/table.def, in several threads, and looks at what
 * comes back: kernel addresses in a result, calls that no signal ends, kernel memory that grows.  Pointers are of every
 * class: null, unmapped, of the kernel, non-canonical, straddling the end of a mapping, misaligned, read-only.
 *
 *     syscalls SECONDS SEED THREADS [log]       log: each call before it is made, to find the one that broke it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/guest/fuzz.h"

#define ROUND_SECONDS 10
#define CLEAN_SECONDS 3
#define STUCK_SECONDS 30
#define ROUNDS_MAX 1000
#define GROWTH_KB 512
#define STACKS (256 * 1024)

static const struct call calls[] = {
#define CALL(name, x86_64, arm64, flags, signature) {#name, x86_64, signature},
#define ABSENT(name, x86_64, arm64, signature) {#name, x86_64, signature},
#define MISSING(name, x86_64, arm64, signature) {#name, x86_64, signature},
#include "kernel/syscall/table.def"
};
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

struct thread threads[THREADS_MAX];
unsigned n_threads;
static atomic_bool stop;
static bool logging;
static bool last_round;
static unsigned choice[N_CALLS], n_choice;
static unsigned long made[N_CALLS];

void die(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	printf("fuzz: FAILED: ");
	vprintf(format, list);
	printf("\n");
	fflush(stdout);
	_exit(3);
}

uint64_t draw(struct thread *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

unsigned below(struct thread *t, unsigned n)
{
	return (unsigned)(draw(t) >> 20) % n;
}

/* --- descriptors of every kind --- */

static void keep(int fd)
{
	if (fd >= 0 && fd < FIRST_FD)
		close(fd);
}

static void make_sockets(void)
{
	int pair[2], listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), client;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		(void)!write(pair[0], "some data", 9);
	(void)!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	keep(socket(AF_INET, SOCK_DGRAM, 0));
	keep(socket(AF_INET6, SOCK_STREAM, 0));
	keep(socket(AF_NETLINK, SOCK_RAW, 0));
	if (listener < 0 || bind(listener, (void *)&a, len) < 0 || listen(listener, 4) < 0 ||
		getsockname(listener, (void *)&a, &len) < 0)
		return;
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	(void)!connect(client, (void *)&a, sizeof(a));
	keep(accept(listener, NULL, NULL));
}

static void make_files(void)
{
	int pipes[2];
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	(void)!mkdir("/tmp/fuzz", 0700);
	int fd = open("/tmp/fuzz/a", O_RDWR | O_CREAT, 0600);
	(void)!write(fd, "a file with some text in it\n", 28);
	keep(open("/tmp/fuzz/b", O_WRONLY | O_CREAT | O_APPEND, 0600));
	keep(open("/tmp/fuzz", O_RDONLY | O_DIRECTORY));
	keep(open("/tmp/fuzz/a", O_PATH));
	keep(open("/proc/self/status", O_RDONLY));
	keep(open("/proc/self", O_RDONLY | O_DIRECTORY));
	keep(open("/dev/null", O_RDWR));
	keep(open("/dev/zero", O_RDWR));
	keep(open("/dev/urandom", O_RDONLY));
	if (pipe(pipes) == 0)
		(void)!write(pipes[1], "in a pipe", 9);
	keep(eventfd(1, 0));
	keep(timerfd_create(CLOCK_MONOTONIC, 0));
	keep(signalfd(-1, &set, 0));
	keep(epoll_create1(0));
	keep(inotify_init());
	keep(memfd_create("fuzz", MFD_ALLOW_SEALING));
	uint32_t params[30] = {0};
	keep((int)syscall(SYS_io_uring_setup, 8, params));
	make_sockets();
}

/* --- arguments --- */

static const uint64_t bad_addresses[] = {0, 1, 8, 0x1000, 0x7ffffffff000, 0x800000000000,
	0x7fffffffffff, 0x8000000000000000, 0xffff800000000000, 0xffffe00000000000,
	0xffffffff80001000, 0xfffffffffffff000, 0xffffffffffffffff, 0xffffffff80200008,
	0xdeadbeefdeadbeef, 0xfee00000};

long hostile(struct thread *t)
{
	return (long)bad_addresses[below(t, sizeof(bad_addresses) / sizeof(bad_addresses[0]))];
}

/* Memory of this thread's, mostly good. */
long pointer(struct thread *t)
{
	switch (below(t, 14)) {
	case 12:
		return (long)threads[below(t, n_threads)].zone + below(t, ZONE);
	case 0:
	case 1:
		return hostile(t);
	case 2:
		return (long)(t->arena + ARENA - below(t, 64)); /* over the edge */
	case 3:
		return (long)t->arena + below(t, 4096) + 1;
	case 4:
		return (long)t->read_only + below(t, 64) * 8;
	default:
		return (long)t->arena + below(t, ARENA / 64) * 64;
	}
}

static const uint64_t numbers[] = {0, 1, 2, 3, 4, 7, 8, 16, 24, 63, 64, 100, 128, 255, 256, 512,
	1023, 1024, 4095, 4096, 4097, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
	0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};

long number(struct thread *t)
{
	uint64_t n = numbers[below(t, sizeof(numbers) / sizeof(numbers[0]))];
	switch (below(t, 4)) {
	case 0:
		return (long)n;
	case 1:
		return 1l << below(t, 32) | (below(t, 2) ? 1l << below(t, 32) : 0);
	default:
		return below(t, 20);
	}
}

/* Mostly what a program could mean: memory is not to be used up. */
static long size(struct thread *t)
{
	return below(t, 8) ? (long)below(t, ARENA) >> below(t, 16) : number(t);
}

static long descriptor(struct thread *t)
{
	unsigned n = below(t, 64);
	if (n == 0)
		return -1;
	if (n == 1)
		return number(t) & ~3l;
	return FIRST_FD + below(t, 48);
}

static const char *const paths[] = {"/tmp/fuzz/a", "/tmp/fuzz/b", "/tmp/fuzz/c", "/tmp/fuzz/d/e",
	"/tmp/fuzz/d", "a", "b", "", ".", "..", "/", "/proc/self/maps", "/proc/self/fd/3",
	"/dev/null", "/tmp/fuzz/link", "user.name", "/proc/meminfo",
	"/sys/devices/system/cpu/online"};

static long path(struct thread *t)
{
	if (below(t, 6) == 0)
		return pointer(t);
	if (below(t, 32) == 0) {
		/* No end before the end of memory, or before PATH_MAX. */
		uint8_t *at = below(t, 2) ? t->arena + ARENA - 100 : t->arena;
		memset(at, 'x', at == t->arena ? 5000 : 100);
		return (long)at;
	}
	const char *s = paths[below(t, sizeof(paths) / sizeof(paths[0]))];
	char *at = (char *)t->arena + 512 * below(t, 16);
	strcpy(at, s);
	return (long)at;
}

/* Words that structures could hold: numbers, addresses, descriptors. */
static void scribble(struct thread *t, uint8_t *at, unsigned n_words)
{
	uint64_t *words = (uint64_t *)((uintptr_t)at & ~7ul);
	for (unsigned i = 0; i < n_words; i++) {
		unsigned kind = t->looking ? 2 + below(t, 6) * 2 : below(t, 8);
		words[i] = kind == 0   ? (uint64_t)pointer(t)
			   : kind == 1 ? (uint64_t)number(t)
			   : kind == 2 ? (uint64_t)descriptor(t)
			   : kind == 3 ? (uint64_t)size(t) | (uint64_t)number(t) << 32
				       : (uint64_t)below(t, 4);
	}
}

static bool is(const char *kind, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(kind, word, n) == 0;
}

static long timespan(struct thread *t)
{
	if (below(t, 4) == 0)
		return pointer(t);
	struct timespec *at = (void *)(t->arena + 16 * below(t, 100));
	*at = (struct timespec){0, below(t, 8) ? (long)below(t, 2000000) : number(t)};
	return (long)at;
}

static long argument(struct thread *t, const char *kind, size_t n)
{
	static const char *const plain[] = {"int", "uint", "hex", "long", "clock", "mode", "prot",
		"resource", "whence", "itimer", "family", "advice", "signal", "access", "shutdown",
		"sigmask_how", "open_mode", "socket_level", "socket_option", "socket_type",
		"epoll_operation", "futex", "fcntl", "ioctl", "offset", "lock", "option"};
	if (is(kind, n, "fd") || is(kind, n, "dirfd"))
		return below(t, 8) ? descriptor(t) : AT_FDCWD;
	if (is(kind, n, "size"))
		return size(t);
	if (is(kind, n, "path"))
		return path(t);
	if (is(kind, n, "timespec") || is(kind, n, "timeval") || is(kind, n, "timespec2"))
		return timespan(t);
	if (is(kind, n, "sigset")) /* what ends a wait must not be blocked */
		return below(t, 2) ? 0 : hostile(t);
	if (is(kind, n, "map_flags"))
		return (number(t) & ~0x100010l & ~0x8000l) | (below(t, 2) ? 0x22 : 1);
	if (is(kind, n, "address"))
		return below(t, 4) ? (long)(t->arena + (below(t, 8) << 12)) : hostile(t);
	if (n > 5 && memcmp(kind + n - 5, "flags", 5) == 0)
		return below(t, 2) ? 0 : number(t);
	for (unsigned i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (is(kind, n, plain[i]))
			return number(t);
	long at = pointer(t);
	if (at >= (long)t->arena && at < (long)t->arena + ARENA - 2048 && memcmp(kind, "out_", 4))
		scribble(t, (uint8_t *)at, 8 + below(t, 24));
	return at;
}

void fill_arguments(struct thread *t, const struct call *c)
{
	const char *signature = c->signature;
	unsigned n = 0;
	memset(t->args, 0, sizeof(t->args));
	while (*signature && *signature != '=' && n < 6) {
		while (*signature == ' ' || *signature == ',')
			signature++;
		size_t len = strcspn(signature, " ,=");
		if (len)
			t->args[n++] = argument(t, signature, len);
		signature += strcspn(signature, ",=");
	}
}

/* --- what comes back --- */

static bool of_kernel(uint64_t word)
{
	/* All memory, stacks and devices; the image (ARCHITECTURE.md, Addresses). */
	bool direct = word >= 0xffff800000000000 && word < 0xffffe20000000000;
	bool image = word >= 0xffffffff80000000 && word < 0xffffffffa0000000;
	if (!direct && !image)
		return false;
	for (unsigned i = 0; i < sizeof(bad_addresses) / sizeof(bad_addresses[0]); i++)
		if (word == bad_addresses[i] || word - bad_addresses[i] < 0x100000)
			return false;
	return true;
}

/* Outputs of this call in a clean page of the arena: nothing of the kernel's own may be there. */
static void check_results(struct thread *t, const struct call *c)
{
	const uint64_t *words = (const uint64_t *)t->arena, *before = (const uint64_t *)t->before;
	for (unsigned i = 0; i < ARENA / 8; i++)
		if (words[i] != before[i] && of_kernel(words[i]))
			die("%s gave a kernel address: %#lx at %#x (args %lx %lx %lx %lx %lx %lx)",
				c->name, words[i], i * 8, t->args[0], t->args[1], t->args[2],
				t->args[3], t->args[4], t->args[5]);
}

static bool copies_data(const struct call *c)
{
	return strstr(c->name, "read") || strstr(c->name, "recv") || strstr(c->name, "random") ||
	       strstr(c->name, "splice") || strstr(c->name, "io_");
}

static const struct call *choose(struct thread *t)
{
	return &calls[choice[below(t, n_choice)]];
}

static const struct call *choose_open(struct thread *t)
{
	const struct call *c;
	do
		c = choose(t);
	while (tamed_kind(c->name) != TAMED_OPEN);
	return c;
}

static void say_call(struct thread *t, const struct call *c)
{
	printf("%u %s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n", t->number, c->name, t->args[0],
		t->args[1], t->args[2], t->args[3], t->args[4], t->args[5]);
	fflush(stdout);
}

static void one_call(struct thread *t)
{
	const struct call *c = choose(t);
	enum tamed kind = tamed_kind(c->name);
	atomic_fetch_add(&t->n_calls, 1);
	if (kind == TAMED_PARTING && !last_round)
		return;
	made[c - calls]++;
	if (kind != TAMED_OPEN) {
		atomic_store(&t->call, c);
		brief_thread(t, c, choose_open);
		atomic_store(&t->call, NULL);
		return;
	}
	bool look = below(t, 8) == 0 && !copies_data(c);
	t->looking = look;
	if (look)
		memset(t->arena, 0, ARENA);
	fill_arguments(t, c);
	tame(t, c);
	if (logging)
		say_call(t, c);
	if (look)
		memcpy(t->before, t->arena, ARENA);
	atomic_store(&t->call, c);
	long result = syscall(
		c->number, t->args[0], t->args[1], t->args[2], t->args[3], t->args[4], t->args[5]);
	atomic_store(&t->call, NULL);
	if (look)
		check_results(t, c);
	tame_after(t, c, result);
}

static void *fuzz(void *arg)
{
	struct thread *t = arg;
	t->tid = gettid();
	for (unsigned i = 0; !stop; i++) {
		if (t->number == 0 && i % 512 == 0) {
			for (int fd = FIRST_FD; fd < 120; fd++)
				close(fd);
			make_files();
			umask(0);
		}
		if (i % 256 == 0)
			zone_prepare(t);
		if (i % 64 == 0)
			zone_touch(t);
		one_call(t);
	}
	t->tid = 0;
	t->done = true;
	return NULL;
}

/* --- the run --- */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_ms(unsigned n)
{
	const struct timespec t = {0, n * 1000000l};
	nanosleep(&t, NULL);
}

/* Whatever waits is interrupted, again and again. */
static void run_round(uint64_t seed, double seconds)
{
	stop = false;
	for (unsigned i = 0; i < n_threads; i++) {
		struct thread *t = &threads[i];
		t->random = (seed * 1000003 + i + 1) * 0x9e3779b97f4a7c15;
		t->number = i;
		t->done = false;
		if (pthread_create(&t->id, NULL, fuzz, t))
			die("no thread");
	}
	double end = now() + seconds;
	while (now() < end + STUCK_SECONDS) {
		pause_ms(2);
		stop = now() >= end;
		bool all = true;
		for (unsigned i = 0; i < n_threads; i++) {
			all &= threads[i].done;
			if (!threads[i].done && threads[i].tid)
				syscall(SYS_tgkill, getpid(), threads[i].tid, SIGUSR1);
		}
		if (all)
			break;
	}
	for (unsigned i = 0; i < n_threads; i++) {
		const struct call *c = threads[i].call;
		const long *a = threads[i].args;
		if (!threads[i].done)
			die("no signal ends %s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)",
				c ? c->name : "nothing", a[0], a[1], a[2], a[3], a[4], a[5]);
		pthread_join(threads[i].id, NULL);
	}
}

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind;
	return at->level ? remove(name) & 0 : 0;
}

/* Everything that outlives a descriptor: names, System V's objects, timers. */
static void clean(void)
{
	for (int fd = FIRST_FD; fd < 2000; fd++)
		close(fd);
	(void)!chdir("/");
	nftw("/tmp/fuzz", remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		syscall(SYS_mq_unlink, paths[i]);
	for (int i = 0; i < 1000; i++) {
		int id = (int)syscall(SYS_shmctl, i, 13 /* SHM_STAT */, threads[0].before);
		syscall(SYS_shmctl, id, 0, NULL);
		id = (int)syscall(SYS_semctl, i, 0, 18 /* SEM_STAT */, threads[0].before);
		syscall(SYS_semctl, id, 0, 0, NULL);
		id = (int)syscall(SYS_msgctl, i, 11 /* MSG_STAT */, threads[0].before);
		syscall(SYS_msgctl, id, 0, NULL);
		syscall(SYS_timer_delete, i);
	}
	for (unsigned i = 0; i < n_threads; i++)
		zone_prepare(&threads[i]);
	sleep(CLEAN_SECONDS); /* the pool's idle threads go */
}

/* KB that the kernel holds for itself. */
static long kernel_kb(void)
{
	char line[128];
	long slab = 0, value;
	FILE *f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %ld", &value) == 1 ||
			sscanf(line, "KernelStack: %ld", &value) == 1)
			slab += value;
	if (f)
		fclose(f);
	return slab;
}

static void choose_calls(void)
{
	for (unsigned i = 0; i < N_CALLS; i++) {
		if (calls[i].number >= 0 && tamed_kind(calls[i].name) != TAMED_OUT)
			choice[n_choice++] = i;
	}
}

static void prepare_thread(struct thread *t)
{
	t->arena = mmap(
		NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(t->arena + ARENA, 4096);
	t->before = malloc(ARENA);
	t->read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	t->stack = mmap(NULL, STACKS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zone_prepare(t);
}

static long least(const long *kb, unsigned n)
{
	long found = kb[0];
	for (unsigned i = 1; i < n; i++)
		found = kb[i] < found ? kb[i] : found;
	return found;
}

/* What is kept grows with every round; what is only cached does not once it is warm. */
static void judge_growth(const long *kb, unsigned rounds)
{
	unsigned third = rounds / 3;
	printf("fuzz: kernel memory in KB:");
	for (unsigned i = 0; i < rounds; i++)
		printf(" %ld", kb[i]);
	printf("\n");
	if (third &&
		least(kb + 2 * third, rounds - 2 * third) > least(kb + third, third) + GROWTH_KB)
		die("kernel memory grows");
}

static void list_made(void)
{
	for (unsigned i = 0; i < n_choice; i++)
		if (!made[choice[i]])
			printf("fuzz: never made: %s\n", calls[choice[i]].name);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 10;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	n_threads = argc > 3 ? (unsigned)atoi(argv[3]) : 4;
	n_threads = n_threads > THREADS_MAX ? THREADS_MAX : n_threads;
	logging = argc > 4;
	signals_prepare();
	choose_calls();
	for (unsigned i = 0; i < n_threads; i++)
		prepare_thread(&threads[i]);
	double end = now() + seconds;
	static long kb[ROUNDS_MAX];
	unsigned long total = 0;
	unsigned round = 0;
	for (; now() < end && round < ROUNDS_MAX; round++) {
		double left = end - now();
		last_round = left <= ROUND_SECONDS + CLEAN_SECONDS;
		printf("fuzz: seed %lu round %u\n", seed, round);
		fflush(stdout);
		run_round(seed + round, left < ROUND_SECONDS ? left : ROUND_SECONDS);
		clean();
		signals_prepare();
		kb[round] = kernel_kb();
	}
	for (unsigned i = 0; i < n_threads; i++)
		total += threads[i].n_calls;
	list_made();
	printf("fuzz: %lu calls of %u kinds\n", total, n_choice);
	judge_growth(kb, round ? round - 1 : 0); /* the last one's rights are gone */
	printf("fuzz: ok\n");
	fflush(stdout);
	_exit(0);
}
