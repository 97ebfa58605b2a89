/* Extended attributes, by path, by link and by descriptor: one body each for get, set, list, remove. */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "abi/linux/xattr.h"
#include "kernel/file/fd_table.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/user.h"

enum by { BY_PATH, BY_LINK, BY_FD };

static int find(const struct syscall_args *args, enum by by, struct dentry **out)
{
	if (by != BY_FD)
		return place_lookup(
			AT_FDCWD, arg_user(args, 0), 0, by == BY_LINK ? LOOKUP_NO_FOLLOW : 0, out);
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = f->flags & O_PATH ? -EBADF : vfs_file_dentry(f, out);
	file_put(f);
	return err;
}

static unsigned privilege(void)
{
	return process_capable(CAP_SYS_ADMIN) ? XATTR_ADMIN : 0;
}

/* The name; none or too long: -ERANGE. */
static int get_name(char name[XATTR_NAME_MAX + 1], user_addr from)
{
	long n = user_string(name, from, XATTR_NAME_MAX + 1);
	if (n < 0)
		return n == -ENAMETOOLONG ? -ERANGE : (int)n;
	return name[0] ? 0 : -ERANGE;
}

static long get(const struct syscall_args *args, enum by by)
{
	char name[XATTR_NAME_MAX + 1];
	struct dentry *d;
	size_t size = min(args->a[3], (size_t)XATTR_SIZE_MAX);
	int err = get_name(name, arg_user(args, 1));
	if (!err)
		err = find(args, by, &d);
	if (err < 0)
		return err;
	void *value = heap_alloc(max(size, (size_t)1));
	long n = value ? vfs_xattr_get(d, name, value, size, privilege()) : -ENOMEM;
	if (n > 0 && size && copy_out(arg_user(args, 2), value, (size_t)n) < 0)
		n = -EFAULT;
	heap_free(value);
	dentry_put(d);
	return n;
}

static long set_value(const struct syscall_args *args, enum by by, const char *name, size_t len)
{
	struct dentry *d;
	char *value = heap_alloc(max(len, (size_t)1));
	if (!value)
		return -ENOMEM;
	int err = len ? copy_in(value, arg_user(args, 2), len) : 0;
	if (!err)
		err = find(args, by, &d);
	if (!err) {
		err = vfs_xattr_set(d, name, value, len, arg_uint(args, 4) | privilege());
		dentry_put(d);
	}
	heap_free(value);
	return err;
}

static long set(const struct syscall_args *args, enum by by)
{
	char name[XATTR_NAME_MAX + 1];
	if (arg_uint(args, 4) & ~(unsigned)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	int err = get_name(name, arg_user(args, 1));
	if (err < 0)
		return err;
	return args->a[3] > XATTR_SIZE_MAX ? -E2BIG : set_value(args, by, name, args->a[3]);
}

static long list(const struct syscall_args *args, enum by by)
{
	struct dentry *d;
	size_t size = min(args->a[2], (size_t)XATTR_LIST_MAX);
	int err = find(args, by, &d);
	if (err < 0)
		return err;
	/* Asked for the length only, the names are needed all the same: not all of them may be told. */
	char *names = heap_alloc(size ? size : XATTR_LIST_MAX);
	long n = names ? vfs_xattr_list(d, names, size ? size : XATTR_LIST_MAX, privilege())
		       : -ENOMEM;
	if (n > 0 && size && copy_out(arg_user(args, 1), names, (size_t)n) < 0)
		n = -EFAULT;
	heap_free(names);
	dentry_put(d);
	return n;
}

static long remove(const struct syscall_args *args, enum by by)
{
	char name[XATTR_NAME_MAX + 1];
	struct dentry *d;
	int err = get_name(name, arg_user(args, 1));
	if (!err)
		err = find(args, by, &d);
	if (err < 0)
		return err;
	err = vfs_xattr_set(d, name, NULL, 0, privilege());
	dentry_put(d);
	return err;
}

#define FAMILY(body)                                                                               \
	long sys_##body##xattr(const struct syscall_args *args)                                    \
	{                                                                                          \
		return body(args, BY_PATH);                                                        \
	}                                                                                          \
	long sys_l##body##xattr(const struct syscall_args *args)                                   \
	{                                                                                          \
		return body(args, BY_LINK);                                                        \
	}                                                                                          \
	long sys_f##body##xattr(const struct syscall_args *args)                                   \
	{                                                                                          \
		return body(args, BY_FD);                                                          \
	}

FAMILY(get)
FAMILY(set)
FAMILY(list)
FAMILY(remove)
