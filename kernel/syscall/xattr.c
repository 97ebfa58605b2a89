/* Extended attributes: no file has any.  Reading finds none, writing is not supported; the file itself must be there. */
#include "abi/linux/errno.h"
#include "kernel/file/fd_table.h"
#include "kernel/syscall/user.h"

static long at_path(const struct syscall_args *args, unsigned lookup, long answer)
{
	struct dentry *d;
	int err = place_lookup(AT_FDCWD, arg_user(args, 0), 0, lookup, &d);
	if (err < 0)
		return err;
	dentry_put(d);
	return answer;
}

static long at_fd(const struct syscall_args *args, long answer)
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	file_put(f);
	return answer;
}

#define FAMILY(name, answer)                                                                       \
	long sys_##name(const struct syscall_args *args)                                           \
	{                                                                                          \
		return at_path(args, 0, answer);                                                   \
	}                                                                                          \
	long sys_l##name(const struct syscall_args *args)                                          \
	{                                                                                          \
		return at_path(args, LOOKUP_NO_FOLLOW, answer);                                    \
	}                                                                                          \
	long sys_f##name(const struct syscall_args *args)                                          \
	{                                                                                          \
		return at_fd(args, answer);                                                        \
	}

FAMILY(getxattr, -ENODATA)
FAMILY(setxattr, -EOPNOTSUPP)
FAMILY(listxattr, 0)
FAMILY(removexattr, -ENODATA)
