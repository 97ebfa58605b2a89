/* getrlimit, setrlimit, prlimit, sysconf, getrusage, sysinfo, times. */
#include "lib/check.h"
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>

int main(void)
{
	struct rlimit r;
	struct rusage u;
	struct sysinfo s;
	struct tms t;
	show(getrlimit(RLIMIT_STACK, &r));
	printf("%ld\n", (long)r.rlim_cur);
	show(getrlimit(RLIMIT_AS, &r));
	printf("%ld %ld\n", (long)r.rlim_cur, (long)r.rlim_max);
	r.rlim_cur = 0;
	show(setrlimit(RLIMIT_CORE, &r));
	show(prlimit(getpid(), RLIMIT_CORE, NULL, &r));
	printf("%ld\n", (long)r.rlim_cur);
	r = (struct rlimit){1 << 30, RLIM_INFINITY};
	show(prlimit(0, RLIMIT_AS, &r, NULL));
	show_ok(mmap(NULL, 1ul << 31, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	show_ok(mmap(NULL, 1ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	is(sysconf(_SC_PAGESIZE) == 4096 && sysconf(_SC_CLK_TCK) == 100 &&
		sysconf(_SC_PHYS_PAGES) > 1000);
	show(getrusage(RUSAGE_SELF, &u));
	is(u.ru_maxrss > 100 && u.ru_minflt > 0);
	for (volatile long i = 0; i < 30000000; i++)
		;
	show(getrusage(RUSAGE_THREAD, &u));
	is(u.ru_utime.tv_sec > 0 || u.ru_utime.tv_usec > 0);
	show(getrusage(77, &u));
	show(sysinfo(&s));
	is(s.totalram > s.freeram && s.freeram > 0 && s.mem_unit > 0 && s.uptime >= 0 &&
		s.procs > 0);
	is(times(&t) > 0);
	show(sysinfo(wild()));
	show(getrusage(RUSAGE_SELF, wild()));
	return 0;
}
