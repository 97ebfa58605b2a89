/* What /proc/self shows of accounts and of namespaces, of which there is one: proc_pid_*(5). */
#include "kernel/file/file.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/proc/internal.h"

static struct task *task_of(int tid)
{
	struct task *t = tid > 0 ? process_find_task(tid) : NULL;
	return t ? t : process_find_task(process_next_tid(1));
}

static void show_io(struct text *t, int tid)
{
	(void)tid;
	struct file_account a;
	file_account(&a);
	text_add(t,
		"rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\nread_bytes: %lu\nwrite_bytes: "
		"%lu\n"
		"cancelled_write_bytes: 0\n",
		a.read_bytes, a.written_bytes, a.reads, a.writes, a.disk_read_bytes,
		a.disk_written_bytes);
}

/* Time spent waiting to run is not measured. */
static void show_schedstat(struct text *t, int tid)
{
	uint64_t user_ns = 0, system_ns = 0;
	struct task *task = task_of(tid);
	if (!task)
		return;
	thread_times(&task->thread, &user_ns, &system_ns);
	text_add(t, "%lu 0 %lu\n", user_ns + system_ns,
		task->thread.n_voluntary + task->thread.n_involuntary);
	thread_put(&task->thread);
}

static void show_timer_slack(struct text *t, int tid)
{
	struct task *task = task_of(tid);
	if (!task)
		return;
	text_add(t, "%lu\n", task->timer_slack_ns);
	thread_put(&task->thread);
}

static void show_nothing(struct text *t, int tid)
{
	(void)t, (void)tid;
}

#define FACT(name, text_)                                                                          \
	static void show_##name(struct text *t, int tid)                                           \
	{                                                                                          \
		(void)tid;                                                                         \
		text_add(t, text_);                                                                \
	}
FACT(root_path, "/\n")
FACT(wchan, "0") /* where a thread sleeps in the kernel is not told */

FACT(no_login, "4294967295")
FACT(personality, "00000000\n")
FACT(all_ids, "         0          0 4294967295\n")
FACT(allow, "allow\n")

/* The one of each kind, with the numbers that Linux gives its first ones. */
static const struct {
	const char *name;
	unsigned number;
} namespaces[] = {{"time", 4026531834}, {"cgroup", 4026531835}, {"pid", 4026531836},
	{"user", 4026531837}, {"uts", 4026531838}, {"ipc", 4026531839}, {"mnt", 4026531841},
	{"net", 4026531840}};

static long namespace_link(char *buf, size_t size, int n)
{
	char text[32];
	int len = format(
		text, sizeof(text), "%s:[%u]", namespaces[n - 1].name, namespaces[n - 1].number);
	memcpy(buf, text, min((size_t)len, size));
	return (long)min((size_t)len, size);
}

#define NS "/proc/self/ns/"
#define TASK "/proc/self/task/*/"
static const struct generated_file files[] = {
	{.path = "/proc/self/io", .show = show_io, .mode = 0400},
	{.path = "/proc/self/schedstat", .show = show_schedstat},
	{.path = "/proc/self/wchan", .show = show_wchan},
	{.path = "/proc/self/cpuset", .show = show_root_path},
	{.path = "/proc/self/loginuid", .show = show_no_login},
	{.path = "/proc/self/sessionid", .show = show_no_login},
	{.path = "/proc/self/personality", .show = show_personality, .mode = 0400},
	{.path = "/proc/self/uid_map", .show = show_all_ids},
	{.path = "/proc/self/gid_map", .show = show_all_ids},
	{.path = "/proc/self/setgroups", .show = show_allow},
	{.path = "/proc/self/timerslack_ns", .show = show_timer_slack},
	{.path = NS "time", .link = namespace_link, .number = 1},
	{.path = NS "cgroup", .link = namespace_link, .number = 2},
	{.path = NS "pid", .link = namespace_link, .number = 3},
	{.path = NS "user", .link = namespace_link, .number = 4},
	{.path = NS "uts", .link = namespace_link, .number = 5},
	{.path = NS "ipc", .link = namespace_link, .number = 6},
	{.path = NS "mnt", .link = namespace_link, .number = 7},
	{.path = NS "net", .link = namespace_link, .number = 8},
	{.path = TASK "io", .show = show_io, .mode = 0400},
	{.path = TASK "schedstat", .show = show_schedstat},
	{.path = TASK "wchan", .show = show_wchan},
	{.path = TASK "children", .show = show_nothing},
	{.path = TASK "cpuset", .show = show_root_path},
};

void show_account_init(void)
{
	vfs_generated_add(files, array_size(files));
}
