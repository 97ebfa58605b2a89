/* /proc and /sys as monitors and runtimes read them: accounts, disks, interrupts, control group, network cards, CPUs. */
#include "lib/check.h"
#include <sys/statfs.h>

static char buf[200000];

static const char *text_of(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	return n >= 0 ? buf : NULL;
}

static int contains(const char *path, const char *text)
{
	const char *s = text_of(path);
	return s && strstr(s, text);
}

static long number_after(const char *path, const char *key)
{
	const char *s = text_of(path), *at = s ? strstr(s, key) : NULL;
	return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static void of_process(void)
{
	long before = number_after("/proc/self/io", "wchar: ");
	write_file("f", "0123456789");
	is(number_after("/proc/self/io", "wchar: ") >= before + 10);
	is(number_after("/proc/self/io", "syscr: ") > 0);
	is(number_after("/proc/self/smaps_rollup", "Rss:") > 100);
	is(contains("/proc/self/smaps_rollup", "[rollup]"));
	is(number_after("/proc/self/schedstat", "") > 0);
	is(contains("/proc/self/cpuset", "/"));
	is(contains("/proc/self/setgroups", "allow"));
	is(text_of("/proc/self/wchan") != NULL);
	char link[64] = "";
	show_ok(readlink("/proc/self/ns/net", link, sizeof(link)));
	is(!strncmp(link, "net:[", 5));
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/task/%d/statm", (int)syscall(SYS_gettid));
	is(number_after(path, "") > 0);
	is(text_of("/proc/self/task/self/statm") == NULL);
}

static void of_machine(void)
{
	is(contains("/proc/interrupts", "CPU0"));
	is(contains("/proc/softirqs", "NET_RX:"));
	is(contains("/proc/stat", "softirq "));
	is(contains("/proc/partitions", "major minor  #blocks  name"));
	is(text_of("/proc/diskstats") != NULL);
	is(contains("/proc/devices", "  1 mem"));
	is(number_after("/proc/sys/fs/file-nr", "") >= 3);
	is(number_after("/proc/sys/kernel/tainted", "") >= 0);
	is(number_after("/proc/sys/net/ipv6/bindv6only", "") == 0);
	is(number_after("/proc/vmstat", "oom_kill ") >= 0);
	is(contains("/sys/class/net/lo/address", "00:00:00:00:00:00"));
	is(number_after("/sys/class/net/lo/mtu", "") >= 16384);
	is(contains("/sys/class/net/lo/operstate", "unknown"));
	is(number_after("/sys/class/net/lo/statistics/rx_bytes", "") >= 0);
	is(number_after("/sys/class/net/lo/type", "") == 772);
	is(number_after("/sys/devices/system/cpu/cpu0/topology/core_id", "") >= 0);
	is(text_of("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list") != NULL);
	is(number_after("/sys/devices/system/node/node0/distance", "") == 10);
	is(access("/sys/kernel/mm/hugepages", F_OK) == 0);
	is(access("/sys/block", F_OK) == 0);
	is(text_of("/sys/block/nothing/size") == NULL);
}

int main(void)
{
	struct statfs s;
	of_process();
	of_machine();
	is(statfs("/sys/fs/cgroup", &s) == 0);
	is(contains("/proc/filesystems", "cgroup2"));
	return 0;
}
