/* Threads: making and ending them, futexes, scheduling. */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/prctl.h"
#include "abi/linux/sched.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/string.h"
#include "kernel/proc/rseq.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/timers.h"
#include "kernel/syscall/user.h"

/* --- coming and going --- */

long sys_clone(const struct syscall_args *args)
{
	const struct clone_request r = {
		.flags = args->a[0] & ~CLONE_SIGNAL_MASK & UINT32_MAX,
		.stack = args->a[1],
		.parent_tid = arg_user(args, 2),
		.child_tid = arg_user(args, 3),
		.tls = args->a[4],
	};
	return process_clone(&r, args->frame);
}

/* clone3(2): a struct that grows with the years; what we do not know must be zero. */
static int get_clone_args(user_addr from, size_t size, struct linux_clone_args *out)
{
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	memset(out, 0, sizeof(*out));
	int err = copy_in(out, from, min(size, sizeof(*out)));
	for (size_t at = sizeof(*out); err == 0 && at < size; at++) {
		char byte;
		err = copy_in(&byte, user_offset(from, at), 1);
		if (err == 0 && byte)
			err = -E2BIG;
	}
	return err;
}

long sys_clone3(const struct syscall_args *args)
{
	struct linux_clone_args c;
	int err = get_clone_args(arg_user(args, 0), args->a[1], &c);
	if (err < 0)
		return err;
	if ((c.flags & CLONE_SIGNAL_MASK) || c.exit_signal > CLONE_SIGNAL_MASK ||
		(c.stack == 0) != (c.stack_size == 0))
		return -EINVAL;
	if (c.set_tid_size || c.cgroup)
		return -EINVAL;
	const struct clone_request r = {
		.flags = c.flags,
		.stack = c.stack + c.stack_size,
		.tls = c.tls,
		.parent_tid = user_at(c.parent_tid),
		.child_tid = user_at(c.child_tid),
	};
	return process_clone(&r, args->frame);
}

long sys_fork(const struct syscall_args *args)
{
	return process_refuse_fork("fork", args->frame);
}

long sys_vfork(const struct syscall_args *args)
{
	return process_refuse_fork("vfork", args->frame);
}

long sys_exit(const struct syscall_args *args)
{
	process_exit_thread(arg_int(args, 0));
}

long sys_exit_group(const struct syscall_args *args)
{
	process_exit_group(arg_int(args, 0));
}

long sys_gettid(const struct syscall_args *args)
{
	(void)args;
	return thread_current()->tid;
}

long sys_set_tid_address(const struct syscall_args *args)
{
	task_current()->clear_child_tid = arg_user(args, 0);
	return thread_current()->tid;
}

long sys_set_robust_list(const struct syscall_args *args)
{
	if (args->a[1] != sizeof(struct linux_robust_list_head))
		return -EINVAL;
	task_current()->robust_list = arg_user(args, 0);
	return 0;
}

long sys_get_robust_list(const struct syscall_args *args)
{
	int tid = arg_int(args, 0);
	struct task *t = process_find_task(tid ? tid : thread_current()->tid);
	if (!t)
		return -ESRCH;
	uint64_t head = t->robust_list.va, size = sizeof(struct linux_robust_list_head);
	thread_put(&t->thread);
	int err = copy_out(arg_user(args, 2), &size, sizeof(size));
	return err < 0 ? err : copy_out(arg_user(args, 1), &head, sizeof(head));
}

/* --- scheduling --- */

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

/* Policies: only the ordinary ones exist; a real-time priority is refused as without the privilege. */
static int check_policy(int policy, int priority)
{
	policy &= ~SCHED_RESET_ON_FORK;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return priority < 1 || priority > 99 ? -EINVAL : -EPERM;
	if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE)
		return -EINVAL;
	return priority == 0 ? 0 : -EINVAL;
}

static int check_task(int tid)
{
	struct task *t;
	int err = task_named(tid, &t);
	if (err == 0)
		thread_put(&t->thread);
	return err;
}

/* The ordinary policies differ in nothing here, but are told back. */
static int set_policy(int tid, int policy, int priority)
{
	struct task *t;
	int err = task_named(tid, &t);
	if (err < 0)
		return err;
	err = check_policy(policy, priority);
	if (err == 0)
		t->policy = policy & ~SCHED_RESET_ON_FORK;
	thread_put(&t->thread);
	return err;
}

long sys_sched_getparam(const struct syscall_args *args)
{
	const int priority = 0;
	if (!args->a[1])
		return -EINVAL;
	int err = check_task(arg_int(args, 0));
	return err < 0 ? err : copy_out(arg_user(args, 1), &priority, sizeof(priority));
}

long sys_sched_setparam(const struct syscall_args *args)
{
	int priority;
	if (!args->a[1])
		return -EINVAL;
	int err = copy_in(&priority, arg_user(args, 1), sizeof(priority));
	if (err == 0)
		err = check_task(arg_int(args, 0));
	return err < 0 ? err : priority == 0 ? 0 : -EINVAL;
}

