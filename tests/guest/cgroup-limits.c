/* The machine's size as a control group of version 2, as the JVM and Go read it. */
#include "lib/check.h"
#include <sys/statfs.h>
#include <sys/sysinfo.h>

static long long first_number(const char *path)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return atoll(text);
}

int main(void)
{
	struct statfs s;
	struct sysinfo i;
	must(statfs("/sys/fs/cgroup", &s));
	is(s.f_type == 0x63677270);
	sysinfo(&i);
	is(first_number("/sys/fs/cgroup/memory.max") == (long long)i.totalram * i.mem_unit);
	is(first_number("/sys/fs/cgroup/memory.current") > 0);
	is(first_number("/sys/fs/cgroup/cpu.max") == sysconf(_SC_NPROCESSORS_ONLN) * 100000);
	show_file("/proc/self/cgroup");
	show_file("/sys/fs/cgroup/cgroup.controllers");
	show_file("/sys/fs/cgroup/memory.swap.max");
	char line[512];
	FILE *f = fopen("/proc/self/mountinfo", "r");
	bool found = false;
	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, " /sys/fs/cgroup ") && strstr(line, " - cgroup2 ");
	is(found);
	return 0;
}
