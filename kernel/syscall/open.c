/* Opening and closing files, and the files that have no name: pipes, eventfd, timerfd, signalfd, memfd. */
#include "abi/linux/errno.h"
#include "abi/linux/mman.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/syscall/fd.h"
#include "kernel/syscall/user.h"

#define OPEN_FLAGS 077777703u /* those Linux knows; others are ignored, as there */

static int open_by(
	int dir, user_addr path, unsigned flags, unsigned mode, unsigned resolve, struct file **out)
{
	struct place p;
	int err = place_get(&p, dir, path, 0);
	if (err < 0)
		return err;
	/* An absolute path is below the directory, if it is to be. */
	if (dir != AT_FDCWD && (resolve & RESOLVE_IN_ROOT) && p.path.text[0] == '/')
		err = place_base(&p, dir);
	if (!err)
		err = vfs_open_resolve(p.base, p.path.text, (flags & OPEN_FLAGS) | O_LARGEFILE,
			mode & 07777, resolve, out);
	place_put(&p);
	return err;
}

int open_file_at(int dir, user_addr path, unsigned flags, unsigned mode, struct file **out)
{
	return open_by(dir, path, flags, mode, 0, out);
}

static long open_at(int dir, user_addr path, unsigned flags, unsigned mode)
{
	struct file *f = NULL;
	int err = open_file_at(dir, path, flags, mode, &f);
	return err < 0 ? err : install(f, flags);
}

long sys_open(const struct syscall_args *args)
{
	return open_at(AT_FDCWD, arg_user(args, 0), arg_uint(args, 1), arg_uint(args, 2));
}

long sys_creat(const struct syscall_args *args)
{
	return open_at(
		AT_FDCWD, arg_user(args, 0), O_CREAT | O_WRONLY | O_TRUNC, arg_uint(args, 1));
}

long sys_openat(const struct syscall_args *args)
{
	return open_at(arg_int(args, 0), arg_user(args, 1), arg_uint(args, 2), arg_uint(args, 3));
}

struct open_how {
	uint64_t flags, mode, resolve;
};

/* openat2(2): flags unknown to it are refused.  RESOLVE_CACHED never finds anything (-EAGAIN): callers ask again without. */
int open_file_at2(
	int dir, user_addr path, user_addr how_at, size_t size, unsigned *flags, struct file **out)
{
	struct open_how how;
	if (size < sizeof(how))
		return -EINVAL;
	if (size > sizeof(how))
		return -E2BIG;
	if (copy_in(&how, how_at, sizeof(how)) < 0)
		return -EFAULT;
	if ((how.flags & ~(uint64_t)OPEN_FLAGS) || (how.mode & ~07777ull) ||
		(how.resolve & ~(uint64_t)RESOLVE_ALL))
		return -EINVAL;
	if (how.mode && !(how.flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))))
		return -EINVAL;
	if ((how.resolve & RESOLVE_BENEATH) && (how.resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (how.resolve & RESOLVE_CACHED)
		return -EAGAIN;
	*flags = (unsigned)how.flags;
	return open_by(dir, path, *flags, (unsigned)how.mode, (unsigned)how.resolve, out);
}

long sys_openat2(const struct syscall_args *args)
{
	struct file *f = NULL;
	unsigned flags = 0;
	int err = open_file_at2(
		arg_int(args, 0), arg_user(args, 1), arg_user(args, 2), args->a[3], &flags, &f);
	return err < 0 ? err : install(f, flags);
}

long sys_close(const struct syscall_args *args)
{
	return fd_close(arg_int(args, 0));
}

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

long sys_close_range(const struct syscall_args *args)
{
	unsigned first = arg_uint(args, 0), last = arg_uint(args, 1), flags = arg_uint(args, 2);
	if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return -EINVAL;
	/* A table of its own for one thread is not to be had. */
	if ((flags & CLOSE_RANGE_UNSHARE) && process.n_tasks > 1)
		return -ENOMEM;
	return fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC ? FD_CLOEXEC_FLAG : 0);
}

