/* What /sys shows of processors, memory nodes and clocks: Documentation/ABI of Linux, the part that C libraries, the JVM and Go read. */
#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/lib/log.h"
#include "kernel/mem/page.h"
#include "kernel/proc/internal.h"

#define CPU_FOLDER "/sys/devices/system/cpu/"
#define NODE_FOLDER "/sys/devices/system/node/"

static void show_cpu_list(struct text *t, int unused)
{
	(void)unused;
	unsigned n = cpu_possible();
	text_add(t, n > 1 ? "0-%u\n" : "0\n", n - 1);
}

static void show_cpu_mask(struct text *t, int unused)
{
	(void)unused;
	unsigned n = cpu_possible();
	uint64_t mask = n < 64 ? (1ul << n) - 1 : UINT64_MAX;
	if (n > 32)
		text_add(t, "%08x,", (unsigned)(mask >> 32));
	text_add(t, "%0*x\n", n > 32 ? 8 : (int)div_round_up(n, 4), (unsigned)mask);
}

static void show_empty(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "\n");
}

static void show_kernel_max(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "%u\n", CPU_MAX - 1);
}

static void show_zero(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "0\n");
}

static void show_one(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "1\n");
}

static void show_distance(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "10\n");
}

static void show_number(struct text *t, int cpu)
{
	text_add(t, "%d\n", cpu);
}

static void show_one_mask(struct text *t, int cpu)
{
	text_add(t, "%lx\n", 1ul << cpu);
}

static void show_node_memory(struct text *t, int unused)
{
	(void)unused;
	struct memory_usage m;
	page_usage(&m);
	text_add(t, "Node 0 MemTotal: %lu kB\nNode 0 MemFree: %lu kB\nNode 0 MemUsed: %lu kB\n",
		m.total * PAGE_SIZE / 1024, m.free * PAGE_SIZE / 1024,
		(m.total - m.free) * PAGE_SIZE / 1024);
}

static void show_huge_enabled(struct text *t, int unused)
{
	(void)unused;
	static const char *const text[] = {[LARGE_ALWAYS] = "[always] madvise never\n",
		[LARGE_ADVISED] = "always [madvise] never\n",
		[LARGE_NEVER] = "always madvise [never]\n"};
	text_add(t, "%s", text[large_get_policy()]);
}

static long store_huge_enabled(const char *text, size_t len, int unused)
{
	(void)unused;
	static const char *const words[] = {
		[LARGE_ALWAYS] = "always", [LARGE_ADVISED] = "madvise", [LARGE_NEVER] = "never"};
	size_t n = len > 0 && text[len - 1] == '\n' ? len - 1 : len;
	for (unsigned i = 0; i < array_size(words); i++)
		if (n == strlen(words[i]) && memcmp(text, words[i], n) == 0) {
			large_set_policy((enum large_policy)i);
			return (long)len;
		}
	return -EINVAL;
}

static void show_huge_size(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "%lu\n", LARGE_PAGE_SIZE);
}

static void show_clock_source(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "tsc\n");
}

static const struct generated_file files[] = {
	{.path = CPU_FOLDER "online", .show = show_cpu_list},
	{.path = CPU_FOLDER "possible", .show = show_cpu_list},
	{.path = CPU_FOLDER "present", .show = show_cpu_list},
	{.path = CPU_FOLDER "offline", .show = show_empty},
	{.path = CPU_FOLDER "kernel_max", .show = show_kernel_max},
	{.path = NODE_FOLDER "online", .show = show_zero},
	{.path = NODE_FOLDER "possible", .show = show_zero},
	{.path = NODE_FOLDER "node0/cpulist", .show = show_cpu_list},
	{.path = NODE_FOLDER "node0/cpumap", .show = show_cpu_mask},
	{.path = NODE_FOLDER "has_cpu", .show = show_zero},
	{.path = NODE_FOLDER "has_memory", .show = show_zero},
	{.path = NODE_FOLDER "has_normal_memory", .show = show_zero},
	{.path = NODE_FOLDER "node0/distance", .show = show_distance},
	{.path = CPU_FOLDER "isolated", .show = show_empty},
	{.path = CPU_FOLDER "smt/active", .show = show_zero},
	{.path = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", .show = show_zero},
	{.path = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", .show = show_zero},
	{.path = "/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages", .show = show_zero},
	{.path = "/sys/kernel/mm/hugepages/hugepages-2048kB/surplus_hugepages", .show = show_zero},
	{.path = NODE_FOLDER "node0/meminfo", .show = show_node_memory},
	{.path = "/sys/kernel/mm/transparent_hugepage/enabled",
		.show = show_huge_enabled,
		.store = store_huge_enabled},
	{.path = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", .show = show_huge_size},
	{.path = "/sys/devices/system/clocksource/clocksource0/current_clocksource",
		.show = show_clock_source},
	{.path = "/sys/devices/system/clocksource/clocksource0/available_clocksource",
		.show = show_clock_source},
};

/* For each CPU: no caches or threads are shared as far as anybody inside can tell. */
static const struct generated_each per_cpu[] = {
	{"topology/core_id", show_number},
	{"topology/physical_package_id", show_zero},
	{"topology/die_id", show_zero},
	{"topology/thread_siblings", show_one_mask},
	{"topology/thread_siblings_list", show_number},
	{"topology/core_cpus", show_one_mask},
	{"topology/core_cpus_list", show_number},
	{"topology/core_siblings", show_cpu_mask},
	{"topology/core_siblings_list", show_cpu_list},
	{"topology/package_cpus", show_cpu_mask},
	{"topology/package_cpus_list", show_cpu_list},
	{"online", show_one},
};

static void add_per_cpu(void)
{
	for (unsigned cpu = 0; cpu < cpu_possible(); cpu++) {
		char name[16];
		format(name, sizeof(name), "cpu%u", cpu);
		/* The first one can not be taken offline, so it does not tell. */
		vfs_generated_each("/sys/devices/system/cpu", name, (int)cpu, per_cpu,
			array_size(per_cpu) - (cpu == 0));
	}
}

void show_cpu_init(void)
{
	vfs_generated_add(files, array_size(files));
	vfs_generated_later(add_per_cpu);
}
