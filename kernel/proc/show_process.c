/*
 * What /proc/self shows of the process: proc_pid_*(5).  Each function appends one file's text; the mechanism
 * (opening, reading at offsets, directories) is kernel/fs's.
 */
#include "abi/linux/errno.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/seccomp.h"
#include "kernel/proc/signal.h"

#define TICK_NS 10000000ul /* _SC_CLK_TCK is 100 */
#define KB_PER_PAGE (PAGE_SIZE / 1024)

/* The thread a file is about: that tid, or the first one. */
static struct task *task_of(int tid)
{
	struct task *t = tid > 0 ? process_find_task(tid) : NULL;
	return t ? t : process_find_task(process_next_tid(1));
}

static void show_maps(struct text *t, int tid)
{
	(void)tid;
	char line[512];
	rw_lock_read(&process.space_lock);
	for (struct area *a = area_at_or_after(&process.space, 0); a;
		a = area_at_or_after(&process.space, a->end)) {
		area_describe(a, line, sizeof(line));
		text_add(t, "%s", line);
	}
	rw_unlock_read(&process.space_lock);
}

static void show_smaps_area(struct text *t, struct area *a)
{
	char line[512];
	area_describe(a, line, sizeof(line));
	uint64_t resident = area_resident_pages(&process.space, a) * KB_PER_PAGE;
	text_add(t, "%sSize: %18lu kB\nKernelPageSize: %8lu kB\nMMUPageSize: %11lu kB\n", line,
		(a->end - a->start) / 1024, PAGE_SIZE / 1024, PAGE_SIZE / 1024);
	bool private = !(a->flags & AREA_SHARED);
	text_add(t, "Rss: %19lu kB\nPss: %19lu kB\n", resident, resident);
	text_add(t, "Shared_Clean: %10u kB\nShared_Dirty: %10u kB\n", 0, 0);
	text_add(t, "Private_Clean: %9lu kB\nPrivate_Dirty: %9lu kB\n", a->cache ? resident : 0ul,
		a->cache ? 0ul : resident);
	text_add(t,
		"Referenced: %12lu kB\nAnonymous: %13lu kB\nAnonHugePages: %9lu kB\nSwap: %18u "
		"kB\n",
		resident, private && !a->cache ? resident : 0ul,
		area_large_pages(&process.space, a) * (LARGE_PAGE_SIZE / 1024), 0);
}

static void show_smaps(struct text *t, int tid)
{
	(void)tid;
	rw_lock_read(&process.space_lock);
	for (struct area *a = area_at_or_after(&process.space, 0); a;
		a = area_at_or_after(&process.space, a->end))
		show_smaps_area(t, a);
	rw_unlock_read(&process.space_lock);
}

/* The sum over all areas, as one. */
static void show_smaps_rollup(struct text *t, int tid)
{
	(void)tid;
	uint64_t file = 0, anonymous = 0, first = 0, last = 0;
	rw_lock_read(&process.space_lock);
	for (struct area *a = area_at_or_after(&process.space, 0); a;
		a = area_at_or_after(&process.space, a->end)) {
		uint64_t resident = area_resident_pages(&process.space, a) * KB_PER_PAGE;
		*(a->cache ? &file : &anonymous) += resident;
		first = first ? first : a->start;
		last = a->end;
	}
	rw_unlock_read(&process.space_lock);
	uint64_t all = file + anonymous;
	text_add(t, "%08lx-%08lx ---p 00000000 00:00 0                          [rollup]\n", first,
		last);
	text_add(t, "Rss: %19lu kB\nPss: %19lu kB\nPss_Anon: %14lu kB\nPss_File: %14lu kB\n", all,
		all, anonymous, file);
	text_add(t,
		"Shared_Clean: %10u kB\nShared_Dirty: %10u kB\nPrivate_Clean: %9lu kB\n"
		"Private_Dirty: %9lu kB\n",
		0, 0, file, anonymous);
	text_add(t, "Referenced: %12lu kB\nAnonymous: %13lu kB\nSwap: %18u kB\nSwapPss: %15u kB\n",
		all, anonymous, 0, 0);
}

/* Pages by use: whole, resident, of code, of data and stack. */
struct sizes {
	uint64_t total, resident, code, data, stack, libraries;
};

