/* What /proc and /proc/sys show of the machine: proc(5).  Numbers are measured; settings that nothing here obeys are absent. */
#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/format.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/page.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/system.h"

#define TICK_NS 10000000ul /* _SC_CLK_TCK is 100 */
#define KB_PER_PAGE (PAGE_SIZE / 1024)

static void row(struct text *t, const char *name, uint64_t pages)
{
	text_add(t, "%s:%*lu kB\n", name, 23 - (int)strlen(name), pages * KB_PER_PAGE);
}

static void show_meminfo(struct text *t, int tid)
{
	(void)tid;
	struct memory_usage m;
	page_usage(&m);
	row(t, "MemTotal", m.total);
	row(t, "MemFree", m.free);
	uint64_t stays =
		max(m.dirty, vfs_memory_pages()); /* what was written in memory can not go */
	row(t, "MemAvailable", m.free + m.cached - min(m.cached, stays));
	row(t, "Buffers", 0);
	row(t, "Cached", m.cached);
	row(t, "SwapCached", 0);
	row(t, "Active", m.anonymous);
	row(t, "Inactive", m.cached);
	row(t, "SwapTotal", 0);
	row(t, "SwapFree", 0);
	row(t, "Dirty", m.dirty);
	row(t, "Writeback", 0);
	row(t, "AnonPages", m.anonymous);
	row(t, "Mapped",
		process.space.resident_pages - min(process.space.resident_pages, m.anonymous));
	row(t, "Shmem", vfs_memory_pages());
	row(t, "Slab", m.heap);
	row(t, "SReclaimable", 0);
	row(t, "SUnreclaim", m.heap);
	row(t, "KernelStack", m.stacks);
	row(t, "PageTables", m.page_tables);
	row(t, "CommitLimit", commit_limit_pages());
	rw_lock_read(&process.space_lock);
	row(t, "Committed_AS", commit_used_pages(&process.space));
	rw_unlock_read(&process.space_lock);
	row(t, "VmallocTotal", 1ul << 27);
	row(t, "AnonHugePages",
		(uint64_t)process.space.large_pages * (LARGE_PAGE_SIZE / PAGE_SIZE));
	text_add(t,
		"HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n");
	text_add(t, "HugePages_Surp:        0\nHugepagesize:       2048 kB\n");
}

static void show_cpu_line(struct text *t, const char *name, const struct sched_usage *u)
{
	text_add(t, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name, u->user_ns / TICK_NS,
		u->system_ns / TICK_NS, u->idle_ns / TICK_NS);
}

static void show_stat(struct text *t, int tid)
{
	(void)tid;
	struct sched_usage sum = {0}, one;
	for (unsigned i = 0; i < cpu_count(); i++) {
		sched_usage(i, &one);
		sum.user_ns += one.user_ns;
		sum.system_ns += one.system_ns;
		sum.idle_ns += one.idle_ns;
		sum.n_switches += one.n_switches;
		sum.n_interrupts += one.n_interrupts;
	}
	show_cpu_line(t, "cpu ", &sum);
	for (unsigned i = 0; i < cpu_count(); i++) {
		char name[16];
		format(name, sizeof(name), "cpu%u", i);
		sched_usage(i, &one);
		show_cpu_line(t, name, &one);
	}
	uint64_t boot_s = (clock_realtime_ns() - clock_monotonic_ns()) / NS_PER_S;
	text_add(t,
		"intr %lu\nctxt %lu\nbtime %lu\nprocesses %d\nprocs_running %d\nprocs_blocked 0\n"
		"softirq 0 0 0 0 0 0 0 0 0 0 0\n",
		sum.n_interrupts, sum.n_switches, boot_s, process.last_tid, 1);
}

static void show_uptime(struct text *t, int tid)
{
	(void)tid;
	struct sched_usage u;
	uint64_t idle_ns = 0, up = clock_monotonic_ns();
	for (unsigned i = 0; i < cpu_count(); i++) {
		sched_usage(i, &u);
		idle_ns += u.idle_ns;
	}
	text_add(t, "%lu.%02lu %lu.%02lu\n", up / NS_PER_S, up / TICK_NS % 100, idle_ns / NS_PER_S,
		idle_ns / TICK_NS % 100);
}

