/* What is known of a file: stat(2), access(2), modes, owners, times; and extended attributes, of which there are none. */
#include "abi/linux/errno.h"
#include "abi/linux/statfs.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/syscall/user.h"

/* --- stat(2) --- */

static long put_stat(user_addr to, struct linux_stat *st)
{
	st->pad = 0;
	st->st_btime_sec = st->st_btime_nsec = st->reserved = 0;
	return copy_out(to, st, sizeof(*st));
}

static int stat_place(int dir, user_addr path, unsigned flags, struct linux_stat *st)
{
	struct dentry *d;
	int err = place_lookup(
		dir, path, flags, flags & AT_SYMLINK_NOFOLLOW ? LOOKUP_NO_FOLLOW : 0, &d);
	if (err < 0)
		return err;
	err = vfs_stat(d, st);
	dentry_put(d);
	return err;
}

static int stat_fd(int fd, struct linux_stat *st)
{
	struct file *f;
	int err = fd_get(fd, &f);
	if (err < 0)
		return err;
	err = vfs_stat_file(f, st);
	file_put(f);
	return err;
}

/* fstat(2) in disguise, as the C library calls it: an empty path and AT_EMPTY_PATH. */
static int stat_any(int dir, user_addr path, unsigned flags, struct linux_stat *st)
{
	char first = 1;
	if ((flags & AT_EMPTY_PATH) && dir >= 0 && copy_in(&first, path, 1) == 0 && first == '\0')
		return stat_fd(dir, st);
	return stat_place(dir, path, flags, st);
}

long sys_stat(const struct syscall_args *args)
{
	struct linux_stat st;
	int err = stat_place(AT_FDCWD, arg_user(args, 0), 0, &st);
	return err < 0 ? err : put_stat(arg_user(args, 1), &st);
}

long sys_lstat(const struct syscall_args *args)
{
	struct linux_stat st;
	int err = stat_place(AT_FDCWD, arg_user(args, 0), AT_SYMLINK_NOFOLLOW, &st);
	return err < 0 ? err : put_stat(arg_user(args, 1), &st);
}

long sys_fstat(const struct syscall_args *args)
{
	struct linux_stat st;
	int err = stat_fd(arg_int(args, 0), &st);
	return err < 0 ? err : put_stat(arg_user(args, 1), &st);
}

#define AT_NO_AUTOMOUNT 0x800
#define AT_STATX_SYNC_TYPE 0x6000
#define STAT_FLAGS ((unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))

long sys_newfstatat(const struct syscall_args *args)
{
	struct linux_stat st;
	unsigned flags = arg_uint(args, 3);
	if (flags & ~STAT_FLAGS)
		return -EINVAL;
	int err = stat_any(arg_int(args, 0), arg_user(args, 1), flags, &st);
	return err < 0 ? err : put_stat(arg_user(args, 2), &st);
}

struct statx_time {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t pad;
};

struct statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mount_id, spare[13];
};
_Static_assert(sizeof(struct statx) == 256, "struct statx");

#define STATX_BASIC_STATS 0x7ffu
#define STATX_BTIME 0x800u
#define STATX_MNT_ID 0x1000u
#define STATX_RESERVED 0x80000000u

/* Linux's dev_t: 12 bits of major, 20 of minor, interleaved. */
static uint32_t device_major(uint64_t device)
{
	return (uint32_t)((device >> 8 & 0xfff) | (device >> 32 & ~0xffful));
}

static uint32_t device_minor(uint64_t device)
{
	return (uint32_t)((device & 0xff) | (device >> 12 & 0xffffff00));
}

static struct statx_time statx_time_of(struct linux_timespec t)
{
	return (struct statx_time){t.tv_sec, (uint32_t)t.tv_nsec, 0};
}

static struct statx statx_of(const struct linux_stat *st)
{
	struct statx x = {
		.mask = STATX_BASIC_STATS | STATX_MNT_ID,
		.mount_id = st->st_dev,
		.blksize = (uint32_t)st->st_blksize,
		.nlink = (uint32_t)st->st_nlink,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mode = (uint16_t)st->st_mode,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.blocks = (uint64_t)st->st_blocks,
		.atime = statx_time_of(st->st_atim),
		.ctime = statx_time_of(st->st_ctim),
		.mtime = statx_time_of(st->st_mtim),
		.rdev_major = device_major(st->st_rdev),
		.rdev_minor = device_minor(st->st_rdev),
		.dev_major = device_major(st->st_dev),
		.dev_minor = device_minor(st->st_dev),
	};
	if (st->st_btime_sec) {
		x.mask |= STATX_BTIME;
		x.btime = (struct statx_time){st->st_btime_sec, (uint32_t)st->st_btime_nsec, 0};
	}
	return x;
}

