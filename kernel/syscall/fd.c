/* What is done to a descriptor rather than through it: dup(2), fcntl(2), ioctl(2), flock(2), sizes and syncing. */
#include "abi/linux/errno.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/resource.h"
#include "kernel/file/async.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/syscall/fd.h"
#include "kernel/syscall/user.h"

long sys_dup(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	return err < 0 ? err : install(f, 0);
}

static long dup_to(int old, int new, unsigned flags)
{
	struct file *f;
	int err = fd_get(old, &f);
	if (err < 0)
		return err;
	int fd = fd_install_at(f, new, flags & O_CLOEXEC ? FD_CLOEXEC_FLAG : 0);
	if (fd < 0)
		file_put(f);
	return fd < 0 ? fd : new;
}

long sys_dup2(const struct syscall_args *args)
{
	int old = arg_int(args, 0), new = arg_int(args, 1);
	if (old != new)
		return dup_to(old, new, 0);
	int flags = fd_flags(old);
	return flags < 0 ? flags : old;
}

long sys_dup3(const struct syscall_args *args)
{
	int old = arg_int(args, 0), new = arg_int(args, 1);
	unsigned flags = arg_uint(args, 2);
	if ((flags & ~O_CLOEXEC) || old == new)
		return -EINVAL;
	return dup_to(old, new, flags);
}

/* --- fcntl(2) --- */

static long dup_from(struct file *f, unsigned long from, unsigned flags)
{
	if (from >= process_limit(RLIMIT_NOFILE))
		return -EINVAL;
	file_get(f);
	int fd = fd_install(f, (unsigned)from, flags);
	if (fd < 0)
		file_put(f);
	return fd;
}

#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)

static long flags_changed(int fd, struct file *f)
{
	if (f->ops->flags_changed)
		f->ops->flags_changed(f);
	return async_changed(f, fd);
}

static long set_status(int fd, struct file *f, unsigned flags)
{
	uint32_t old = f->flags, new;
	do
		new = (old & ~SETTABLE) | (flags & SETTABLE);
	while (!atomic_compare_exchange_weak(&f->flags, &old, new));
	return flags_changed(fd, f);
}

static long record_lock(struct file *f, int command, user_addr at)
{
	struct linux_flock lock;
	/* A lock of an open file description is the file's, any other the process's. */
	bool of_file = command >= F_OFD_GETLK && command <= F_OFD_SETLKW;
	void *owner = of_file ? f : NULL;
	int err = copy_in(&lock, at, sizeof(lock));
	if (err == 0 && of_file && lock.l_pid != 0)
		err = -EINVAL;
	if (err < 0)
		return err;
	if (command == F_GETLK || command == F_OFD_GETLK) {
		err = vfs_lock_get(f, &lock, owner);
		return err < 0 ? err : copy_out(at, &lock, sizeof(lock));
	}
	return vfs_lock_set(f, &lock, owner, command == F_SETLKW || command == F_OFD_SETLKW);
}

/* F_SETOWN: below 0 is a process group, of which there is ours. */
static long set_owner(struct file *f, int type, int id)
{
	if (type < F_OWNER_TID || type > F_OWNER_PGRP || id == INT32_MIN)
		return -EINVAL;
	struct task *t = id && type == F_OWNER_TID ? process_find_task(id) : NULL;
	if (id && (type == F_OWNER_TID ? !t : id != PROCESS_ID))
		return -ESRCH;
	if (t)
		thread_put(&t->thread);
	async_set_owner(f, type, id);
	return 0;
}

