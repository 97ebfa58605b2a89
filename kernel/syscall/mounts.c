/* What is mounted: mount(2) and kin, ustat(2), sysfs(2), cachestat(2), vhangup(2). */
#include "abi/linux/errno.h"
#include "abi/linux/mount.h"
#include "abi/linux/prctl.h"
#include "abi/linux/statfs.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/user.h"

/* The program's strings, short ones as they are in use: source, type, options. */
struct mount_strings {
	char source[64], type[32], options[256];
};

static int get_string(char *to, size_t size, user_addr from)
{
	to[0] = '\0';
	long n = from.va ? user_string(to, from, size) : 0;
	return n == -ENAMETOOLONG ? -EINVAL : n < 0 ? (int)n : 0;
}

static int get_strings(struct mount_strings *s, const struct syscall_args *args)
{
	int err = get_string(s->source, sizeof(s->source), arg_user(args, 0));
	if (!err)
		err = get_string(s->type, sizeof(s->type), arg_user(args, 2));
	if (!err)
		err = get_string(s->options, sizeof(s->options), arg_user(args, 4));
	return err;
}

#define PROPAGATION (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)

/* There is one name space: nothing is ever shared, so making it private changes nothing.  Names of a tree at a second
 * place (MS_BIND, MS_MOVE) are not to be had. */
static int mount_on(struct dentry *at, const struct mount_strings *s, unsigned flags)
{
	if (flags & MS_REMOUNT)
		return vfs_remount(at, flags);
	if (flags & PROPAGATION)
		return flags & MS_SHARED ? -EINVAL : vfs_unmount(at) == -EBUSY ? 0 : -EINVAL;
	if (flags & (MS_BIND | MS_MOVE))
		return -EINVAL;
	return vfs_mount(s->source, at, s->type, flags, s->options);
}

long sys_mount(const struct syscall_args *args)
{
	struct mount_strings s;
	struct dentry *at;
	int err = get_strings(&s, args);
	if (!err)
		err = place_lookup(AT_FDCWD, arg_user(args, 1), 0, 0, &at);
	if (err < 0)
		return err;
	err = process_capable(CAP_SYS_ADMIN) ? mount_on(at, &s, arg_uint(args, 3)) : -EPERM;
	dentry_put(at);
	return err;
}

long sys_umount2(const struct syscall_args *args)
{
	struct dentry *d;
	unsigned flags = arg_uint(args, 1);
	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	int err = place_lookup(
		AT_FDCWD, arg_user(args, 0), 0, flags & UMOUNT_NOFOLLOW ? LOOKUP_NO_FOLLOW : 0, &d);
	if (err < 0)
		return err;
	err = process_capable(CAP_SYS_ADMIN) ? vfs_unmount(d) : -EPERM;
	dentry_put(d);
	return err;
}

/* The root is as Linux's first one, which can not be exchanged (-EINVAL). */
long sys_pivot_root(const struct syscall_args *args)
{
	struct dentry *d;
	if (!process_capable(CAP_SYS_ADMIN))
		return -EPERM;
	for (unsigned i = 0; i < 2; i++) {
		int err = place_lookup(AT_FDCWD, arg_user(args, i), 0, LOOKUP_DIRECTORY, &d);
		if (err < 0)
			return err;
		dentry_put(d);
	}
	return -EINVAL;
}

struct ustat {
	int32_t free_blocks;
	uint64_t free_inodes;
	char name[6], pack[6];
};
_Static_assert(sizeof(struct ustat) == 32, "struct ustat");

long sys_ustat(const struct syscall_args *args)
{
	struct dentry *root;
	struct linux_statfs s;
	int err = vfs_find_device(arg_uint(args, 0), &root);
	if (err < 0)
		return err;
	err = vfs_statfs(root, &s);
	dentry_put(root);
	if (err < 0)
		return err;
	const struct ustat out = {.free_blocks = (int32_t)s.f_bfree, .free_inodes = s.f_ffree};
	return copy_out(arg_user(args, 1), &out, sizeof(out));
}

static long filesystem_number(user_addr name_at)
{
	char name[32];
	int err = get_string(name, sizeof(name), name_at);
	for (unsigned n = 0; !err && vfs_filesystem_name(n); n++)
		if (!strcmp(name, vfs_filesystem_name(n)))
			return n;
	return err < 0 ? err : -EINVAL;
}

long sys_sysfs(const struct syscall_args *args)
{
	const char *name;
	unsigned n = 0;
	switch (arg_int(args, 0)) {
	case 1:
		return filesystem_number(arg_user(args, 1));
	case 2:
		for (; vfs_filesystem_name(n) && n < args->a[1];)
			n++;
		name = vfs_filesystem_name(n);
		return name ? copy_out(arg_user(args, 2), name, strlen(name) + 1) : -EINVAL;
	case 3:
		while (vfs_filesystem_name(n))
			n++;
		return n;
	}
	return -EINVAL;
}

long sys_cachestat(const struct syscall_args *args)
{
	struct {
		uint64_t offset, len;
	} range;
	uint64_t stat[5] = {0}; /* cached, dirty, written back, evicted, lately evicted */
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	uint64_t last = UINT64_MAX;
	err = copy_in(&range, arg_user(args, 1), sizeof(range));
	if (!err && arg_uint(args, 3))
		err = -EINVAL;
	if (!err) {
		if (range.len && !__builtin_add_overflow(range.offset, range.len - 1, &last))
			last /= PAGE_SIZE;
		vfs_cache_count(f, range.offset / PAGE_SIZE, last, &stat[0], &stat[1]);
	}
	file_put(f);
	return err < 0 ? err : copy_out(arg_user(args, 2), stat, sizeof(stat));
}

/* No terminal is anybody's controlling one that could be taken away. */
long sys_vhangup(const struct syscall_args *args)
{
	(void)args;
	return process_capable(CAP_SYS_TTY_CONFIG) ? 0 : -EPERM;
}
