/* POSIX message queues: mq_overview(7). */
#include "kernel/ipc/mqueue.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/prctl.h"
#include "abi/linux/resource.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/net/socket.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/timers.h"
#include "kernel/syscall/user.h"

/* A name without the slash that the C library takes off. */
static int get_name(user_addr from, char name[MQ_NAME_MAX + 1])
{
	long n = user_string(name, from, MQ_NAME_MAX + 1);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENOENT;
	for (long i = 0; i < n; i++)
		if (name[i] == '/')
			return -EACCES;
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])) ? -EACCES : 0;
}

long sys_mq_open(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	const struct mq_limits limits = {
		.bytes = process_limit(RLIMIT_MSGQUEUE),
		.lifted = process_capable(CAP_SYS_RESOURCE),
	};
	struct linux_mq_attr attr;
	char name[MQ_NAME_MAX + 1];
	struct file *f = NULL;
	if (args->a[3] && copy_in(&attr, arg_user(args, 3), sizeof(attr)) < 0)
		return -EFAULT;
	int err = get_name(arg_user(args, 0), name);
	if (err < 0)
		return err;
	unsigned mode = arg_uint(args, 2) & 0777 & ~process.fs_credentials.umask;
	err = mq_open_file(
		&who, name, arg_uint(args, 1), mode, args->a[3] ? &attr : NULL, &limits, &f);
	return err < 0 ? err : install(f, O_CLOEXEC);
}

long sys_mq_unlink(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	char name[MQ_NAME_MAX + 1];
	int err = get_name(arg_user(args, 0), name);
	return err == -EACCES ? -ENOENT : err < 0 ? err : mq_unlink_name(&who, name);
}

/* Times are of the wall clock. */
static int deadline_of(user_addr at, uint64_t *out)
{
	uint64_t ns;
	*out = NO_DEADLINE;
	if (!at.va)
		return 0;
	int err = user_timespec(at, &ns);
	if (err == 0)
		*out = clock_deadline(CLOCK_REALTIME, ns);
	return err;
}

long sys_mq_timedsend(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	uint64_t deadline_ns;
	struct file *f = NULL;
	int err = deadline_of(arg_user(args, 4), &deadline_ns);
	if (err == 0 && arg_uint(args, 3) >= MQ_PRIO_MAX)
		err = -EINVAL;
	if (err == 0)
		err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = mq_send_message(
		&who, f, arg_user(args, 1), args->a[2], arg_uint(args, 3), deadline_ns);
	file_put(f);
	return err;
}

long sys_mq_timedreceive(const struct syscall_args *args)
{
	uint64_t deadline_ns;
	unsigned priority = 0;
	struct file *f = NULL;
	int err = deadline_of(arg_user(args, 4), &deadline_ns);
	if (err == 0)
		err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long n = mq_receive_message(f, arg_user(args, 1), args->a[2], &priority, deadline_ns);
	file_put(f);
	if (n >= 0 && args->a[3] && copy_out(arg_user(args, 3), &priority, sizeof(priority)) < 0)
		return -EFAULT;
	return n;
}

long sys_mq_getsetattr(const struct syscall_args *args)
{
	struct linux_mq_attr new, old;
	struct file *f = NULL;
	if (args->a[1] && copy_in(&new, arg_user(args, 1), sizeof(new)) < 0)
		return -EFAULT;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = mq_attributes(f, args->a[1] ? &new : NULL, &old);
	file_put(f);
	return err < 0 || !args->a[2] ? err : copy_out(arg_user(args, 2), &old, sizeof(old));
}

/* SIGEV_THREAD: `signal` is a netlink socket that a thread of the C library listens on, the value a cookie for it. */
static int get_notification(const struct linux_sigevent *e, struct mq_notification *out)
{
	*out = (struct mq_notification){
		.notify = e->notify, .signal = e->signal, .value = e->value};
	if (e->notify == SIGEV_NONE)
		return 0;
	if (e->notify == SIGEV_SIGNAL)
		return e->signal < 0 || e->signal > SIGNALS ? -EINVAL : 0;
	if (e->notify != SIGEV_THREAD)
		return -EINVAL;
	if (copy_in(out->cookie, user_at(e->value), sizeof(out->cookie)) < 0)
		return -EFAULT;
	int err = fd_get(e->signal, &out->socket);
	if (err == 0 && !file_is_netlink(out->socket)) {
		file_put(out->socket);
		out->socket = NULL;
		err = -EINVAL;
	}
	return err;
}

long sys_mq_notify(const struct syscall_args *args)
{
	struct linux_sigevent e;
	struct mq_notification n = {.socket = NULL};
	struct file *f = NULL;
	if (args->a[1] && copy_in(&e, arg_user(args, 1), sizeof(e)) < 0)
		return -EFAULT;
	int err = args->a[1] ? get_notification(&e, &n) : 0;
	if (err == 0)
		err = fd_get(arg_int(args, 0), &f);
	if (err == 0) {
		err = mq_set_notification(f, args->a[1] ? &n : NULL);
		file_put(f);
	}
	if (err < 0 && n.socket)
		file_put(n.socket);
	return err;
}