static void show_loadavg(struct text *t, int tid)
{
	(void)tid;
	uint64_t load[3];
	system_load(load);
	for (unsigned i = 0; i < 3; i++)
		text_add(t, "%lu.%02lu ", load[i] >> 16, (load[i] & 0xffff) * 100 >> 16);
	text_add(t, "1/%u %d\n", process.n_tasks, process.last_tid);
}

static void show_version(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "Linux version %s (mote) %s\n", SYSTEM_RELEASE, SYSTEM_VERSION);
}

static void show_cpuinfo(struct text *t, int tid)
{
	(void)tid;
	char one[4096];
	for (unsigned i = 0; i < cpu_count(); i++) {
		cpu_describe(i, one, sizeof(one));
		text_add(t, "%s\n", one);
	}
}

static void show_vmstat(struct text *t, int tid)
{
	(void)tid;
	struct memory_usage m;
	page_usage(&m);
	text_add(t, "nr_free_pages %lu\nnr_file_pages %lu\nnr_dirty %lu\nnr_anon_pages %lu\n",
		m.free, m.cached, m.dirty, m.anonymous);
	struct file_account a;
	file_account(&a);
	text_add(t, "pgpgin %lu\npgpgout %lu\npswpin 0\npswpout 0\noom_kill 0\n",
		a.disk_read_bytes / 1024, a.disk_written_bytes / 1024);
	text_add(t, "pgfault %lu\npgmajfault %lu\n",
		process.space.minor_faults + process.space.major_faults,
		process.space.major_faults);
}

/* The machine is one group of version 2, whose hierarchy is number 0. */
static void show_cgroups(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
		    "cpuset\t0\t1\t1\ncpu\t0\t1\t1\ncpuacct\t0\t1\t1\nmemory\t0\t1\t1\n"
		    "pids\t0\t1\t1\n");
}

/* By processor only: the drivers' lines are not counted apart. */
static void show_interrupts(struct text *t, int tid)
{
	(void)tid;
	struct sched_usage u;
	text_add(t, "    ");
	for (unsigned i = 0; i < cpu_count(); i++)
		text_add(t, "%8s%u ", "CPU", i);
	text_add(t, "\nALL:");
	for (unsigned i = 0; i < cpu_count(); i++) {
		sched_usage(i, &u);
		text_add(t, " %10lu", u.n_interrupts);
	}
	text_add(t, "   All interrupts\n");
}

/* There are none: what Linux leaves to them is done in the interrupt. */
static void show_softirqs(struct text *t, int tid)
{
	(void)tid;
	static const char *const names[] = {"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL",
		"TASKLET", "SCHED", "HRTIMER", "RCU"};
	text_add(t, "                    ");
	for (unsigned i = 0; i < cpu_count(); i++)
		text_add(t, "CPU%-8u", i);
	for (unsigned n = 0; n < array_size(names); n++) {
		text_add(t, "\n%12s:", names[n]);
		for (unsigned i = 0; i < cpu_count(); i++)
			text_add(t, " %10u", 0);
	}
	text_add(t, "\n");
}

static void show_domain_name(struct text *t, int tid)
{
	(void)tid;
	char name[SYSTEM_NAME_MAX + 1];
	system_domain_name(name);
	text_add(t, "%s\n", name);
}

static void show_file_nr(struct text *t, int tid)
{
	(void)tid;
	unsigned n = 0;
	for (int fd = fd_next(0); fd >= 0; fd = fd_next(fd + 1))
		n++;
	text_add(t, "%u\t0\t9223372036854775807\n", n);
}

static void show_swaps(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
}

static void show_host_name(struct text *t, int tid)
{
	(void)tid;
	char name[SYSTEM_NAME_MAX + 1];
	system_host_name(name);
	text_add(t, "%s\n", name);
}

static long store_host_name(const char *text, size_t len, int tid)
{
	(void)tid;
	size_t n = len > 0 && text[len - 1] == '\n' ? len - 1 : len;
	int err = system_set_host_name(text, n);
	return err < 0 ? err : (long)len;
}

