/* Names: making, moving and removing them, links, directories, and where the process stands. */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/credentials.h"
#include "kernel/syscall/user.h"

/* --- one name: an operation on a place --- */

static long on_place(int dir, user_addr path, int (*operation)(struct dentry *, const char *))
{
	struct place p;
	int err = place_get(&p, dir, path, 0);
	if (err < 0)
		return err;
	err = operation(p.base, p.path.text);
	place_put(&p);
	return err;
}

static long mkdir_at(int dir, user_addr path, unsigned mode)
{
	struct place p;
	int err = place_get(&p, dir, path, 0);
	if (err < 0)
		return err;
	err = vfs_mkdir(p.base, p.path.text, mode & 01777);
	place_put(&p);
	return err;
}

long sys_mkdir(const struct syscall_args *args)
{
	return mkdir_at(AT_FDCWD, arg_user(args, 0), arg_uint(args, 1));
}

long sys_mkdirat(const struct syscall_args *args)
{
	return mkdir_at(arg_int(args, 0), arg_user(args, 1), arg_uint(args, 2));
}

static long mknod_at(int dir, user_addr path, unsigned mode, unsigned device)
{
	struct place p;
	if (S_ISDIR(mode))
		return -EPERM;
	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	int err = place_get(&p, dir, path, 0);
	if (err < 0)
		return err;
	err = vfs_mknod(p.base, p.path.text, mode, device);
	place_put(&p);
	return err;
}

long sys_mknod(const struct syscall_args *args)
{
	return mknod_at(AT_FDCWD, arg_user(args, 0), arg_uint(args, 1), arg_uint(args, 2));
}

long sys_mknodat(const struct syscall_args *args)
{
	return mknod_at(arg_int(args, 0), arg_user(args, 1), arg_uint(args, 2), arg_uint(args, 3));
}

long sys_unlink(const struct syscall_args *args)
{
	return on_place(AT_FDCWD, arg_user(args, 0), vfs_unlink);
}

long sys_rmdir(const struct syscall_args *args)
{
	return on_place(AT_FDCWD, arg_user(args, 0), vfs_rmdir);
}

long sys_unlinkat(const struct syscall_args *args)
{
	unsigned flags = arg_uint(args, 2);
	if (flags & ~(unsigned)AT_REMOVEDIR)
		return -EINVAL;
	return on_place(
		arg_int(args, 0), arg_user(args, 1), flags & AT_REMOVEDIR ? vfs_rmdir : vfs_unlink);
}

/* --- two names --- */

static long rename_at(int old_dir, user_addr old, int new_dir, user_addr new, unsigned flags)
{
	struct place from, to;
	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
		flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	int err = place_get(&from, old_dir, old, 0);
	if (err < 0)
		return err;
	err = place_get(&to, new_dir, new, 0);
	if (err == 0) {
		err = vfs_rename(from.base, from.path.text, to.base, to.path.text, flags);
		place_put(&to);
	}
	place_put(&from);
	return err;
}

long sys_rename(const struct syscall_args *args)
{
	return rename_at(AT_FDCWD, arg_user(args, 0), AT_FDCWD, arg_user(args, 1), 0);
}

long sys_renameat(const struct syscall_args *args)
{
	return rename_at(
		arg_int(args, 0), arg_user(args, 1), arg_int(args, 2), arg_user(args, 3), 0);
}

long sys_renameat2(const struct syscall_args *args)
{
	return rename_at(arg_int(args, 0), arg_user(args, 1), arg_int(args, 2), arg_user(args, 3),
		arg_uint(args, 4));
}

static long link_at(int old_dir, user_addr old, int new_dir, user_addr new, unsigned flags)
{
	struct dentry *d;
	struct place to;
	if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	int err = place_lookup(
		old_dir, old, flags, flags & AT_SYMLINK_FOLLOW ? 0 : LOOKUP_NO_FOLLOW, &d);
	if (err < 0)
		return err;
	err = place_get(&to, new_dir, new, 0);
	if (err == 0) {
		err = vfs_link(d, to.base, to.path.text);
		place_put(&to);
	}
	dentry_put(d);
	return err;
}

long sys_link(const struct syscall_args *args)
{
	return link_at(AT_FDCWD, arg_user(args, 0), AT_FDCWD, arg_user(args, 1), 0);
}

long sys_linkat(const struct syscall_args *args)
{
	return link_at(arg_int(args, 0), arg_user(args, 1), arg_int(args, 2), arg_user(args, 3),
		arg_uint(args, 4));
}

static long symlink_at(user_addr target, int dir, user_addr path)
{
	struct user_path t;
	struct place p;
	int err = user_path_get(&t, target);
	if (err < 0)
		return err;
	if (t.text[0] == '\0')
		err = -ENOENT;
	if (err == 0)
		err = place_get(&p, dir, path, 0);
	if (err == 0) {
		err = vfs_symlink(t.text, p.base, p.path.text);
		place_put(&p);
	}
	user_path_put(&t);
	return err;
}

long sys_symlink(const struct syscall_args *args)
{
	return symlink_at(arg_user(args, 0), AT_FDCWD, arg_user(args, 1));
}

long sys_symlinkat(const struct syscall_args *args)
{
	return symlink_at(arg_user(args, 0), arg_int(args, 1), arg_user(args, 2));
}

