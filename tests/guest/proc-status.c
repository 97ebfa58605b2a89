/* /proc/self/stat and status have the fields programs parse. */
#include "lib/check.h"

static long field(const char *key)
{
	char line[512];
	long value = -1;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			value = strtol(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

int main(void)
{
	char buf[2048];
	int fd = must(open("/proc/self/stat", O_RDONLY));
	ssize_t n = must(read(fd, buf, sizeof(buf) - 1));
	buf[n] = 0;
	int pid, ppid, words = 0;
	char comm[64], state;
	is(sscanf(buf, "%d (%63[^)]) %c %d", &pid, comm, &state, &ppid) == 4);
	is(pid == getpid() && ppid == getppid());
	printf("%s %c\n", comm, state);
	for (char *p = strrchr(buf, ')'); *p; p++)
		words += *p == ' ';
	printf("%d fields\n", words + 1);
	is(field("Pid") == getpid());
	is(field("Tgid") == getpid());
	is(field("Uid") == 0);
	is(field("Threads") == 1);
	is(field("VmSize") > 1000);
	is(field("VmRSS") > 100);
	is(field("VmHWM") >= field("VmRSS") || field("VmHWM") > 0);
	is(field("Cpus_allowed") >= 0);
	fd = must(open("/proc/self/statm", O_RDONLY));
	long size, resident;
	buf[must(read(fd, buf, sizeof(buf) - 1))] = 0;
	is(sscanf(buf, "%ld %ld", &size, &resident) == 2 && size > resident && resident > 20);
	return 0;
}