static void show_uuid(struct text *t, const uint8_t b[16])
{
	for (unsigned i = 0; i < 16; i++)
		text_add(t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	text_add(t, "\n");
}

/* RFC 9562 5.4: version 4. */
static void make_uuid(uint8_t b[16])
{
	random_bytes(b, 16);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
}

static void show_random_uuid(struct text *t, int tid)
{
	(void)tid;
	uint8_t b[16];
	make_uuid(b);
	show_uuid(t, b);
}

static void show_boot_id(struct text *t, int tid)
{
	(void)tid;
	static struct spinlock lock = SPINLOCK_INIT;
	static uint8_t b[16];
	irq_state state = spin_lock(&lock);
	if (b[6] == 0)
		make_uuid(b);
	spin_unlock(&lock, state);
	show_uuid(t, b);
}

static void show_osrelease(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "%s\n", SYSTEM_RELEASE);
}

static void show_os_version(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "%s\n", SYSTEM_VERSION);
}

static void show_ostype(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "Linux\n");
}

/* Fixed facts of this kernel, one number or a row of them each. */
#define FACT(name, text_)                                                                          \
	static void show_##name(struct text *t, int tid)                                           \
	{                                                                                          \
		(void)tid;                                                                         \
		text_add(t, text_ "\n");                                                           \
	}
FACT(pid_max, "4194304")
FACT(threads_max, "32768")
FACT(ngroups_max, "65536")
FACT(cap_last_cap, "40")
FACT(randomize, "2")
FACT(core_pattern, "core")
FACT(entropy, "256")
FACT(overcommit_ratio, "50")
FACT(max_map_count, "65530")
FACT(zero, "0")
FACT(mmap_min_addr, "65536")
FACT(somaxconn, "4096")
FACT(file_max, "9223372036854775807")
FACT(nr_open, "1048576")
FACT(pipe_max_size, "1048576")
FACT(port_range, "32768\t60999")
FACT(one, "1")
FACT(perf_paranoid, "4")
FACT(seccomp_avail, "kill_process kill_thread trap errno trace log allow")
FACT(mq_ten, "10")
FACT(mq_size, "8192")
FACT(mq_queues, "256")
FACT(shmmax, "18446744073692774399")
FACT(shmmni, "4096")
FACT(sem, "32000\t1024000000\t500\t32000")
FACT(msgmax, "8192")
FACT(msgmnb, "16384")
FACT(msgmni, "32000")

static void show_overcommit_memory(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "%u\n", commit_get_mode());
}

static long store_overcommit_memory(const char *text, size_t len, int tid)
{
	(void)tid;
	bool alone = len == 1 || (len == 2 && text[1] == '\n');
	if (!alone || text[0] < '0' || text[0] > '2')
		return -EINVAL;
	commit_set_mode((enum commit_mode)(text[0] - '0'));
	return (long)len;
}

#define INOTIFY_LIMIT(name, which)                                                                 \
	static void show_##name(struct text *t, int tid)                                           \
	{                                                                                          \
		(void)tid;                                                                         \
		text_add(t, "%u\n", inotify_max(which));                                           \
	}
INOTIFY_LIMIT(inotify_events, INOTIFY_EVENTS)
INOTIFY_LIMIT(inotify_instances, INOTIFY_INSTANCES)
INOTIFY_LIMIT(inotify_watches, INOTIFY_WATCHES)

