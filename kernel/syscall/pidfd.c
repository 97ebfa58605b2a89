/* The process seen through descriptors, and compared with itself: pidfd_open(2) and kin, kcmp(2), ptrace(2). */
#include "kernel/proc/pidfd.h"

#include "abi/linux/errno.h"
#include "abi/linux/ptrace.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/random.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/user.h"

long sys_pidfd_open(const struct syscall_args *args)
{
	struct file *f = NULL;
	int err = pidfd_create(arg_int(args, 0), arg_uint(args, 1), &f);
	return err < 0 ? err : install(f, O_CLOEXEC);
}

/* The task behind descriptor fd, counted. */
static int task_behind(int fd, struct task **out, bool *thread)
{
	struct file *f = NULL;
	int err = fd_get(fd, &f);
	if (err < 0)
		return err;
	err = pidfd_task(f, out);
	*thread = pidfd_is_thread(f);
	file_put(f);
	return err;
}

#define PIDFD_SIGNAL_THREAD 1u
#define PIDFD_SIGNAL_THREAD_GROUP 2u
#define PIDFD_SIGNAL_PROCESS_GROUP 4u

/* What the program wrote must name the signal it sends, and may not claim to be the kernel's to anybody else. */
static int signal_info(user_addr from, int signal, struct linux_siginfo *info)
{
	if (!from.va) {
		*info = (struct linux_siginfo){.si_signo = signal, .si_code = SI_USER};
		info->rt.pid = PROCESS_ID;
		info->rt.uid = process.uid;
		return 0;
	}
	if (copy_in(info, from, sizeof(*info)) < 0)
		return -EFAULT;
	return info->si_signo == signal ? 0 : -EINVAL;
}

long sys_pidfd_send_signal(const struct syscall_args *args)
{
	int signal = arg_int(args, 1);
	unsigned flags = arg_uint(args, 3);
	struct linux_siginfo info;
	struct task *t = NULL;
	bool thread = false;
	if (flags > PIDFD_SIGNAL_PROCESS_GROUP || (flags & (flags - 1)))
		return -EINVAL;
	int err = task_behind(arg_int(args, 0), &t, &thread);
	if (err < 0)
		return err;
	err = signal_info(arg_user(args, 2), signal, &info);
	if (err == 0 && (signal < 0 || signal > SIGNALS))
		err = -EINVAL;
	thread = flags ? flags == PIDFD_SIGNAL_THREAD : thread;
	if (err == 0 && signal)
		err = thread ? signal_send_task(t, signal, &info)
			     : signal_send_process(signal, &info);
	thread_put(&t->thread);
	return err;
}

long sys_pidfd_getfd(const struct syscall_args *args)
{
	struct task *t = NULL;
	struct file *f = NULL;
	bool thread;
	if (arg_uint(args, 2))
		return -EINVAL;
	int err = task_behind(arg_int(args, 0), &t, &thread);
	if (err < 0)
		return err;
	thread_put(&t->thread);
	err = fd_get(arg_int(args, 1), &f);
	return err < 0 ? err : install(f, O_CLOEXEC);
}

/* Only memory of a process that is dying can be taken away early; this one is not. */
long sys_process_mrelease(const struct syscall_args *args)
{
	struct task *t = NULL;
	bool thread;
	if (arg_uint(args, 1))
		return -EINVAL;
	int err = task_behind(arg_int(args, 0), &t, &thread);
	if (err < 0)
		return err;
	thread_put(&t->thread);
	return -EINVAL;
}

/* --- kcmp(2) --- */

static bool is_ours(int pid)
{
	struct task *t = process_find_task(pid);
	if (t)
		thread_put(&t->thread);
	return t;
}

/* Equal, less, greater: an order that tells nothing of where the kernel keeps things. */
static long order(const void *a, const void *b)
{
	static _Atomic uint64_t secret;
	uint64_t fresh = 0, none = 0;
	if (!secret) {
		random_bytes(&fresh, sizeof(fresh));
		atomic_compare_exchange_strong(&secret, &none, fresh | 1);
	}
	uint64_t x = (uint64_t)(uintptr_t)a * secret, y = (uint64_t)(uintptr_t)b * secret;
	return x == y ? 0 : x < y ? 1 : 2;
}

static long compare_files(int fd, int fd2)
{
	struct file *a = NULL, *b = NULL;
	int err = fd_get(fd, &a);
	if (err < 0)
		return err;
	err = fd_get(fd2, &b);
	long result = err < 0 ? err : order(a, b);
	file_put(a);
	if (b)
		file_put(b);
	return result;
}

long sys_kcmp(const struct syscall_args *args)
{
	if (!is_ours(arg_int(args, 0)) || !is_ours(arg_int(args, 1)))
		return -ESRCH;
	switch (arg_uint(args, 2)) {
	case KCMP_FILE:
		return compare_files(arg_int(args, 3), arg_int(args, 4));
	case KCMP_VM: /* one process: everything else is shared by all its threads */
	case KCMP_FILES:
	case KCMP_FS:
	case KCMP_SIGHAND:
	case KCMP_IO:
	case KCMP_SYSVSEM:
		return 0;
	case KCMP_EPOLL_TFD: /* as a kernel without CONFIG_EPOLL says it */
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

/* --- ptrace(2): there is nobody to trace, and nobody who could --- */

long sys_ptrace(const struct syscall_args *args)
{
	long request = (long)args->a[0];
	if (request == PTRACE_TRACEME)
		return -EPERM;
	if (!is_ours(arg_int(args, 1)))
		return -ESRCH;
	/* Threads can not attach to their own process; without that every other request finds no tracee. */
	return request == PTRACE_ATTACH || request == PTRACE_SEIZE ? -EPERM : -ESRCH;
}
