/* inotify(7): instances and watches. */
#include "abi/linux/errno.h"
#include "abi/linux/inotify.h"
#include "kernel/file/fd_table.h"
#include "kernel/syscall/user.h"

static long create(unsigned flags)
{
	struct file *f;
	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int err = inotify_create(flags, &f);
	return err < 0 ? err : install(f, flags);
}

long sys_inotify_init(const struct syscall_args *args)
{
	(void)args;
	return create(0);
}

long sys_inotify_init1(const struct syscall_args *args)
{
	return create(arg_uint(args, 0));
}

static long add_watch(struct file *f, user_addr path, unsigned mask)
{
	struct dentry *d;
	unsigned lookup = (mask & IN_DONT_FOLLOW ? LOOKUP_NO_FOLLOW : 0) |
			  (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	if ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE))
		return -EINVAL;
	if (!file_is_inotify(f))
		return -EINVAL;
	int err = place_lookup(AT_FDCWD, path, 0, lookup, &d);
	if (err < 0)
		return err;
	err = inotify_add(f, d, mask);
	dentry_put(d);
	return err;
}

long sys_inotify_add_watch(const struct syscall_args *args)
{
	struct file *f;
	unsigned mask = arg_uint(args, 2);
	if (!(mask & IN_KNOWN) || (mask & ~IN_KNOWN))
		return -EINVAL;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long wd = add_watch(f, arg_user(args, 1), mask);
	file_put(f);
	return wd;
}

long sys_inotify_rm_watch(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = file_is_inotify(f) ? inotify_remove(f, arg_int(args, 1)) : -EINVAL;
	file_put(f);
	return err;
}
