/* Users, groups and capabilities: credentials(7).  The rules are kernel/proc/credentials.c's. */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/credentials.h"
#include "kernel/syscall/user.h"

long sys_getuid(const struct syscall_args *args)
{
	(void)args;
	return process.uid;
}

long sys_geteuid(const struct syscall_args *args)
{
	(void)args;
	return process.euid;
}

long sys_getgid(const struct syscall_args *args)
{
	(void)args;
	return process.gid;
}

long sys_getegid(const struct syscall_args *args)
{
	(void)args;
	return process.egid;
}

static long put_three(const struct syscall_args *args, uint32_t a, uint32_t b, uint32_t c)
{
	const uint32_t ids[3] = {a, b, c};
	for (unsigned i = 0; i < 3; i++)
		if (copy_out(arg_user(args, i), &ids[i], sizeof(ids[i])) < 0)
			return -EFAULT;
	return 0;
}

long sys_getresuid(const struct syscall_args *args)
{
	return put_three(args, process.uid, process.euid, process.suid);
}

long sys_getresgid(const struct syscall_args *args)
{
	return put_three(args, process.gid, process.egid, process.sgid);
}

long sys_setuid(const struct syscall_args *args)
{
	return credentials_set_user(arg_uint(args, 0));
}

long sys_setgid(const struct syscall_args *args)
{
	return credentials_set_group(arg_uint(args, 0));
}

long sys_setreuid(const struct syscall_args *args)
{
	return credentials_set_user_pair(arg_uint(args, 0), arg_uint(args, 1));
}

long sys_setregid(const struct syscall_args *args)
{
	return credentials_set_group_pair(arg_uint(args, 0), arg_uint(args, 1));
}

long sys_setresuid(const struct syscall_args *args)
{
	return credentials_set_users(arg_uint(args, 0), arg_uint(args, 1), arg_uint(args, 2));
}

long sys_setresgid(const struct syscall_args *args)
{
	return credentials_set_groups_ids(arg_uint(args, 0), arg_uint(args, 1), arg_uint(args, 2));
}

long sys_setfsuid(const struct syscall_args *args)
{
	return credentials_set_fs_user(arg_uint(args, 0));
}

long sys_setfsgid(const struct syscall_args *args)
{
	return credentials_set_fs_group(arg_uint(args, 0));
}

long sys_getgroups(const struct syscall_args *args)
{
	unsigned room = arg_uint(args, 0);
	if ((int)room < 0)
		return -EINVAL;
	unsigned n = process.n_groups;
	if (room == 0)
		return n;
	if (n > room)
		return -EINVAL;
	/* The array is only ever overwritten in place or replaced, never freed. */
	return copy_out(arg_user(args, 1), process.groups, n * sizeof(uint32_t)) < 0 ? -EFAULT
										     : (long)n;
}

long sys_setgroups(const struct syscall_args *args)
{
	unsigned n = arg_uint(args, 0);
	if (!process_capable(CAP_SETGID))
		return -EPERM;
	if (n > GROUPS_MAX)
		return -EINVAL;
	uint32_t *ids = heap_array(max(n, 1u), sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	int err = copy_in(ids, arg_user(args, 1), n * sizeof(*ids));
	if (err == 0)
		err = credentials_set_supplementary(ids, n);
	heap_free(ids);
	return err;
}

/* --- capget(2), capset(2) --- */

/* Words of 32 capabilities in that version of the structures; -EINVAL, and the program is told ours. */
static int capability_words(user_addr header_at, struct linux_cap_header *header)
{
	int err = copy_in(header, header_at, sizeof(*header));
	if (err < 0)
		return err;
	switch (header->version) {
	case CAPABILITY_VERSION_1:
		return 1;
	case CAPABILITY_VERSION_2:
	case CAPABILITY_VERSION_3:
		return 2;
	default:
		header->version = CAPABILITY_VERSION_3;
		return copy_out(header_at, &header->version, sizeof(header->version)) < 0 ? -EFAULT
											  : -EINVAL;
	}
}

static bool names_us(int pid)
{
	if (pid == 0 || pid == PROCESS_ID)
		return true;
	struct task *t = process_find_task(pid);
	if (t)
		thread_put(&t->thread);
	return t;
}

long sys_capget(const struct syscall_args *args)
{
	struct linux_cap_header header;
	int words = capability_words(arg_user(args, 0), &header);
	if (words < 0)
		return words == -EINVAL && !args->a[1] ? 0 : words;
	if (header.pid < 0)
		return -EINVAL;
	if (!names_us(header.pid))
		return -ESRCH;
	struct linux_cap_data data[2];
	for (unsigned i = 0; i < 2; i++)
		data[i] = (struct linux_cap_data){
			.effective = (uint32_t)(process.capabilities_effective >> 32 * i),
			.permitted = (uint32_t)(process.capabilities_permitted >> 32 * i),
			.inheritable = (uint32_t)(process.capabilities_inheritable >> 32 * i),
		};
	return args->a[1] ? copy_out(arg_user(args, 1), data, (size_t)words * sizeof(data[0])) : 0;
}

long sys_capset(const struct syscall_args *args)
{
	struct linux_cap_header header;
	struct linux_cap_data data[2];
	memset(data, 0, sizeof(data));
	int words = capability_words(arg_user(args, 0), &header);
	if (words < 0)
		return words;
	if (!names_us(header.pid))
		return -EPERM;
	if (copy_in(data, arg_user(args, 1), (size_t)words * sizeof(data[0])) < 0)
		return -EFAULT;
	return credentials_set_capabilities(
		(data[0].effective | (uint64_t)data[1].effective << 32) & CAP_ALL,
		(data[0].permitted | (uint64_t)data[1].permitted << 32) & CAP_ALL,
		(data[0].inheritable | (uint64_t)data[1].inheritable << 32) & CAP_ALL);
}