static long make_pipe(user_addr to, unsigned flags)
{
	struct file *reader, *writer;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	int err = pipe_create(flags & (O_NONBLOCK | O_DIRECT), &reader, &writer);
	return err < 0 ? err : install_pair(reader, writer, flags, to);
}

long sys_pipe(const struct syscall_args *args)
{
	return make_pipe(arg_user(args, 0), 0);
}

long sys_pipe2(const struct syscall_args *args)
{
	return make_pipe(arg_user(args, 0), arg_uint(args, 1));
}

static long make_eventfd(unsigned value, unsigned flags)
{
	struct file *f;
	if (flags & ~(unsigned)(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))
		return -EINVAL;
	int err = eventfd_create(value, flags & ~(unsigned)O_CLOEXEC, &f);
	return err < 0 ? err : install(f, flags);
}

long sys_eventfd(const struct syscall_args *args)
{
	return make_eventfd(arg_uint(args, 0), 0);
}

long sys_eventfd2(const struct syscall_args *args)
{
	return make_eventfd(arg_uint(args, 0), arg_uint(args, 1));
}

long sys_timerfd_create(const struct syscall_args *args)
{
	struct file *f;
	unsigned flags = arg_uint(args, 1);
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int err = timerfd_create(arg_int(args, 0), flags & O_NONBLOCK, &f);
	return err < 0 ? err : install(f, flags);
}

static int put_itimerspec(user_addr to, const struct linux_itimerspec_ns *from)
{
	const struct linux_itimerspec spec = {
		timespec_of(from->interval_ns), timespec_of(from->value_ns)};
	return copy_out(to, &spec, sizeof(spec));
}

long sys_timerfd_settime(const struct syscall_args *args)
{
	struct linux_itimerspec spec;
	struct linux_itimerspec_ns new, old;
	int err = copy_in(&spec, arg_user(args, 2), sizeof(spec));
	if (err == 0)
		err = timespec_to_ns(&spec.it_value, &new.value_ns);
	if (err == 0)
		err = timespec_to_ns(&spec.it_interval, &new.interval_ns);
	if (err < 0)
		return err;
	struct file *f;
	err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = timerfd_set(f, arg_uint(args, 1), &new, &old);
	file_put(f);
	if (err == 0 && args->a[3])
		err = put_itimerspec(arg_user(args, 3), &old);
	return err;
}

long sys_timerfd_gettime(const struct syscall_args *args)
{
	struct file *f;
	struct linux_itimerspec_ns now;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = timerfd_get(f, &now);
	file_put(f);
	return err < 0 ? err : put_itimerspec(arg_user(args, 1), &now);
}

static long make_signalfd(int fd, user_addr mask_at, size_t size, unsigned flags)
{
	uint64_t mask;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int err = user_sigset(mask_at, size, &mask);
	if (err < 0)
		return err;
	struct file *f;
	if (fd == -1) {
		err = signalfd_create(mask, flags & O_NONBLOCK, &f);
		return err < 0 ? err : install(f, flags);
	}
	err = fd_get(fd, &f);
	if (err < 0)
		return err;
	err = signalfd_set_mask(f, mask);
	file_put(f);
	return err < 0 ? err : fd;
}

long sys_signalfd(const struct syscall_args *args)
{
	return make_signalfd(arg_int(args, 0), arg_user(args, 1), args->a[2], 0);
}

long sys_signalfd4(const struct syscall_args *args)
{
	return make_signalfd(arg_int(args, 0), arg_user(args, 1), args->a[2], arg_uint(args, 3));
}

#define MFD_NAME_MAX 249u

long sys_memfd_create(const struct syscall_args *args)
{
	char name[MFD_NAME_MAX + 1];
	unsigned flags = arg_uint(args, 1);
	long n = user_string(name, arg_user(args, 0), sizeof(name));
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	/* Huge pages: as Linux without CONFIG_HUGETLBFS. */
	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	struct file *f;
	int err = vfs_memory_file_sealed(name, flags, &f);
	return err < 0 ? err : install(f, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}
