/* User and kernel time are told apart, add up to the CPU clock, and never go back. */
#include "lib/check.h"
#include <sys/resource.h>
#include <sys/times.h>

static uint64_t us_of(struct timeval t)
{
	return t.tv_sec * 1000000ull + t.tv_usec;
}

struct times {
	uint64_t user, system;
};

static struct times used(int who)
{
	struct rusage u;
	must(getrusage(who, &u));
	return (struct times){us_of(u.ru_utime), us_of(u.ru_stime)};
}

static bool shrank;

/* Until 500 ms of CPU time are gone: in the program, or in the kernel. */
static void spend(bool in_kernel)
{
	static char buf[1 << 20];
	struct times last = used(RUSAGE_THREAD), now;
	uint64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + 500000000;
	int fd = must(open("/dev/zero", O_RDONLY));
	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
		if (in_kernel)
			must(read(fd, buf, sizeof(buf)));
		else
			for (volatile int i = 0; i < 2000000; i++)
				;
		now = used(RUSAGE_THREAD);
		shrank |= now.user < last.user || now.system < last.system;
		last = now;
	}
	close(fd);
}

static void measure(const char *what, bool in_kernel)
{
	struct times a = used(RUSAGE_THREAD);
	spend(in_kernel);
	struct times b = used(RUSAGE_THREAD);
	uint64_t user = b.user - a.user, system = b.system - a.system;
	printf("%s: %s\n", what,
		user > 3 * system   ? "user"
		: system > 3 * user ? "system"
				    : "neither");
}

static void *second_thread(void *unused)
{
	measure("a thread that reads", true);
	return NULL;
}

static void proc_stat(const char *path)
{
	char text[1024], *p;
	int fd = must(open(path, O_RDONLY));
	text[must(read(fd, text, sizeof(text) - 1))] = '\0';
	close(fd);
	unsigned long user = 0, system = 0;
	p = strrchr(text, ')');
	is(sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) ==
		2);
	is(user >= 20);
	is(system >= 20);
}

int main(void)
{
	measure("a loop", false);
	pthread_join(start(second_thread, NULL), NULL);
	is(shrank);
	struct times all = used(RUSAGE_SELF);
	is(all.user > 300000);
	is(all.system > 300000);
	struct tms t;
	times(&t);
	is(t.tms_utime >= 25);
	is(t.tms_stime >= 25);
	proc_stat("/proc/self/stat");
	uint64_t sum_us = now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1000;
	all = used(RUSAGE_SELF);
	is(all.user + all.system + 20000 >= sum_us && all.user + all.system <= sum_us + 20000);
	return 0;
}