static long owner_command(struct file *f, int command, unsigned long argument)
{
	struct {
		int type, id;
	} owner;
	int id = (int)argument;
	struct file_owner now = async_owner(f);
	switch (command) {
	case F_SETOWN:
		return id < 0 && id != INT32_MIN ? set_owner(f, F_OWNER_PGRP, -id)
						 : set_owner(f, F_OWNER_PID, id);
	case F_GETOWN:
		return now.type == F_OWNER_PGRP ? -now.id : now.id;
	case F_SETOWN_EX:
		if (copy_in(&owner, user_at(argument), sizeof(owner)) < 0)
			return -EFAULT;
		return set_owner(f, owner.type, owner.id);
	case F_SETSIG:
		if (argument > SIGNALS)
			return -EINVAL;
		async_set_signal(f, id);
		return 0;
	case F_GETSIG:
		return now.signal;
	default:
		owner.type = now.type;
		owner.id = now.id;
		return copy_out(user_at(argument), &owner, sizeof(owner));
	}
}

static long fcntl_file(int fd, struct file *f, int command, unsigned long argument)
{
	switch (command) {
	case F_DUPFD:
		return dup_from(f, argument, 0);
	case F_DUPFD_CLOEXEC:
		return dup_from(f, argument, FD_CLOEXEC_FLAG);
	case F_GETFD:
		return fd_flags(fd);
	case F_SETFD:
		return fd_set_flags(fd, argument & FD_CLOEXEC_FLAG);
	case F_GETFL:
		return (long)f->flags;
	}
	if (f->flags & O_PATH)
		return -EBADF;
	switch (command) {
	case F_SETFL:
		return set_status(fd, f, (unsigned)argument);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return record_lock(f, command, user_at(argument));
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_SETSIG:
	case F_GETSIG:
		return owner_command(f, command, argument);
	case F_SETPIPE_SZ:
		return pipe_set_size(f, (unsigned)argument);
	case F_GETPIPE_SZ:
		return pipe_size(f);
	case F_GETLEASE:
		return F_UNLCK; /* nobody has one: F_SETLEASE is refused below, as on a file system without them */
	case F_ADD_SEALS:
		return vfs_add_seals(f, (unsigned)argument);
	case F_GET_SEALS:
		return vfs_get_seals(f);
	default:
		return -EINVAL;
	}
}

long sys_fcntl(const struct syscall_args *args)
{
	struct file *f;
	int fd = arg_int(args, 0);
	int err = fd_get(fd, &f);
	if (err < 0)
		return err;
	long result = fcntl_file(fd, f, arg_int(args, 1), args->a[2]);
	file_put(f);
	return result;
}

/* --- ioctl(2) --- */

static long set_flag(int fd, struct file *f, uint32_t flag, user_addr value_at)
{
	int on;
	if (copy_in(&on, value_at, sizeof(on)) < 0)
		return -EFAULT;
	if (on)
		atomic_fetch_or(&f->flags, flag);
	else
		atomic_fetch_and(&f->flags, ~flag);
	return flags_changed(fd, f);
}

/* Those that every kind of file has; the rest is the file's. */
static long ioctl_file(int fd, struct file *f, unsigned request, unsigned long argument)
{
	switch (request) {
	case FIOCLEX:
		return fd_set_flags(fd, FD_CLOEXEC_FLAG);
	case FIONCLEX:
		return fd_set_flags(fd, 0);
	case FIONBIO:
		return set_flag(fd, f, O_NONBLOCK, user_at(argument));
	case FIOASYNC:
		return set_flag(fd, f, O_ASYNC, user_at(argument));
	default:
		return f->ops->ioctl ? f->ops->ioctl(f, request, argument) : -ENOTTY;
	}
}

long sys_ioctl(const struct syscall_args *args)
{
	struct file *f;
	int fd = arg_int(args, 0);
	int err = fd_get(fd, &f);
	if (err < 0)
		return err;
	long result = f->flags & O_PATH ? -EBADF : ioctl_file(fd, f, arg_uint(args, 1), args->a[2]);
	file_put(f);
	return result;
}

/* --- one descriptor, one operation --- */

static long flock_file(struct file *f, const struct syscall_args *args)
{
	return vfs_flock(f, arg_int(args, 1));
}

