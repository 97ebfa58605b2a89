/* Where and how urgently threads run: sched(7), nice values, ioprio_set(2). */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "abi/linux/resource.h"
#include "abi/linux/sched.h"
#include "kernel/syscall/user.h"

long sys_sched_yield(const struct syscall_args *args)
{
	(void)args;
	thread_yield();
	return 0;
}

/* The task a call names: 0 is the caller.  Counted. */
static int task_named(int tid, struct task **out)
{
	if (tid < 0)
		return -EINVAL;
	*out = process_find_task(tid ? tid : thread_current()->tid);
	return *out ? 0 : -ESRCH;
}

static uint64_t existing_cpus(void)
{
	unsigned n = cpu_possible();
	return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

long sys_sched_getaffinity(const struct syscall_args *args)
{
	size_t size = arg_uint(args, 1);
	struct task *t;
	if (size % sizeof(uint64_t) != 0 || size * 8 < cpu_possible())
		return -EINVAL;
	int err = task_named(arg_int(args, 0), &t);
	if (err < 0)
		return err;
	uint64_t cpus = t->thread.affinity & existing_cpus();
	thread_put(&t->thread);
	err = copy_out(arg_user(args, 2), &cpus, sizeof(cpus));
	return err < 0 ? err : (long)sizeof(cpus);
}

long sys_sched_setaffinity(const struct syscall_args *args)
{
	uint64_t cpus = 0;
	struct task *t = NULL;
	int err = copy_in(&cpus, arg_user(args, 2), min((size_t)arg_uint(args, 1), sizeof(cpus)));
	if (err == 0)
		err = task_named(arg_int(args, 0), &t);
	if (err < 0)
		return err;
	err = cpus & existing_cpus() ? thread_set_affinity(&t->thread, cpus & existing_cpus())
				     : -EINVAL;
	thread_put(&t->thread);
	return err;
}

/* Is it a policy with a priority of its kind?  0, -EINVAL. */
static int check_policy(int policy, int priority)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return priority < 1 || priority > 99 ? -EINVAL : 0;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return priority == 0 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* sched(7), "Privileges and resource limits". */
static bool may_set(const struct task *t, int policy, int priority)
{
	if (process_capable(CAP_SYS_NICE))
		return true;
	bool urgent = policy == SCHED_FIFO || policy == SCHED_RR;
	return !urgent || priority <= t->thread.rt_priority ||
	       (uint64_t)priority <= process_limit(RLIMIT_RTPRIO);
}

/* The ordinary policies differ in nothing here, but are told back.  KEEP_POLICY: only the priority. */
#define KEEP_POLICY (-1)

static int set_policy(int tid, int policy, int priority, const int32_t *nice)
{
	struct task *t;
	int err = task_named(tid, &t);
	if (err < 0)
		return err;
	bool reset = policy == KEEP_POLICY ? t->reset_on_fork : policy & SCHED_RESET_ON_FORK;
	int kind = policy == KEEP_POLICY ? t->policy : policy & ~SCHED_RESET_ON_FORK;
	err = check_policy(kind, priority);
	if (err == 0 && !may_set(t, kind, priority))
		err = -EPERM;
	if (err == 0) {
		t->policy = kind;
		t->reset_on_fork = reset;
		t->thread.rt_priority = priority;
		t->thread.no_slice = kind == SCHED_FIFO;
		if (nice && priority == 0)
			t->thread.nice = max(min(*nice, 19), -20);
		/* Whoever it held back may be more urgent now. */
		if (t == task_current())
			atomic_fetch_or(&t->thread.arch.user_work, WORK_RESCHEDULE);
	}
	thread_put(&t->thread);
	return err;
}

static int get_policy(int tid, int *policy, int *priority)
{
	struct task *t;
	int err = task_named(tid, &t);
	if (err < 0)
		return err;
	*policy = t->policy | (t->reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	*priority = t->thread.rt_priority;
	thread_put(&t->thread);
	return 0;
}

long sys_sched_getparam(const struct syscall_args *args)
{
	int policy, priority;
	if (!args->a[1])
		return -EINVAL;
	int err = get_policy(arg_int(args, 0), &policy, &priority);
	return err < 0 ? err : copy_out(arg_user(args, 1), &priority, sizeof(priority));
}

long sys_sched_setparam(const struct syscall_args *args)
{
	int priority;
	if (!args->a[1])
		return -EINVAL;
	int err = copy_in(&priority, arg_user(args, 1), sizeof(priority));
	return err < 0 ? err : set_policy(arg_int(args, 0), KEEP_POLICY, priority, NULL);
}

long sys_sched_getscheduler(const struct syscall_args *args)
{
	int policy, priority;
	int err = get_policy(arg_int(args, 0), &policy, &priority);
	return err < 0 ? err : policy;
}

long sys_sched_setscheduler(const struct syscall_args *args)
{
	int priority;
	if (arg_int(args, 1) < 0 || !args->a[2])
		return -EINVAL;
	int err = copy_in(&priority, arg_user(args, 2), sizeof(priority));
	return err < 0 ? err : set_policy(arg_int(args, 0), arg_int(args, 1), priority, NULL);
}

static long priority_bound(int policy, int bound)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return bound;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_sched_get_priority_max(const struct syscall_args *args)
{
	return priority_bound(arg_int(args, 0), 99);
}

long sys_sched_get_priority_min(const struct syscall_args *args)
{
	return priority_bound(arg_int(args, 0), 1);
}

long sys_sched_rr_get_interval(const struct syscall_args *args)
{
	int policy, priority;
	int err = get_policy(arg_int(args, 0), &policy, &priority);
	if (err < 0)
		return err;
	policy &= ~SCHED_RESET_ON_FORK;
	return user_put_timespec(arg_user(args, 1), policy == SCHED_RR     ? 100 * NS_PER_MS
						    : policy == SCHED_FIFO ? 0
									   : 4 * NS_PER_MS);
}

#define SCHED_FLAG_RESET_ON_FORK 1u

long sys_sched_getattr(const struct syscall_args *args)
{
	struct task *t;
	struct linux_sched_attr attr = {.size = sizeof(attr)};
	unsigned size = arg_uint(args, 2);
	if (size < sizeof(attr) || size > PAGE_SIZE || arg_uint(args, 3) || !args->a[1])
		return -EINVAL;
	int err = task_named(arg_int(args, 0), &t);
	if (err < 0)
		return err;
	attr.policy = (uint32_t)t->policy;
	attr.flags = t->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	attr.priority = (uint32_t)t->thread.rt_priority;
	attr.nice = attr.priority ? 0 : t->thread.nice;
	thread_put(&t->thread);
	return copy_out(arg_user(args, 1), &attr, sizeof(attr));
}

/* A struct that grows: its first word says how large it is; 0 is the first size there was. */
long sys_sched_setattr(const struct syscall_args *args)
{
	struct linux_sched_attr attr;
	if (arg_uint(args, 2) || !args->a[1] || arg_int(args, 0) < 0)
		return -EINVAL;
	int err = copy_in(&attr, arg_user(args, 1), sizeof(attr));
	if (err < 0)
		return err;
	if (attr.size && (attr.size < sizeof(attr) || attr.size > PAGE_SIZE))
		return -E2BIG;
	if ((attr.flags & ~(uint64_t)SCHED_FLAG_RESET_ON_FORK) || attr.policy > SCHED_DEADLINE)
		return -EINVAL;
	if (attr.policy == SCHED_DEADLINE) /* no bandwidth is ever free for these */
		return process_capable(CAP_SYS_NICE) ? -EBUSY : -EPERM;
	return set_policy(arg_int(args, 0),
		(int)attr.policy | (attr.flags ? SCHED_RESET_ON_FORK : 0), (int)attr.priority,
		&attr.nice);
}

/* The call's own numbers, 40 - nice, keep results positive. */
long sys_getpriority(const struct syscall_args *args)
{
	struct task *t;
	if (arg_uint(args, 0) > PRIO_USER)
		return -EINVAL;
	int err = task_named(arg_uint(args, 0) == PRIO_PROCESS ? arg_int(args, 1) : 0, &t);
	if (err < 0)
		return -ESRCH;
	int nice = t->thread.nice;
	thread_put(&t->thread);
	return 20 - nice;
}

long sys_setpriority(const struct syscall_args *args)
{
	struct task *t;
	if (arg_uint(args, 0) > PRIO_USER)
		return -EINVAL;
	int err = task_named(arg_uint(args, 0) == PRIO_PROCESS ? arg_int(args, 1) : 0, &t);
	if (err < 0)
		return -ESRCH;
	int nice = max(min(arg_int(args, 2), 19), -20);
	if (nice >= t->thread.nice || process_capable(CAP_SYS_NICE))
		t->thread.nice = nice;
	else
		err = -EACCES;
	thread_put(&t->thread);
	return err;
}

/* --- ioprio_set(2): kept and told; the disk has one queue --- */

#define IOPRIO_BEST_EFFORT (2 << 13 | 4)
enum { IOPRIO_NONE, IOPRIO_REALTIME, IOPRIO_BEST, IOPRIO_IDLE };

/* Of a process, of its group or of its user: all are this process's thread. */
static int ioprio_task(unsigned which, int who, struct task **out)
{
	if (which - 1 > 2)
		return -EINVAL;
	if (which == 3 && who != 0 && (uint32_t)who != process.uid)
		return -ESRCH;
	int err = task_named(which == 1 ? who : 0, out);
	return err == -EINVAL ? -ESRCH : err;
}

long sys_ioprio_get(const struct syscall_args *args)
{
	struct task *t;
	int err = ioprio_task(arg_uint(args, 0), arg_int(args, 1), &t);
	if (err < 0)
		return err;
	int priority = t->io_priority;
	thread_put(&t->thread);
	/* For groups the answer is what takes effect. */
	return priority || arg_uint(args, 0) == 1 ? priority : IOPRIO_BEST_EFFORT;
}

long sys_ioprio_set(const struct syscall_args *args)
{
	struct task *t;
	unsigned priority = arg_uint(args, 2), class = priority >> 13 & 7;
	if (class > IOPRIO_IDLE || priority > 0xffff || (class == IOPRIO_NONE && (priority & 7)))
		return -EINVAL;
	if (class == IOPRIO_REALTIME && !process_capable(CAP_SYS_ADMIN) &&
		!process_capable(CAP_SYS_NICE))
		return -EPERM;
	int err = ioprio_task(arg_uint(args, 0), arg_int(args, 1), &t);
	if (err < 0)
		return err;
	t->io_priority = (uint16_t)priority;
	thread_put(&t->thread);
	return 0;
}
