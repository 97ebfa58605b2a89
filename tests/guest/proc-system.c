/* /proc/meminfo, cpuinfo, stat, uptime, loadavg, version, mounts: what parsers look for. */
#include "lib/check.h"

static long number_after(const char *path, const char *key)
{
	char line[4096];
	long value = -1;
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (value < 0 && !strncmp(line, key, strlen(key)))
			value = strtol(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return value;
}

static int contains(const char *path, const char *text)
{
	static char buf[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 && memmem(buf, n, text, strlen(text)) != NULL;
}

int main(void)
{
	long total = number_after("/proc/meminfo", "MemTotal:"),
	     free = number_after("/proc/meminfo", "MemFree:");
	long available = number_after("/proc/meminfo", "MemAvailable:");
	is(total > 1000 && free > 0 && free < total && available > 0 && available <= total);
	is(number_after("/proc/meminfo", "SwapTotal:") >= 0);
	is(number_after("/proc/meminfo", "Cached:") >= 0);
	is(number_after("/proc/meminfo", "Hugepagesize:") == 2048);
	is(contains("/proc/cpuinfo", "processor\t: 0"));
	is(contains("/proc/cpuinfo", "model name\t: "));
	is(contains("/proc/cpuinfo", "cpu MHz\t\t: "));
	is(contains("/proc/cpuinfo", "flags\t\t: ") && contains("/proc/cpuinfo", " sse2 "));
	is(contains("/proc/stat", "cpu  ") && contains("/proc/stat", "\nbtime "));
	double up = 0, idle = 0;
	FILE *f = fopen("/proc/uptime", "r");
	is(f && fscanf(f, "%lf %lf", &up, &idle) == 2 && up > 0);
	is(number_after("/proc/loadavg", "") >= 0);
	is(contains("/proc/version", "Linux version "));
	is(contains("/proc/mounts", " / ") && contains("/proc/self/mountinfo", " / "));
	is(contains("/proc/filesystems", "proc"));
	is(number_after("/proc/sys/kernel/pid_max", "") > 100);
	is(number_after("/proc/sys/net/core/somaxconn", "") >= 128);
	is(number_after("/proc/sys/vm/overcommit_memory", "") >= 0);
	is(number_after("/proc/sys/kernel/ngroups_max", "") == 65536);
	is(number_after("/proc/sys/fs/pipe-max-size", "") == 1048576);
	is(contains("/proc/sys/kernel/ostype", "Linux"));
	is(contains("/proc/self/cgroup", ":/") || contains("/proc/self/cgroup", "::"));
	is(contains("/sys/devices/system/cpu/online", "0"));
	is(contains("/sys/devices/system/cpu/possible", "0"));
	is(contains("/proc/net/dev", "lo:") || access("/proc/net/dev", F_OK) != 0);
	return 0;
}
