/* The machine's CPUs: counted the same in every way, and all of them used. */
/* test: cpus=4 */
#include "lib/check.h"
#include <sched.h>

static atomic_int used[1024];
static atomic_int stop;

static void *worker(void *unused)
{
	while (!stop)
		used[sched_getcpu()] = 1;
	return NULL;
}

static int lines_with(const char *path, const char *start_of_line)
{
	char line[8192];
	int n = 0;
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		n += strncmp(line, start_of_line, strlen(start_of_line)) == 0;
	if (f)
		fclose(f);
	return n;
}

int main(void)
{
	cpu_set_t set;
	must(sched_getaffinity(0, sizeof(set), &set));
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	is(CPU_COUNT(&set) == n);
	is(sysconf(_SC_NPROCESSORS_CONF) == n);
	is(lines_with("/proc/cpuinfo", "processor\t: ") == n);
	is(lines_with("/proc/stat", "cpu") == n + 1);
	pthread_t thread[8];
	for (int i = 0; i < 8; i++)
		thread[i] = start(worker, NULL);
	int count = 0;
	for (int tries = 0; tries < 100 && count < n; tries++) {
		sleep_ms(20);
		count = 0;
		for (int i = 0; i < 1024; i++)
			count += used[i];
	}
	stop = 1;
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	is(count == n);
	return 0;
}