static struct sizes sizes_now(void)
{
	struct sizes s = {0};
	rw_lock_read(&process.space_lock);
	for (struct area *a = area_at_or_after(&process.space, 0); a;
		a = area_at_or_after(&process.space, a->end)) {
		uint64_t pages = (a->end - a->start) >> PAGE_SHIFT;
		s.total += pages;
		if (a->flags & AREA_STACK)
			s.stack += pages;
		else if (a->start >= process.code_start &&
			 a->end <= align_up(process.code_end, PAGE_SIZE))
			s.code += pages;
		else if (a->prot & MMU_EXEC)
			s.libraries += pages;
		else if ((a->prot & MMU_WRITE) && !(a->flags & AREA_SHARED))
			s.data += pages;
	}
	s.resident = process.space.resident_pages;
	rw_unlock_read(&process.space_lock);
	return s;
}

static void show_statm(struct text *t, int tid)
{
	(void)tid;
	struct sizes s = sizes_now();
	text_add(t, "%lu %lu 0 %lu 0 %lu 0\n", s.total, s.resident, s.code, s.data + s.stack);
}

static char state_letter(const struct task *task)
{
	if (process.stopped)
		return 'T';
	return task->thread.state == THREAD_RUNNING ? 'R' : 'S';
}

/* Which signals have a handler, and which are ignored. */
static void signal_sets(uint64_t *ignored, uint64_t *caught)
{
	*ignored = *caught = 0;
	irq_state state = spin_lock(&process.signal_lock);
	for (int s = 1; s <= SIGNALS; s++) {
		if (process.actions[s].handler == SIG_IGN)
			*ignored |= signal_bit(s);
		else if (process.actions[s].handler != SIG_DFL)
			*caught |= signal_bit(s);
	}
	spin_unlock(&process.signal_lock, state);
}

/* One thread's line (proc_pid_stat(5), 52 fields); the process's own when whole is set. */
static void show_stat_of(struct text *t, struct task *task, bool whole)
{
	uint64_t user_ns = 0, system_ns = 0, ignored = 0, caught = 0;
	if (whole)
		process_cpu_ns(&user_ns, &system_ns);
	else
		thread_times(&task->thread, &user_ns, &system_ns);
	signal_sets(&ignored, &caught);
	struct sizes s = sizes_now();
	int id = whole ? PROCESS_ID : task->thread.tid;
	text_add(t, "%d (%s) %c 0 %d %d 0 -1 4194304 ", id, task->thread.name, state_letter(task),
		PROCESS_ID, PROCESS_ID);
	text_add(t, "%lu 0 %lu 0 ", process.space.minor_faults, process.space.major_faults);
	text_add(t, "%lu %lu 0 0 20 %d %u 0 %lu ", (unsigned long)(user_ns / TICK_NS),
		(unsigned long)(system_ns / TICK_NS), task->thread.nice, process.n_tasks,
		(unsigned long)(task->start_ns / TICK_NS));
	text_add(t, "%lu %lu %lu ", s.total * PAGE_SIZE, s.resident,
		process_limit(5 /* RLIMIT_RSS */));
	text_add(t, "%lu %lu %lu 0 0 ", process.code_start, process.code_end, process.stack_start);
	text_add(t, "%lu %lu %lu %lu 0 0 0 17 %u 0 0 0 0 0 ",
		task->pending.set | process.pending.set, task->blocked, ignored, caught,
		task->thread.cpu);
	text_add(t, "%lu %lu %lu %lu %lu %lu %lu 0\n", process.data_start, process.data_end,
		process.space.brk_start, process.arg_start, process.arg_end, process.env_start,
		process.env_end);
}

static void show_stat(struct text *t, int tid)
{
	struct task *task = task_of(tid);
	if (!task)
		return;
	show_stat_of(t, task, false);
	thread_put(&task->thread);
}

static void show_process_stat(struct text *t, int tid)
{
	(void)tid;
	struct task *task = task_of(0);
	if (!task)
		return;
	show_stat_of(t, task, true);
	thread_put(&task->thread);
}

static void show_status_memory(struct text *t)
{
	struct sizes s = sizes_now();
	uint64_t peak = max((uint64_t)process.max_resident_pages, s.resident);
	text_add(t, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8u kB\nVmPin:\t%8u kB\n",
		s.total * KB_PER_PAGE, s.total * KB_PER_PAGE, 0, 0);
	text_add(t, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n", peak * KB_PER_PAGE,
		s.resident * KB_PER_PAGE);
	text_add(t, "RssAnon:\t%8lu kB\nRssFile:\t%8u kB\nRssShmem:\t%8u kB\n",
		s.resident * KB_PER_PAGE, 0, 0);
	text_add(t, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu kB\n",
		s.data * KB_PER_PAGE, s.stack * KB_PER_PAGE, s.code * KB_PER_PAGE,
		s.libraries * KB_PER_PAGE);
	text_add(t,
		"VmPTE:\t%8u kB\nVmSwap:\t%8u kB\nHugetlbPages:\t%8u "
		"kB\nCoreDumping:\t0\nTHP_enabled:\t1\n",
		0, 0, 0);
}