long sys_statx(const struct syscall_args *args)
{
	unsigned flags = arg_uint(args, 2);
	if ((flags & ~(STAT_FLAGS | AT_STATX_SYNC_TYPE)) ||
		(flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (arg_uint(args, 3) & STATX_RESERVED)
		return -EINVAL;
	struct linux_stat st;
	memset(&st, 0, sizeof(st));
	int err = stat_any(arg_int(args, 0), arg_user(args, 1), flags, &st);
	if (err < 0)
		return err;
	struct statx x = statx_of(&st);
	return copy_out(arg_user(args, 4), &x, sizeof(x));
}

/* --- statfs(2) --- */

static long statfs_dentry(struct dentry *d, user_addr to)
{
	struct linux_statfs s;
	int err = vfs_statfs(d, &s);
	dentry_put(d);
	return err < 0 ? err : copy_out(to, &s, sizeof(s));
}

long sys_statfs(const struct syscall_args *args)
{
	struct dentry *d;
	int err = place_lookup(AT_FDCWD, arg_user(args, 0), 0, 0, &d);
	return err < 0 ? err : statfs_dentry(d, arg_user(args, 1));
}

long sys_fstatfs(const struct syscall_args *args)
{
	struct file *f;
	struct dentry *d;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = vfs_file_dentry(f, &d);
	file_put(f);
	return err < 0 ? err : statfs_dentry(d, arg_user(args, 1));
}

/* --- access(2) --- */

static long access_at(int dir, user_addr path, unsigned mode, unsigned flags)
{
	struct dentry *d;
	if ((mode & ~7u) || (flags & ~(unsigned)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	int err = place_lookup(
		dir, path, flags, flags & AT_SYMLINK_NOFOLLOW ? LOOKUP_NO_FOLLOW : 0, &d);
	if (err < 0)
		return err;
	err = vfs_access(d, mode);
	dentry_put(d);
	return err;
}

long sys_access(const struct syscall_args *args)
{
	return access_at(AT_FDCWD, arg_user(args, 0), arg_uint(args, 1), 0);
}

long sys_faccessat(const struct syscall_args *args)
{
	return access_at(arg_int(args, 0), arg_user(args, 1), arg_uint(args, 2), 0);
}

long sys_faccessat2(const struct syscall_args *args)
{
	return access_at(arg_int(args, 0), arg_user(args, 1), arg_uint(args, 2), arg_uint(args, 3));
}

/* --- changing them --- */

static int dentry_of_fd(int fd, struct dentry **out)
{
	struct file *f;
	int err = fd_get(fd, &f);
	if (err < 0)
		return err;
	err = f->flags & O_PATH ? -EBADF : vfs_file_dentry(f, out);
	file_put(f);
	return err;
}

static long chmod_dentry(int err, struct dentry *d, unsigned mode)
{
	if (err < 0)
		return err;
	err = vfs_chmod(d, mode & 07777);
	dentry_put(d);
	return err;
}

long sys_chmod(const struct syscall_args *args)
{
	struct dentry *d = NULL;
	int err = place_lookup(AT_FDCWD, arg_user(args, 0), 0, 0, &d);
	return chmod_dentry(err, d, arg_uint(args, 1));
}

long sys_fchmod(const struct syscall_args *args)
{
	struct dentry *d = NULL;
	int err = dentry_of_fd(arg_int(args, 0), &d);
	return chmod_dentry(err, d, arg_uint(args, 1));
}

long sys_fchmodat(const struct syscall_args *args)
{
	struct dentry *d = NULL;
	int err = place_lookup(arg_int(args, 0), arg_user(args, 1), 0, 0, &d);
	return chmod_dentry(err, d, arg_uint(args, 2));
}

#define CHMOD_FLAGS (unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)

long sys_fchmodat2(const struct syscall_args *args)
{
	struct dentry *d = NULL;
	unsigned flags = arg_uint(args, 3);
	if (flags & ~CHMOD_FLAGS)
		return -EINVAL;
	int err = place_lookup(arg_int(args, 0), arg_user(args, 1), flags,
		flags & AT_SYMLINK_NOFOLLOW ? LOOKUP_NO_FOLLOW : 0, &d);
	return chmod_dentry(err, d, arg_uint(args, 2));
}

static long chown_dentry(int err, struct dentry *d, unsigned user, unsigned group)
{
	if (err < 0)
		return err;
	err = vfs_chown(d, user, group);
	dentry_put(d);
	return err;
}

long sys_chown(const struct syscall_args *args)
{
	struct dentry *d = NULL;
	int err = place_lookup(AT_FDCWD, arg_user(args, 0), 0, 0, &d);
	return chown_dentry(err, d, arg_uint(args, 1), arg_uint(args, 2));
}

long sys_lchown(const struct syscall_args *args)
{
	struct dentry *d = NULL;
	int err = place_lookup(AT_FDCWD, arg_user(args, 0), 0, LOOKUP_NO_FOLLOW, &d);
	return chown_dentry(err, d, arg_uint(args, 1), arg_uint(args, 2));
}

long sys_fchown(const struct syscall_args *args)
{
	struct dentry *d = NULL;
	int err = dentry_of_fd(arg_int(args, 0), &d);
	return chown_dentry(err, d, arg_uint(args, 1), arg_uint(args, 2));
}

long sys_fchownat(const struct syscall_args *args)
{
	struct dentry *d = NULL;
	unsigned flags = arg_uint(args, 4);
	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	int err = place_lookup(arg_int(args, 0), arg_user(args, 1), flags,
		flags & AT_SYMLINK_NOFOLLOW ? LOOKUP_NO_FOLLOW : 0, &d);
	return chown_dentry(err, d, arg_uint(args, 2), arg_uint(args, 3));
}

long sys_truncate(const struct syscall_args *args)
{
	struct dentry *d;
	if ((long)args->a[1] < 0)
		return -EINVAL;
	int err = place_lookup(AT_FDCWD, arg_user(args, 0), 0, 0, &d);
	if (err < 0)
		return err;
	err = vfs_truncate(d, args->a[1]);
	dentry_put(d);
	return err;
}

/* --- times --- */

static long set_times(int dir, user_addr path, unsigned flags, const struct linux_timespec *times)
{
	struct dentry *d;
	int err = path.va == 0 ? dentry_of_fd(dir, &d)
			       : place_lookup(dir, path, flags,
					 flags & AT_SYMLINK_NOFOLLOW ? LOOKUP_NO_FOLLOW : 0, &d);
	if (err < 0)
		return err;
	err = vfs_utimes(d, times);
	dentry_put(d);
	return err;
}

static bool valid_nanoseconds(int64_t ns)
{
	return ns == UTIME_NOW || ns == UTIME_OMIT || (ns >= 0 && ns < (int64_t)NS_PER_S);
}

long sys_utimensat(const struct syscall_args *args)
{
	struct linux_timespec times[2];
	unsigned flags = arg_uint(args, 3);
	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!args->a[2])
		return set_times(arg_int(args, 0), arg_user(args, 1), flags, NULL);
	if (copy_in(times, arg_user(args, 2), sizeof(times)) < 0)
		return -EFAULT;
	if (!valid_nanoseconds(times[0].tv_nsec) || !valid_nanoseconds(times[1].tv_nsec))
		return -EINVAL;
	return set_times(arg_int(args, 0), arg_user(args, 1), flags, times);
}

static long set_times_us(int dir, user_addr path, user_addr from)
{
	struct linux_timeval us[2];
	if (!from.va)
		return set_times(dir, path, 0, NULL);
	if (copy_in(us, from, sizeof(us)) < 0)
		return -EFAULT;
	struct linux_timespec times[2];
	for (unsigned i = 0; i < 2; i++) {
		if (us[i].tv_usec < 0 || us[i].tv_usec >= 1000000)
			return -EINVAL;
		times[i] = (struct linux_timespec){us[i].tv_sec, us[i].tv_usec * 1000};
	}
	return set_times(dir, path, 0, times);
}

long sys_utimes(const struct syscall_args *args)
{
	return set_times_us(AT_FDCWD, arg_user(args, 0), arg_user(args, 1));
}

long sys_futimesat(const struct syscall_args *args)
{
	return set_times_us(arg_int(args, 0), arg_user(args, 1), arg_user(args, 2));
}

long sys_utime(const struct syscall_args *args)
{
	struct linux_utimbuf seconds;
	if (!args->a[1])
		return set_times(AT_FDCWD, arg_user(args, 0), 0, NULL);
	if (copy_in(&seconds, arg_user(args, 1), sizeof(seconds)) < 0)
		return -EFAULT;
	const struct linux_timespec times[2] = {{seconds.actime, 0}, {seconds.modtime, 0}};
	return set_times(AT_FDCWD, arg_user(args, 0), 0, times);
}
