/* What a thread would have apart from the others, and the machine's ports: unshare(2), setns(2), iopl(2), ioperm(2). */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "abi/linux/sched.h"
#include "kernel/file/fd_table.h"
#include "kernel/syscall/user.h"

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUSER | CLONE_NEWPID | \
		CLONE_NEWCGROUP | CLONE_NEWTIME)
#define WHOLE (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define TABLES (CLONE_FS | CLONE_FILES)

/*
 * There is one working directory, one table of descriptors, and no namespace but the first.  A program of one thread
 * shares nothing with anybody, so it has its own already; one of several can not get one per thread.
 */
long sys_unshare(const struct syscall_args *args)
{
	uint64_t flags = args->a[0];
	if (flags & ~(NAMESPACES | WHOLE | TABLES | CLONE_SYSVSEM))
		return -EINVAL;
	if ((flags & (WHOLE | TABLES)) && process.n_tasks > 1)
		return -EINVAL;
	if (flags & NAMESPACES)
		return process_capable(CAP_SYS_ADMIN) || (flags & CLONE_NEWUSER) ? -EINVAL : -EPERM;
	if (flags & CLONE_SYSVSEM)
		process_unshare_semaphores();
	return 0;
}

/* No descriptor stands for a namespace. */
long sys_setns(const struct syscall_args *args)
{
	struct file *f = NULL;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	file_put(f);
	return -EINVAL;
}

/* The ports are the kernel's, as on a Linux that is locked down: what gives nothing is allowed. */
long sys_iopl(const struct syscall_args *args)
{
	unsigned level = arg_uint(args, 0);
	return level > 3 ? -EINVAL : level == 0 ? 0 : -EPERM;
}

#define PORTS 65536ul

long sys_ioperm(const struct syscall_args *args)
{
	unsigned long from = args->a[0], n = args->a[1];
	if (from + n <= from || from + n > PORTS)
		return -EINVAL;
	return arg_int(args, 2) ? -EPERM : 0;
}
