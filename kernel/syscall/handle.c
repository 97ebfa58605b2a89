/* name_to_handle_at(2), open_by_handle_at(2). */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/file/fd_table.h"
#include "kernel/syscall/user.h"

#define HANDLE_MAX 128u
#define HANDLE_TYPE 0x6d6f

struct handle_head {
	uint32_t bytes;
	int32_t type;
};

long sys_name_to_handle_at(const struct syscall_args *args)
{
	struct handle_head head;
	struct file_handle_key key;
	struct dentry *d;
	int mount_id;
	unsigned flags = arg_uint(args, 4);
	if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	int err = place_lookup(arg_int(args, 0), arg_user(args, 1), flags,
		flags & AT_SYMLINK_FOLLOW ? 0 : LOOKUP_NO_FOLLOW, &d);
	if (err < 0)
		return err;
	err = copy_in(&head, arg_user(args, 2), sizeof(head));
	if (!err && head.bytes > HANDLE_MAX)
		err = -EINVAL;
	if (!err)
		err = vfs_handle_of(d, &key, &mount_id);
	dentry_put(d);
	if (err < 0)
		return err;
	bool fits = head.bytes >= sizeof(key);
	head = (struct handle_head){sizeof(key), fits ? HANDLE_TYPE : 0xff};
	user_addr body = user_offset(arg_user(args, 2), sizeof(head));
	if (copy_out(arg_user(args, 3), &mount_id, sizeof(mount_id)) < 0 ||
		copy_out(arg_user(args, 2), &head, sizeof(head)) < 0 ||
		(fits && copy_out(body, &key, sizeof(key)) < 0))
		return -EFAULT;
	return fits ? 0 : -EOVERFLOW;
}

static long open_handle(int mount, const struct file_handle_key *key, unsigned flags)
{
	struct dentry *base = NULL;
	struct file *f, *at;
	int err = 0;
	if (mount == AT_FDCWD) {
		base = vfs_working();
	} else {
		err = fd_get(mount, &at);
		if (err < 0)
			return err;
		err = vfs_file_dentry(at, &base);
		file_put(at);
	}
	if (err < 0)
		return err;
	err = vfs_open_handle(base, key, flags | O_LARGEFILE, &f);
	dentry_put(base);
	return err < 0 ? err : install(f, flags);
}

long sys_open_by_handle_at(const struct syscall_args *args)
{
	struct handle_head head;
	struct file_handle_key key;
	if (!process_capable(CAP_DAC_READ_SEARCH))
		return -EPERM;
	if (copy_in(&head, arg_user(args, 1), sizeof(head)) < 0)
		return -EFAULT;
	if (!head.bytes || head.bytes > HANDLE_MAX)
		return -EINVAL;
	if (head.bytes < sizeof(key) || head.type != HANDLE_TYPE)
		return -ESTALE;
	if (copy_in(&key, user_offset(arg_user(args, 1), sizeof(head)), sizeof(key)) < 0)
		return -EFAULT;
	return open_handle(arg_int(args, 0), &key, arg_uint(args, 2));
}