long sys_sched_getscheduler(const struct syscall_args *args)
{
	struct task *t;
	int err = task_named(arg_int(args, 0), &t);
	if (err < 0)
		return err;
	int policy = t->policy;
	thread_put(&t->thread);
	return policy;
}

long sys_sched_setscheduler(const struct syscall_args *args)
{
	int priority;
	if (arg_int(args, 1) < 0 || !args->a[2])
		return -EINVAL;
	int err = copy_in(&priority, arg_user(args, 2), sizeof(priority));
	return err < 0 ? err : set_policy(arg_int(args, 0), arg_int(args, 1), priority);
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
	int err = check_task(arg_int(args, 0));
	return err < 0 ? err : user_put_timespec(arg_user(args, 1), 4 * NS_PER_MS);
}

long sys_sched_getattr(const struct syscall_args *args)
{
	struct task *t;
	struct linux_sched_attr attr = {.size = 48, .policy = SCHED_OTHER};
	unsigned size = arg_uint(args, 2);
	if (size < sizeof(attr) || arg_uint(args, 3))
		return -EINVAL;
	int err = task_named(arg_int(args, 0), &t);
	if (err < 0)
		return err;
	attr.nice = t->thread.nice;
	attr.policy = (uint32_t)t->policy;
	thread_put(&t->thread);
	return copy_out(arg_user(args, 1), &attr, sizeof(attr));
}

long sys_sched_setattr(const struct syscall_args *args)
{
	struct linux_sched_attr attr;
	if (arg_uint(args, 2) || !args->a[1] || arg_int(args, 0) < 0)
		return -EINVAL;
	int err = copy_in(&attr, arg_user(args, 1), sizeof(attr));
	return err < 0 ? err : set_policy(arg_int(args, 0), (int)attr.policy, (int)attr.priority);
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

#define IOPRIO_BEST_EFFORT (2 << 13 | 4)

long sys_ioprio_get(const struct syscall_args *args)
{
	return arg_uint(args, 0) - 1 > 2 ? -EINVAL : IOPRIO_BEST_EFFORT;
}

long sys_ioprio_set(const struct syscall_args *args)
{
	unsigned class = arg_uint(args, 2) >> 13 & 7;
	return arg_uint(args, 0) - 1 > 2 || class > 3 ? -EINVAL : 0;
}

#define MEMBARRIER_COMMANDS                                                                        \
	(MEMBARRIER_GLOBAL | MEMBARRIER_GLOBAL_EXPEDITED | MEMBARRIER_REGISTER_GLOBAL_EXPEDITED |  \
		MEMBARRIER_PRIVATE_EXPEDITED | MEMBARRIER_REGISTER_PRIVATE_EXPEDITED |             \
		MEMBARRIER_PRIVATE_EXPEDITED_SYNC_CORE |                                           \
		MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                                  \
		MEMBARRIER_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ)

/* One barrier serves all of them: every CPU passes through an interrupt.  Registrations are one step above. */
long sys_membarrier(const struct syscall_args *args)
{
	int command = arg_int(args, 0);
	if (arg_uint(args, 1) &
		~(command == MEMBARRIER_PRIVATE_EXPEDITED_RSEQ ? MEMBARRIER_FLAG_CPU : 0u))
		return -EINVAL;
	switch (command) {
	case MEMBARRIER_QUERY:
		return MEMBARRIER_COMMANDS;
	case MEMBARRIER_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		atomic_fetch_or(&process.barriers_registered, (unsigned)command);
		return 0;
	case MEMBARRIER_PRIVATE_EXPEDITED:
	case MEMBARRIER_PRIVATE_EXPEDITED_SYNC_CORE:
		if (!(process.barriers_registered & (unsigned)command << 1))
			return -EPERM;
		process_barrier();
		return 0;
	case MEMBARRIER_PRIVATE_EXPEDITED_RSEQ:
		if (!(process.barriers_registered & (unsigned)command << 1))
			return -EPERM;
		process_disturb_sequences();
		return 0;
	case MEMBARRIER_GLOBAL:
	case MEMBARRIER_GLOBAL_EXPEDITED:
		process_barrier();
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_getcpu(const struct syscall_args *args)
{
	const unsigned cpu = cpu_id(), node = 0;
	if (args->a[0] && copy_out(arg_user(args, 0), &cpu, sizeof(cpu)) < 0)
		return -EFAULT;
	return args->a[1] ? copy_out(arg_user(args, 1), &node, sizeof(node)) : 0;
}

long sys_rseq(const struct syscall_args *args)
{
	return rseq_register(
		arg_user(args, 0), arg_uint(args, 1), arg_uint(args, 2), arg_uint(args, 3));
}

/* Never handed out: interrupted calls restart by themselves. */
long sys_restart_syscall(const struct syscall_args *args)
{
	(void)args;
	return -EINTR;
}
