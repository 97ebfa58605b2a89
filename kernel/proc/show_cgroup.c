/*
 * /sys/fs/cgroup: the machine as one control group of version 2 (Linux Documentation/admin-guide/cgroup-v2.rst), for those who size
 * themselves by it.  Its limits are the machine's own; none can be changed, so nothing can be written.
 */
#include "kernel/arch/cpu.h"
#include "kernel/lib/format.h"
#include "kernel/mem/page.h"
#include "kernel/proc/internal.h"

#define FOLDER "/sys/fs/cgroup/"

static struct memory_usage usage(void)
{
	struct memory_usage m;
	page_usage(&m);
	return m;
}

static void show_memory_max(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "%lu\n", usage().total * PAGE_SIZE);
}

static void show_memory_current(struct text *t, int unused)
{
	(void)unused;
	struct memory_usage m = usage();
	text_add(t, "%lu\n", (m.total - m.free) * PAGE_SIZE);
}

static void show_memory_stat(struct text *t, int unused)
{
	(void)unused;
	struct memory_usage m = usage();
	text_add(t,
		"anon %lu\nfile %lu\nkernel %lu\nkernel_stack %lu\npagetables %lu\nslab %lu\n"
		"file_dirty %lu\npgfault %lu\npgmajfault %lu\n",
		m.anonymous * PAGE_SIZE, m.cached * PAGE_SIZE,
		(m.stacks + m.page_tables + m.heap) * PAGE_SIZE, m.stacks * PAGE_SIZE,
		m.page_tables * PAGE_SIZE, m.heap * PAGE_SIZE, m.dirty * PAGE_SIZE,
		process.space.minor_faults + process.space.major_faults,
		process.space.major_faults);
}

static void show_cpu_max(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "%u00000 100000\n", cpu_count());
}

static void show_cpu_stat(struct text *t, int unused)
{
	(void)unused;
	uint64_t user_ns = 0, system_ns = 0;
	process_cpu_ns(&user_ns, &system_ns);
	text_add(t, "usage_usec %lu\nuser_usec %lu\nsystem_usec %lu\n",
		(user_ns + system_ns) / NS_PER_US, user_ns / NS_PER_US, system_ns / NS_PER_US);
}

static void show_cpus(struct text *t, int unused)
{
	(void)unused;
	text_add(t, cpu_count() > 1 ? "0-%u\n" : "0\n", cpu_count() - 1);
}

static void show_tasks(struct text *t, int unused)
{
	(void)unused;
	for (int tid = process_next_tid(1); tid > 0; tid = process_next_tid(tid + 1))
		text_add(t, "%d\n", tid);
}

static void show_n_tasks(struct text *t, int unused)
{
	(void)unused;
	text_add(t, "%u\n", process.n_tasks);
}

static void show_nothing(struct text *t, int unused)
{
	(void)t, (void)unused;
}

#define FACT(name, text_)                                                                          \
	static void show_##name(struct text *t, int unused)                                        \
	{                                                                                          \
		(void)unused;                                                                      \
		text_add(t, text_);                                                                \
	}
FACT(controllers, "cpuset cpu memory pids\n")

FACT(max, "max\n")
FACT(zero, "0\n")
FACT(one, "1\n")
FACT(hundred, "100\n")
FACT(threads_max, "32768\n")
FACT(memory_events, "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n")

static const struct generated_file files[] = {
	{.path = FOLDER "cgroup.controllers", .show = show_controllers},
	{.path = FOLDER "cgroup.procs", .show = show_one},
	{.path = FOLDER "cgroup.threads", .show = show_tasks},
	{.path = FOLDER "cgroup.subtree_control", .show = show_nothing},
	{.path = FOLDER "cpu.max", .show = show_cpu_max},
	{.path = FOLDER "cpu.stat", .show = show_cpu_stat},
	{.path = FOLDER "cpu.weight", .show = show_hundred},
	{.path = FOLDER "cpuset.cpus.effective", .show = show_cpus},
	{.path = FOLDER "cpuset.mems.effective", .show = show_zero},
	{.path = FOLDER "memory.current", .show = show_memory_current},
	{.path = FOLDER "memory.events", .show = show_memory_events},
	{.path = FOLDER "memory.high", .show = show_max},
	{.path = FOLDER "memory.low", .show = show_zero},
	{.path = FOLDER "memory.max", .show = show_memory_max},
	{.path = FOLDER "memory.min", .show = show_zero},
	{.path = FOLDER "memory.stat", .show = show_memory_stat},
	{.path = FOLDER "memory.swap.current", .show = show_zero},
	{.path = FOLDER "memory.swap.max", .show = show_zero},
	{.path = FOLDER "pids.current", .show = show_n_tasks},
	{.path = FOLDER "pids.max", .show = show_threads_max},
};

void show_cgroup_init(void)
{
	vfs_generated_add(files, array_size(files));
}