static long readlink_at(int dir, user_addr path, user_addr to, int size)
{
	struct dentry *d;
	if (size <= 0)
		return -EINVAL;
	/* An empty path is the link itself that the descriptor stands for (O_PATH|O_NOFOLLOW). */
	long n = place_lookup(dir, path, AT_EMPTY_PATH, LOOKUP_NO_FOLLOW, &d);
	if (n < 0)
		return n;
	char *buf = heap_alloc(PATH_MAX);
	n = buf ? vfs_readlink(d, buf, min((size_t)size, (size_t)PATH_MAX)) : -ENOMEM;
	if (n >= 0 && copy_out(to, buf, (size_t)n) < 0)
		n = -EFAULT;
	heap_free(buf);
	dentry_put(d);
	return n;
}

long sys_readlink(const struct syscall_args *args)
{
	return readlink_at(AT_FDCWD, arg_user(args, 0), arg_user(args, 1), arg_int(args, 2));
}

long sys_readlinkat(const struct syscall_args *args)
{
	return readlink_at(
		arg_int(args, 0), arg_user(args, 1), arg_user(args, 2), arg_int(args, 3));
}

/* --- where the process stands --- */

long sys_getcwd(const struct syscall_args *args)
{
	char *buf = heap_alloc(PATH_MAX);
	if (!buf)
		return -ENOMEM;
	struct dentry *d = vfs_working();
	struct linux_stat st = {.st_nlink = 1};
	long n = vfs_stat(d, &st) == 0 && st.st_nlink == 0 ? -ENOENT : vfs_path(d, buf, PATH_MAX);
	dentry_put(d);
	if (n >= 0 && (size_t)n + 1 > args->a[1])
		n = -ERANGE;
	if (n >= 0)
		n = copy_out(arg_user(args, 0), buf, (size_t)n + 1) < 0 ? -EFAULT : n + 1;
	heap_free(buf);
	return n;
}

long sys_chdir(const struct syscall_args *args)
{
	struct dentry *d;
	int err = place_lookup(AT_FDCWD, arg_user(args, 0), 0, LOOKUP_DIRECTORY, &d);
	if (err < 0)
		return err;
	err = vfs_set_working(d);
	dentry_put(d);
	return err;
}

long sys_fchdir(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = f->dentry ? vfs_set_working(f->dentry) : -ENOTDIR;
	file_put(f);
	return err;
}

long sys_chroot(const struct syscall_args *args)
{
	struct dentry *d;
	int err = place_lookup(AT_FDCWD, arg_user(args, 0), 0, LOOKUP_DIRECTORY, &d);
	if (err < 0)
		return err;
	err = process_capable(CAP_SYS_CHROOT) ? vfs_set_root(d) : -EPERM;
	dentry_put(d);
	return err;
}

long sys_umask(const struct syscall_args *args)
{
	return credentials_set_umask(arg_uint(args, 0));
}

/* The tree is what the machine was started with. */
/* --- getdents64(2) --- */

#define ENTRIES_SIZE 4096u /* in the kernel at a time */

struct entries {
	struct directory_sink sink; /* first */
	bool old_format;            /* getdents(2): the type behind the name */
	uint8_t *buf;
	size_t size, used;
	bool full;
	uint8_t *last; /* the entry written last */
};

#define ENTRY_NAME_OFFSET 19u     /* of struct linux_dirent64 */
#define OLD_ENTRY_NAME_OFFSET 18u /* of struct linux_dirent */

static bool add_entry(struct directory_sink *sink, const char *name, size_t name_len, uint64_t ino,
	uint8_t type, uint64_t next_position)
{
	struct entries *e = (struct entries *)sink;
	size_t at = e->old_format ? OLD_ENTRY_NAME_OFFSET : ENTRY_NAME_OFFSET;
	size_t len = align_up(at + name_len + 1 + e->old_format, 8ul);
	if (len > e->size - e->used) {
		e->full = true;
		return false;
	}
	uint8_t *p = e->buf + e->used;
	uint16_t reclen = (uint16_t)len;
	memset(p, 0, len);
	memcpy(p, &ino, 8);
	memcpy(p + 8, &next_position, 8);
	memcpy(p + 16, &reclen, 2);
	memcpy(p + at, name, name_len);
	p[e->old_format ? len - 1 : 18] = type;
	e->used += len;
	e->last = p;
	return true;
}

static long list_directory(struct file *f, user_addr to, size_t size, bool old_format)
{
	if (!f->ops->list)
		return -ENOTDIR;
	struct entries e = {.sink = {add_entry}, .old_format = old_format};
	e.size = min(size, (size_t)ENTRIES_SIZE);
	e.buf = heap_alloc(ENTRIES_SIZE);
	if (!e.buf)
		return -ENOMEM;
	mutex_lock(&f->position_lock);
	uint64_t before = f->position;
	long n = f->ops->list(f, &e.sink);
	if (n == 0)
		n = e.used == 0 && e.full ? -EINVAL : (long)e.used;
	if (n > 0 && copy_out(to, e.buf, (size_t)n) < 0) {
		f->position = before;
		n = -EFAULT;
	}
	mutex_unlock(&f->position_lock);
	heap_free(e.buf);
	return n;
}

static long getdents(const struct syscall_args *args, bool old_format)
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long n = f->flags & O_PATH
			 ? -EBADF
			 : list_directory(f, arg_user(args, 1), arg_uint(args, 2), old_format);
	file_put(f);
	return n;
}

long sys_getdents64(const struct syscall_args *args)
{
	return getdents(args, false);
}

long sys_getdents(const struct syscall_args *args)
{
	return getdents(args, true);
}
