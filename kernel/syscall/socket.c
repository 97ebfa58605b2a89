/* Socket calls but for messages (message.c): addresses and options across the border, the rest is kernel/net's. */
#include "kernel/net/socket.h"

#include "abi/linux/errno.h"
#include "abi/linux/socket.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/socket_args.h"

#define OPTION_MAX 4096u

/* --- arguments --- */

int socket_get(int fd, struct file **out)
{
	int err = fd_get(fd, out);
	if (err < 0)
		return err;
	if (!file_is_socket(*out)) {
		file_put(*out);
		return -ENOTSOCK;
	}
	return 0;
}

int user_address(user_addr from, unsigned long len, struct socket_address *out)
{
	memset(out, 0, sizeof(*out));
	if (len > SOCKADDR_MAX)
		return -EINVAL;
	out->len = (uint32_t)len;
	return copy_in(out->bytes, from, len);
}

int user_put_address(const struct socket_address *a, user_addr to, user_addr len_at)
{
	int room;
	if (!to.va)
		return 0;
	if (copy_in(&room, len_at, sizeof(room)) < 0)
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	/* Cut to the room there is, but told in full. */
	if (copy_out(to, a->bytes, min((uint32_t)room, a->len)) < 0)
		return -EFAULT;
	return copy_out(len_at, &a->len, sizeof(a->len));
}

static unsigned file_flags_of(unsigned socket_flags)
{
	return socket_flags & SOCK_NONBLOCK ? O_NONBLOCK : 0;
}

/* --- making them --- */

long sys_socket(const struct syscall_args *args)
{
	unsigned type = arg_uint(args, 1), flags = type & ~SOCK_TYPE_MASK;
	struct file *f;
	if (flags & ~(unsigned)(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	int err = socket_create(arg_int(args, 0), (int)(type & SOCK_TYPE_MASK), arg_int(args, 2),
		file_flags_of(flags), &f);
	return err < 0 ? err : install(f, flags);
}

long sys_socketpair(const struct syscall_args *args)
{
	unsigned type = arg_uint(args, 1), flags = type & ~SOCK_TYPE_MASK;
	struct file *f[2];
	if (flags & ~(unsigned)(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	int err = socket_pair(arg_int(args, 0), (int)(type & SOCK_TYPE_MASK), arg_int(args, 2),
		file_flags_of(flags), f);
	return err < 0 ? err : install_pair(f[0], f[1], flags, arg_user(args, 3));
}

static long accept_on(const struct syscall_args *args, unsigned flags)
{
	struct file *listener, *f;
	struct socket_address peer = {.len = 0};
	if (flags & ~(unsigned)(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	int err = socket_get(arg_int(args, 0), &listener);
	if (err < 0)
		return err;
	err = socket_accept(listener, file_flags_of(flags), &f, &peer);
	file_put(listener);
	if (err < 0)
		return err;
	err = user_put_address(&peer, arg_user(args, 1), arg_user(args, 2));
	if (err < 0) {
		file_put(f);
		return err;
	}
	return install(f, flags);
}

long sys_accept(const struct syscall_args *args)
{
	return accept_on(args, 0);
}

long sys_accept4(const struct syscall_args *args)
{
	return accept_on(args, arg_uint(args, 3));
}

/* --- addresses --- */

static long with_address(const struct syscall_args *args,
	int (*operation)(struct file *, const struct socket_address *))
{
	struct socket_address a;
	struct file *f;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = arg_int(args, 2) < 0 ? -EINVAL
				   : user_address(arg_user(args, 1), arg_uint(args, 2), &a);
	if (err == 0)
		err = operation(f, &a);
	file_put(f);
	return err;
}

long sys_bind(const struct syscall_args *args)
{
	return with_address(args, socket_bind);
}

long sys_connect(const struct syscall_args *args)
{
	return with_address(args, socket_connect);
}

static long tell_address(
	const struct syscall_args *args, int (*operation)(struct file *, struct socket_address *))
{
	struct socket_address a = {.len = 0};
	struct file *f;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = operation(f, &a);
	file_put(f);
	if (err < 0)
		return err;
	return args->a[1] ? user_put_address(&a, arg_user(args, 1), arg_user(args, 2)) : -EFAULT;
}

long sys_getsockname(const struct syscall_args *args)
{
	return tell_address(args, socket_name);
}

long sys_getpeername(const struct syscall_args *args)
{
	return tell_address(args, socket_peer);
}

long sys_listen(const struct syscall_args *args)
{
	struct file *f;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	/* Negative counts as huge; somaxconn bounds it. */
	err = socket_listen(f, (int)min(arg_uint(args, 1), (unsigned)SOMAXCONN));
	file_put(f);
	return err;
}

long sys_shutdown(const struct syscall_args *args)
{
	struct file *f;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = arg_uint(args, 1) > SHUT_RDWR ? -EINVAL : socket_shutdown(f, arg_int(args, 1));
	file_put(f);
	return err;
}

/* --- options --- */

static long set_option(struct file *f, const struct syscall_args *args, size_t n)
{
	uint8_t small[64] aligned_to(8), *value = small;
	if (n > sizeof(small)) {
		value = heap_alloc(n);
		if (!value)
			return -ENOMEM;
	}
	int err = copy_in(value, arg_user(args, 3), n);
	if (err == 0)
		err = socket_set_option(f, arg_int(args, 1), arg_int(args, 2), value, n);
	if (value != small)
		heap_free(value);
	return err;
}

long sys_setsockopt(const struct syscall_args *args)
{
	struct file *f;
	int n = arg_int(args, 4);
	if (n < 0)
		return -EINVAL;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long result = (unsigned)n > OPTION_MAX ? -EINVAL : set_option(f, args, (size_t)n);
	file_put(f);
	return result;
}

static long get_option(struct file *f, const struct syscall_args *args, size_t room)
{
	uint8_t small[256] aligned_to(8), *value = small;
	room = min(room, (size_t)OPTION_MAX);
	if (room > sizeof(small)) {
		value = heap_alloc(room);
		if (!value)
			return -ENOMEM;
	}
	int n = socket_get_option(f, arg_int(args, 1), arg_int(args, 2), value, room);
	long result = n;
	if (n >= 0) {
		n = (int)min((size_t)n, room);
		result = copy_out(arg_user(args, 3), value, (size_t)n);
		if (result == 0)
			result = copy_out(arg_user(args, 4), &n, sizeof(n));
	}
	if (value != small)
		heap_free(value);
	return result;
}

long sys_getsockopt(const struct syscall_args *args)
{
	struct file *f;
	int room;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long result = copy_in(&room, arg_user(args, 4), sizeof(room));
	if (result == 0)
		result = room < 0 ? -EINVAL : get_option(f, args, (size_t)room);
	file_put(f);
	return result;
}