static const struct generated_file files[] = {
	{.path = "/proc/meminfo", .show = show_meminfo},
	{.path = "/proc/stat", .show = show_stat},
	{.path = "/proc/uptime", .show = show_uptime},
	{.path = "/proc/loadavg", .show = show_loadavg},
	{.path = "/proc/version", .show = show_version},
	{.path = "/proc/cpuinfo", .show = show_cpuinfo},
	{.path = "/proc/vmstat", .show = show_vmstat},
	{.path = "/proc/cgroups", .show = show_cgroups},
	{.path = "/proc/swaps", .show = show_swaps},
	{.path = "/proc/interrupts", .show = show_interrupts},
	{.path = "/proc/softirqs", .show = show_softirqs},
	{.path = "/proc/sys/fs/file-nr", .show = show_file_nr},
	{.path = "/proc/sys/kernel/domainname", .show = show_domain_name},
	{.path = "/proc/sys/kernel/tainted", .show = show_zero},
	{.path = "/proc/sys/kernel/perf_event_paranoid", .show = show_perf_paranoid},
	{.path = "/proc/sys/vm/overcommit_kbytes", .show = show_zero},
	{.path = "/proc/sys/vm/zone_reclaim_mode", .show = show_zero},
	{.path = "/proc/sys/vm/panic_on_oom", .show = show_zero},
	{.path = "/proc/sys/vm/nr_overcommit_hugepages", .show = show_zero},
	{.path = "/proc/sys/net/ipv6/bindv6only", .show = show_zero},
	{.path = "/proc/sys/kernel/hostname", .show = show_host_name, .store = store_host_name},
	{.path = "/proc/sys/kernel/osrelease", .show = show_osrelease},
	{.path = "/proc/sys/kernel/ostype", .show = show_ostype},
	{.path = "/proc/sys/kernel/version", .show = show_os_version},
	{.path = "/proc/sys/kernel/pid_max", .show = show_pid_max},
	{.path = "/proc/sys/kernel/threads-max", .show = show_threads_max},
	{.path = "/proc/sys/kernel/ngroups_max", .show = show_ngroups_max},
	{.path = "/proc/sys/kernel/cap_last_cap", .show = show_cap_last_cap},
	{.path = "/proc/sys/kernel/randomize_va_space", .show = show_randomize},
	{.path = "/proc/sys/kernel/core_pattern", .show = show_core_pattern},
	{.path = "/proc/sys/kernel/random/uuid", .show = show_random_uuid},
	{.path = "/proc/sys/kernel/random/boot_id", .show = show_boot_id},
	{.path = "/proc/sys/kernel/random/entropy_avail", .show = show_entropy},
	{.path = "/proc/sys/kernel/random/poolsize", .show = show_entropy},
	{.path = "/proc/sys/kernel/seccomp/actions_avail", .show = show_seccomp_avail},
	{.path = "/proc/sys/fs/mqueue/msg_default", .show = show_mq_ten},
	{.path = "/proc/sys/fs/mqueue/msg_max", .show = show_mq_ten},
	{.path = "/proc/sys/fs/mqueue/msgsize_default", .show = show_mq_size},
	{.path = "/proc/sys/fs/mqueue/msgsize_max", .show = show_mq_size},
	{.path = "/proc/sys/fs/mqueue/queues_max", .show = show_mq_queues},
	{.path = "/proc/sys/kernel/shmmax", .show = show_shmmax},
	{.path = "/proc/sys/kernel/shmall", .show = show_shmmax},
	{.path = "/proc/sys/kernel/shmmni", .show = show_shmmni},
	{.path = "/proc/sys/kernel/sem", .show = show_sem},
	{.path = "/proc/sys/kernel/msgmax", .show = show_msgmax},
	{.path = "/proc/sys/kernel/msgmnb", .show = show_msgmnb},
	{.path = "/proc/sys/kernel/msgmni", .show = show_msgmni},
	{.path = "/proc/sys/vm/overcommit_memory",
		.show = show_overcommit_memory,
		.store = store_overcommit_memory},
	{.path = "/proc/sys/vm/overcommit_ratio", .show = show_overcommit_ratio},
	{.path = "/proc/sys/vm/max_map_count", .show = show_max_map_count},
	{.path = "/proc/sys/vm/nr_hugepages", .show = show_zero},
	{.path = "/proc/sys/vm/swappiness", .show = show_zero},
	{.path = "/proc/sys/vm/mmap_min_addr", .show = show_mmap_min_addr},
	{.path = "/proc/sys/net/core/somaxconn", .show = show_somaxconn},
	{.path = "/proc/sys/net/ipv4/ip_local_port_range", .show = show_port_range},
	{.path = "/proc/sys/net/ipv4/ip_forward", .show = show_zero},
	{.path = "/proc/sys/net/ipv4/tcp_syncookies", .show = show_one},
	{.path = "/proc/sys/fs/file-max", .show = show_file_max},
	{.path = "/proc/sys/fs/nr_open", .show = show_nr_open},
	{.path = "/proc/sys/fs/inotify/max_queued_events", .show = show_inotify_events},
	{.path = "/proc/sys/fs/inotify/max_user_instances", .show = show_inotify_instances},
	{.path = "/proc/sys/fs/inotify/max_user_watches", .show = show_inotify_watches},
	{.path = "/proc/sys/fs/pipe-max-size", .show = show_pipe_max_size},
};

void show_system_init(void)
{
	vfs_generated_add(files, array_size(files));
}
