/*
 * The process: its start, its tasks, ids and limits.  How tasks come is clone.c's, how they and the machine end is
 * end.c's.
 */
#include "kernel/proc/process.h"

#include "abi/linux/prctl.h"
#include "abi/linux/errno.h"
#include "abi/linux/resource.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/credentials.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/seccomp.h"
#include "kernel/proc/task.h"
#include "kernel/sched/futex.h"

#define FILES_DEFAULT 1024u
#define FILES_MAX 65536u

struct process process;

static const struct limit default_limits[LIMITS] = {
	[RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_STACK] = {8 << 20, RLIM_INFINITY},
	[RLIMIT_CORE] = {0, RLIM_INFINITY},
	[RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_NPROC] = {32768, 32768},
	[RLIMIT_NOFILE] = {FILES_DEFAULT, FILES_MAX},
	[RLIMIT_MEMLOCK] = {8 << 20, 8 << 20},
	[RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_LOCKS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_SIGPENDING] = {4096, 4096},
	[RLIMIT_MSGQUEUE] = {819200, 819200},
	[RLIMIT_NICE] = {0, 0},
	[RLIMIT_RTPRIO] = {0, 0},
	[RLIMIT_RTTIME] = {RLIM_INFINITY, RLIM_INFINITY},
};

/* A word shared between mappings is its place in the page cache; any other word its address. */
static int futex_identity(user_addr word, uint64_t key[2])
{
	rw_lock_read(&process.space_lock);
	const struct area *a = area_at(&process.space, word.va);
	if (a && a->cache && (a->flags & AREA_SHARED)) {
		key[0] = (uint64_t)(uintptr_t)a->cache;
		key[1] = a->offset + (word.va - a->start);
	} else {
		key[0] = 0;
		key[1] = word.va;
	}
	rw_unlock_read(&process.space_lock);
	return a ? 0 : -EFAULT;
}

/* Can still let go of what it holds. */
static bool is_living(int tid)
{
	struct task *t = process_find_task(tid);
	bool living = t && !atomic_load(&t->ending);
	if (t)
		thread_put(&t->thread);
	return living;
}

/* A file became shorter: its pages leave the mappings. */
static void unmap_pages(struct page_cache *c, uint64_t from)
{
	rw_lock_write(&process.space_lock);
	address_space_unmap_cache(&process.space, c, from);
	rw_unlock_write(&process.space_lock);
}

/* Pages of a file are about to be written back. */
static void clean_pages(struct page_cache *c, uint64_t first, uint64_t n)
{
	rw_lock_read(&process.space_lock);
	address_space_clean_cache(&process.space, c, first, n);
	rw_unlock_read(&process.space_lock);
}

void process_init(void)
{
	rw_lock_init(&process.space_lock);
	list_init(&process.tasks);
	wait_queue_init(&process.tasks_changed);
	credentials_init();
	memcpy(process.limits, default_limits, sizeof(process.limits));
	process.settings.dumpable = 1;
	process.settings.memory_error_policy = PR_MCE_KILL_DEFAULT;
	fd_table_set_limit(FILES_DEFAULT);
	process.start_ns = clock_monotonic_ns();
	signal_init();
	process_timers_init();
	vfs_set_unmap(unmap_pages);
	vfs_set_clean(clean_pages);
	vfs_set_task_lister(process_next_tid);
	futex_set_resolver(futex_identity);
	futex_pi_set_living(is_living);
	show_process_init();
	show_system_init();
	show_cpu_init();
}

/* --- the first program --- */

static _Noreturn void fail_first(const struct exec_plan *p, int err)
{
	char record[300];
	unsigned status = err == -ENOENT || err == -ENOTDIR ? 127 : 126;
	format(record, sizeof(record), "failed %u %s\n", status, p->why);
	log_error("%s", p->why);
	process_end(record, status);
}

static int copy_strings(struct string_vector *to, const char *const *from, unsigned n)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < n; i++)
		err = string_vector_add(to, heap_string(from[i]));
	return err;
}

/* Descriptors 0, 1 and 2 are the console. */
static void open_console(void)
{
	struct file *f = NULL;
	int err = vfs_open(NULL, "/dev/console", O_RDWR, 0, &f);
	for (unsigned fd = 0; err >= 0 && fd < 3; fd++) {
		file_get(f);
		err = fd_install_at(f, (int)fd, 0);
	}
	if (f)
		file_put(f);
	if (err < 0)
		log_warn("the program has no standard streams: /dev/console: error %d", -err);
}