static void show_status_signals(struct text *t, const struct task *task)
{
	uint64_t ignored = 0, caught = 0;
	signal_sets(&ignored, &caught);
	text_add(t, "SigQ:\t%u/%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\n", process.n_queued,
		process_limit(11 /* RLIMIT_SIGPENDING */), task->pending.set, process.pending.set);
	text_add(t, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", task->blocked, ignored,
		caught);
	text_add(t,
		"CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%"
		"016lx\n",
		process.capabilities_inheritable, process.capabilities_permitted,
		process.capabilities_effective, process.capabilities_bounding,
		process.capabilities_ambient);
	text_add(t, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n",
		process.no_new_privileges, task->seccomp_mode, seccomp_count(task));
}

/* A set of CPUs as Linux writes it in hexadecimal, at least one word. */
static void show_status_cpus(struct text *t, uint64_t cpus)
{
	unsigned n = cpu_possible();
	if (n < 64)
		cpus &= (1ull << n) - 1;
	text_add(t, "Cpus_allowed:\t%lx\nCpus_allowed_list:\t", cpus);
	const char *comma = "";
	for (unsigned i = 0; i < n; i++) {
		if (!(cpus >> i & 1))
			continue;
		unsigned last = i;
		while (last + 1 < n && (cpus >> (last + 1) & 1))
			last++;
		text_add(t, last > i ? "%s%u-%u" : "%s%u", comma, i, last);
		comma = ",";
		i = last;
	}
	text_add(t, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static void show_status(struct text *t, int tid)
{
	struct task *task = task_of(tid);
	if (!task)
		return;
	char state = state_letter(task);
	text_add(t, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\n", task->thread.name,
		process.fs_credentials.umask, state,
		state == 'R'   ? "running"
		: state == 'S' ? "sleeping"
			       : "stopped");
	text_add(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t0\nTracerPid:\t0\n", PROCESS_ID,
		task->thread.tid);
	text_add(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t64\nGroups:\t",
		process.uid, process.euid, process.suid, process.fsuid, process.gid, process.egid,
		process.sgid, process.fsgid);
	irq_state lock_state = spin_lock(&process.lock);
	for (unsigned i = 0; i < process.n_groups; i++)
		text_add(t, "%u ", process.groups[i]);
	spin_unlock(&process.lock, lock_state);
	text_add(t, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", PROCESS_ID,
		task->thread.tid, PROCESS_ID, PROCESS_ID);
	show_status_memory(t);
	text_add(t, "Threads:\t%u\n", process.n_tasks);
	show_status_signals(t, task);
	show_status_cpus(t, task->thread.affinity);
	text_add(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		task->thread.n_voluntary, task->thread.n_involuntary);
	thread_put(&task->thread);
}

/* The program's own memory from start to end: arguments, environment and auxiliary vector. */
static void show_memory(struct text *t, uintptr_t start, uintptr_t end)
{
	while (start < end) {
		char piece[128];
		size_t n = min(sizeof(piece), (size_t)(end - start));
		if (copy_in(piece, user_at(start), n) < 0)
			return;
		if (t->size - t->len <= n) {
			t->cut = true;
			return;
		}
		memcpy(t->buf + t->len, piece, n);
		t->len += n;
		start += n;
	}
}

static void show_cmdline(struct text *t, int tid)
{
	(void)tid;
	show_memory(t, process.arg_start, process.arg_end);
}

static void show_environ(struct text *t, int tid)
{
	(void)tid;
	show_memory(t, process.env_start, process.env_end);
}

static void show_auxv(struct text *t, int tid)
{
	(void)tid;
	show_memory(t, process.auxv_start, process.auxv_end);
}

static void show_comm(struct text *t, int tid)
{
	struct task *task = task_of(tid);
	if (!task)
		return;
	text_add(t, "%s\n", task->thread.name);
	thread_put(&task->thread);
}

static long store_comm(const char *text, size_t len, int tid)
{
	struct task *task = task_of(tid);
	if (!task)
		return -ESRCH;
	size_t n = min(len, (size_t)THREAD_NAME_SIZE - 1);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	memcpy(task->thread.name, text, n);
	task->thread.name[n] = '\0';
	thread_put(&task->thread);
	return (long)len;
}

static void show_limit(struct text *t, uint64_t value)
{
	if (value == UINT64_MAX)
		text_add(t, "%-20s ", "unlimited");
	else
		text_add(t, "%-20lu ", value);
}

static void show_limits(struct text *t, int tid)
{
	(void)tid;
	static const struct {
		const char *name, *unit;
	} rows[LIMITS] = {{"Max cpu time", "seconds"}, {"Max file size", "bytes"},
		{"Max data size", "bytes"}, {"Max stack size", "bytes"},
		{"Max core file size", "bytes"}, {"Max resident set", "bytes"},
		{"Max processes", "processes"}, {"Max open files", "files"},
		{"Max locked memory", "bytes"}, {"Max address space", "bytes"},
		{"Max file locks", "locks"}, {"Max pending signals", "signals"},
		{"Max msgqueue size", "bytes"}, {"Max nice priority", ""},
		{"Max realtime priority", ""}, {"Max realtime timeout", "us"}};
	text_add(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < LIMITS; i++) {
		text_add(t, "%-25s ", rows[i].name);
		show_limit(t, process.limits[i].current);
		show_limit(t, process.limits[i].max);
		text_add(t, "%-10s\n", rows[i].unit);
	}
}

/* No control groups: the machine is the limit. */
static void show_cgroup(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "0::/\n");
}

static int oom_score_adj;

static void show_oom_score_adj(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "%d\n", oom_score_adj);
}