static long ftruncate_file(struct file *f, const struct syscall_args *args)
{
	if ((long)args->a[1] < 0 || !file_writable(f) || !f->ops->truncate)
		return -EINVAL;
	return f->ops->truncate(f, args->a[1]);
}

#define FALLOC_KEEP_SIZE 1
#define FALLOC_PUNCH_HOLE 2
#define FALLOC_MODES 0x7b /* all but NO_HIDE_STALE */

long fallocate_file(struct file *f, const struct syscall_args *args)
{
	int64_t offset = (int64_t)args->a[2], n = (int64_t)args->a[3];
	int mode = arg_int(args, 1);
	if (offset < 0 || n <= 0)
		return -EINVAL;
	if ((mode & ~FALLOC_MODES) ||
		(mode & (FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE)) == FALLOC_PUNCH_HOLE)
		return -EOPNOTSUPP;
	if (!file_writable(f))
		return -EBADF;
	if (offset > INT64_MAX - n)
		return -EFBIG;
	if (file_is_pipe(f))
		return -ESPIPE;
	if (!f->ops->truncate)
		return -ENODEV;
	return f->ops->allocate ? f->ops->allocate(f, mode, (uint64_t)offset, (uint64_t)n)
				: -EOPNOTSUPP;
}

static long fsync_file(struct file *f, const struct syscall_args *args)
{
	(void)args;
	return f->ops->sync ? f->ops->sync(f, false) : -EINVAL;
}

static long fdatasync_file(struct file *f, const struct syscall_args *args)
{
	(void)args;
	return f->ops->sync ? f->ops->sync(f, true) : -EINVAL;
}

long sync_range_file(struct file *f, const struct syscall_args *args)
{
	if (arg_uint(args, 3) & ~7u || (long)args->a[1] < 0 || (long)args->a[2] < 0)
		return -EINVAL;
	return f->ops->sync ? f->ops->sync(f, true) : -ESPIPE;
}

#define ADVICE_LAST 5 /* POSIX_FADV_NOREUSE */

long fadvise_file(struct file *f, const struct syscall_args *args)
{
	if (file_is_pipe(f))
		return -ESPIPE;
	/* Advice that needs no answer: reading ahead is the file system's own decision. */
	return arg_uint(args, 3) > ADVICE_LAST ? -EINVAL : 0;
}

static long readahead_file(struct file *f, const struct syscall_args *args)
{
	(void)args;
	if (!file_readable(f))
		return -EBADF;
	return f->ops->map ? 0 : -EINVAL;
}

static long on_file(const struct syscall_args *args,
	long (*operation)(struct file *, const struct syscall_args *))
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long result = f->flags & O_PATH ? -EBADF : operation(f, args);
	file_put(f);
	return result;
}

long sys_flock(const struct syscall_args *args)
{
	return on_file(args, flock_file);
}

long sys_ftruncate(const struct syscall_args *args)
{
	return on_file(args, ftruncate_file);
}

long sys_fallocate(const struct syscall_args *args)
{
	return on_file(args, fallocate_file);
}

long sys_fsync(const struct syscall_args *args)
{
	return on_file(args, fsync_file);
}

long sys_fdatasync(const struct syscall_args *args)
{
	return on_file(args, fdatasync_file);
}

long sys_sync_file_range(const struct syscall_args *args)
{
	return on_file(args, sync_range_file);
}

long sys_fadvise64(const struct syscall_args *args)
{
	return on_file(args, fadvise_file);
}

long sys_readahead(const struct syscall_args *args)
{
	return on_file(args, readahead_file);
}

long sys_sync(const struct syscall_args *args)
{
	(void)args;
	vfs_sync_all();
	return 0;
}

static long syncfs_file(struct file *f, const struct syscall_args *args)
{
	(void)f;
	(void)args;
	vfs_sync_all();
	return 0;
}

long sys_syncfs(const struct syscall_args *args)
{
	return on_file(args, syncfs_file);
}