static void enter_directory(const char *path)
{
	struct dentry *d = NULL;
	int err = vfs_lookup(NULL, path, LOOKUP_DIRECTORY, &d);
	if (err == 0) {
		err = vfs_set_working(d);
		dentry_put(d);
	}
	if (err < 0) {
		struct exec_plan p;
		format(p.why, sizeof(p.why),
			"%s: can not be the working directory: it is not there", path);
		fail_first(&p, -EINVAL);
	}
}

static void first_task(void *arg)
{
	const struct program_request *r = arg;
	struct exec_plan *p = heap_zalloc(sizeof(*p));
	if (!p)
		process_out_of_memory("starting the program");
	p->first = true;
	open_console();
	enter_directory(r->working_directory);
	int err = copy_strings(&p->arguments, r->arguments, r->n_arguments);
	if (err == 0)
		err = copy_strings(&p->environment, r->environment, r->n_environment);
	if (err < 0)
		process_out_of_memory("starting the program");
	err = exec_prepare(p, NULL, r->path);
	if (err < 0)
		fail_first(p, err);
	exec_commit(p);
}

_Noreturn void process_run(const struct program_request *r)
{
	static struct program_request request;
	request = *r;
	struct task *t = NULL;
	if (task_create("init", first_task, &request, &t) < 0 || task_add(t) < 0)
		process_out_of_memory("starting the program");
	thread_start(&t->thread);
	thread_exit();
}

/* --- tasks --- */

static void task_destroy(struct thread *t)
{
	struct task *task = (struct task *)t;
	signal_queue_clear(&task->pending);
	seccomp_release(task);
}

int task_create(const char *name, void (*entry)(void *), void *arg, struct task **out)
{
	const struct thread_request r = {
		.size = sizeof(struct task),
		.name = name,
		.entry = entry,
		.arg = arg,
		.destroy = task_destroy,
	};
	struct thread *t = NULL;
	int err = thread_create(&r, &t);
	if (err < 0)
		return err;
	struct task *task = (struct task *)t;
	list_init(&task->link);
	signal_queue_init(&task->pending);
	task->altstack.flags = SS_DISABLE;
	task->deadline_ns = NO_DEADLINE;
	task->timer_slack_ns = 50000;
	task->start_ns = clock_monotonic_ns();
	*out = task;
	return 0;
}

static struct task *find(int tid)
{
	struct task *t;
	list_for_each (t, &process.tasks, link)
		if (t->thread.tid == tid)
			return t;
	return NULL;
}

#define TID_MAX 4194303

static int new_tid(void)
{
	static bool wrapped;
	do {
		wrapped |= process.last_tid == TID_MAX;
		process.last_tid = process.last_tid < TID_MAX ? process.last_tid + 1 : 2;
	} while (wrapped && find(process.last_tid));
	return process.last_tid;
}

int task_add(struct task *t)
{
	irq_state state = spin_lock(&process.lock);
	int err = 0;
	if (process.reaper)
		err = -EINTR;
	else if (process.n_tasks >= process.limits[RLIMIT_NPROC].current)
		err = -EAGAIN;
	if (err == 0) {
		t->thread.tid = new_tid();
		if (process.n_tasks > 0)
			seccomp_inherit(t);
		list_push_back(&process.tasks, &t->link);
		process.n_tasks++;
		if (atomic_load(&process.frozen))
			atomic_fetch_or(&t->thread.arch.user_work, WORK_SIGNAL);
	}
	spin_unlock(&process.lock, state);
	return err;
}

struct task *process_find_task(int tid)
{
	irq_state state = spin_lock(&process.lock);
	struct task *t = find(tid);
	if (t)
		thread_get(&t->thread);
	spin_unlock(&process.lock, state);
	return t;
}

int process_next_tid(int from)
{
	irq_state state = spin_lock(&process.lock);
	int best = -1;
	struct task *t;
	list_for_each (t, &process.tasks, link)
		if (t->thread.tid >= from && (best < 0 || t->thread.tid < best))
			best = t->thread.tid;
	spin_unlock(&process.lock, state);
	return best;
}

uint64_t process_limit(unsigned resource)
{
	return process.limits[resource].current;
}

bool process_capable(unsigned capability)
{
	return process.capabilities_effective >> capability & 1;
}

uint64_t process_cpu_ns(uint64_t *user_ns, uint64_t *system_ns)
{
	irq_state state = spin_lock(&process.lock);
	uint64_t user = process.ended_user_ns, system = process.ended_system_ns;
	struct task *t;
	list_for_each (t, &process.tasks, link) {
		uint64_t u = 0, s = 0;
		thread_times(&t->thread, &u, &s);
		user += u;
		system += s;
	}
	spin_unlock(&process.lock, state);
	if (user_ns)
		*user_ns = user;
	if (system_ns)
		*system_ns = system;
	return user + system;
}