static long store_oom_score_adj(const char *text, size_t len, int tid)
{
	(void)tid;
	char copy[16];
	string_copy(copy, text, min(len + 1, sizeof(copy)));
	bool negative = copy[0] == '-';
	const char *s = copy + negative;
	uint64_t n = 0;
	if (!string_parse_u64(&s, &n) || n > 1000)
		return -EINVAL;
	oom_score_adj = negative ? -(int)n : (int)n;
	return (long)len;
}

static uint32_t coredump_filter = 0x33;

static void show_coredump_filter(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "%08x\n", coredump_filter);
}

static long store_coredump_filter(const char *text, size_t len, int tid)
{
	(void)tid;
	char copy[16];
	string_copy(copy, text, min(len + 1, sizeof(copy)));
	const char *s = copy;
	uint64_t n = 0;
	if (!string_parse_u64(&s, &n) || n > UINT32_MAX)
		return -EINVAL;
	coredump_filter = (uint32_t)n;
	return (long)len;
}

static void show_zero(struct text *t, int tid)
{
	(void)tid;
	text_add(t, "0\n");
}

static const struct generated_file files[] = {
	{.path = "/proc/self/maps", .show = show_maps},
	{.path = "/proc/self/smaps", .show = show_smaps},
	{.path = "/proc/self/smaps_rollup", .show = show_smaps_rollup},
	{.path = "/proc/self/task/*/statm", .show = show_statm},
	{.path = "/proc/self/task/*/smaps", .show = show_smaps},
	{.path = "/proc/self/task/*/cmdline", .show = show_cmdline},
	{.path = "/proc/self/task/*/environ", .show = show_environ, .mode = 0400},
	{.path = "/proc/self/task/*/limits", .show = show_limits},
	{.path = "/proc/self/task/*/cgroup", .show = show_cgroup},
	{.path = "/proc/self/stat", .show = show_process_stat},
	{.path = "/proc/self/statm", .show = show_statm},
	{.path = "/proc/self/status", .show = show_status},
	{.path = "/proc/self/cmdline", .show = show_cmdline},
	{.path = "/proc/self/environ", .show = show_environ, .mode = 0400},
	{.path = "/proc/self/auxv", .show = show_auxv, .mode = 0400},
	{.path = "/proc/self/comm", .show = show_comm, .store = store_comm},
	{.path = "/proc/self/limits", .show = show_limits},
	{.path = "/proc/self/cgroup", .show = show_cgroup},
	{.path = "/proc/self/oom_score", .show = show_zero},
	{.path = "/proc/self/oom_score_adj",
		.show = show_oom_score_adj,
		.store = store_oom_score_adj},
	{.path = "/proc/self/coredump_filter",
		.show = show_coredump_filter,
		.store = store_coredump_filter},
	{.path = "/proc/self/task/*/stat", .show = show_stat},
	{.path = "/proc/self/task/*/status", .show = show_status},
	{.path = "/proc/self/task/*/comm", .show = show_comm, .store = store_comm},
	{.path = "/proc/self/task/*/maps", .show = show_maps},
};

void show_process_init(void)
{
	vfs_generated_add(files, array_size(files));
	show_account_init();
	show_cgroup_init();
	vfs_set_task_lister(process_next_tid);
}
