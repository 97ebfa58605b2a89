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
