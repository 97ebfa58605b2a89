/* Signal calls: sets, actions, stacks, waiting, sending (signal(7)). */
#include "kernel/proc/signal.h"

#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/lib/string.h"
#include "kernel/syscall/user.h"

/* The kernel's struct sigaction is the program's without further ado. */
long sys_rt_sigaction(const struct syscall_args *args)
{
	struct linux_sigaction new, old;
	if (args->a[3] != sizeof(uint64_t))
		return -EINVAL;
	if (args->a[1] && copy_in(&new, arg_user(args, 1), sizeof(new)) < 0)
		return -EFAULT;
	int err = signal_set_action(arg_int(args, 0), args->a[1] ? &new : NULL, &old);
	if (err == 0 && args->a[2])
		err = copy_out(arg_user(args, 2), &old, sizeof(old));
	return err;
}

long sys_rt_sigprocmask(const struct syscall_args *args)
{
	uint64_t set = 0, old = 0;
	if (args->a[3] != sizeof(set))
		return -EINVAL;
	if (args->a[1] && copy_in(&set, arg_user(args, 1), sizeof(set)) < 0)
		return -EFAULT;
	int err = signal_set_mask(arg_int(args, 0), args->a[1] ? &set : NULL, &old);
	if (err == 0 && args->a[2])
		err = copy_out(arg_user(args, 2), &old, sizeof(old));
	return err;
}

long sys_rt_sigreturn(const struct syscall_args *args)
{
	return signal_return(args->frame);
}

long sys_rt_sigpending(const struct syscall_args *args)
{
	uint64_t set = signal_pending();
	if (args->a[1] > sizeof(set))
		return -EINVAL;
	return copy_out(arg_user(args, 0), &set, args->a[1]);
}

long sys_rt_sigtimedwait(const struct syscall_args *args)
{
	uint64_t mask, ns = 0;
	int err = user_sigset(arg_user(args, 0), args->a[3], &mask);
	if (err == 0 && args->a[2])
		err = user_timespec(arg_user(args, 2), &ns);
	if (err < 0)
		return err;
	struct linux_siginfo info;
	memset(&info, 0, sizeof(info));
	long signal = signal_wait(mask, args->a[2] ? deadline_begin(ns) : NO_DEADLINE, &info);
	if (args->a[2])
		deadline_end(signal);
	if (signal > 0 && args->a[1] && copy_out(arg_user(args, 1), &info, sizeof(info)) < 0)
		return -EFAULT;
	return signal;
}

/* Until a handler has run: the old mask comes back with its frame. */
long sys_rt_sigsuspend(const struct syscall_args *args)
{
	uint64_t mask;
	int err = user_sigset(arg_user(args, 0), args->a[1], &mask);
	if (err < 0)
		return err;
	signal_set_temporary_mask(mask);
	while (thread_block_interruptible(NO_DEADLINE) != -EINTR)
		;
	return -EINTR;
}

long sys_pause(const struct syscall_args *args)
{
	(void)args;
	while (thread_block_interruptible(NO_DEADLINE) != -EINTR)
		;
	return -EINTR;
}

long sys_sigaltstack(const struct syscall_args *args)
{
	struct linux_stack new, old;
	if (args->a[0] && copy_in(&new, arg_user(args, 0), sizeof(new)) < 0)
		return -EFAULT;
	int err = signal_set_stack(args->a[0] ? &new : NULL, &old, trap_sp(args->frame));
	if (err == 0 && args->a[1])
		err = copy_out(arg_user(args, 1), &old, sizeof(old));
	return err;
}

/* --- sending --- */

static struct linux_siginfo info_of(int signal, int code)
{
	struct linux_siginfo info = {.si_signo = signal, .si_code = code};
	info.rt.pid = PROCESS_ID;
	info.rt.uid = process.uid;
	return info;
}

/* kill(2): 0, the own group and everybody are all this process; -1 spares the caller, so nobody is left. */
static int check_process(int pid)
{
	if (pid == 0 || pid == PROCESS_ID || pid == -PROCESS_ID)
		return 0;
	return -ESRCH;
}

long sys_kill(const struct syscall_args *args)
{
	int signal = arg_int(args, 1);
	if (signal < 0 || signal > SIGNALS)
		return -EINVAL;
	int err = check_process(arg_int(args, 0));
	if (err < 0 || signal == 0)
		return err;
	const struct linux_siginfo info = info_of(signal, SI_USER);
	return signal_send_process(signal, &info);
}

static long send_to_thread(int tid, int signal, const struct linux_siginfo *info)
{
	struct task *t = process_find_task(tid);
	if (!t)
		return -ESRCH;
	int err = signal ? signal_send_task(t, signal, info) : 0;
	thread_put(&t->thread);
	return err;
}

static long kill_thread(int pid, int tid, int signal)
{
	if (pid <= 0 || tid <= 0 || signal < 0 || signal > SIGNALS)
		return -EINVAL;
	if (pid != PROCESS_ID)
		return -ESRCH;
	const struct linux_siginfo info = info_of(signal, SI_TKILL);
	return send_to_thread(tid, signal, &info);
}

long sys_tkill(const struct syscall_args *args)
{
	return kill_thread(PROCESS_ID, arg_int(args, 0), arg_int(args, 1));
}

long sys_tgkill(const struct syscall_args *args)
{
	return kill_thread(arg_int(args, 0), arg_int(args, 1), arg_int(args, 2));
}

/* sigqueue(3): the program writes the information itself; only to itself a thread may claim to be the kernel. */
static int queued_info(user_addr from, int to, int signal, struct linux_siginfo *info)
{
	if (copy_in(info, from, sizeof(*info)) < 0)
		return -EFAULT;
	if ((info->si_code >= 0 || info->si_code == SI_TKILL) && to != thread_current()->tid)
		return -EPERM;
	info->si_signo = signal;
	return signal < 0 || signal > SIGNALS ? -EINVAL : 0;
}

long sys_rt_sigqueueinfo(const struct syscall_args *args)
{
	struct linux_siginfo info;
	int signal = arg_int(args, 1);
	int err = queued_info(arg_user(args, 2), arg_int(args, 0), signal, &info);
	if (err == 0)
		err = arg_int(args, 0) == PROCESS_ID ? 0 : -ESRCH;
	return err < 0 || signal == 0 ? err : signal_send_process(signal, &info);
}

long sys_rt_tgsigqueueinfo(const struct syscall_args *args)
{
	struct linux_siginfo info;
	if (arg_int(args, 0) <= 0 || arg_int(args, 1) <= 0)
		return -EINVAL;
	int err = queued_info(arg_user(args, 3), arg_int(args, 1), arg_int(args, 2), &info);
	if (err < 0)
		return err;
	return arg_int(args, 0) == PROCESS_ID
		       ? send_to_thread(arg_int(args, 1), arg_int(args, 2), &info)
		       : -ESRCH;
}
