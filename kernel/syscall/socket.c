/* Sockets: making, naming and joining them, and their options.  Messages are message.c's. */
#include "abi/linux/socket.h"
#include "kernel/file/fd_table.h"
#include "kernel/syscall/socket_user.h"

#define OPTION_MAX 1024u

int fd_get_socket(int fd, struct file **out)
{
	int err = fd_get(fd, out);
	if (err < 0)
		return err;
	if (file_is_socket(*out))
		return 0;
	file_put(*out);
	return -ENOTSOCK;
}

int user_address_get(struct socket_address *a, user_addr from, int len)
{
	if (len < 0 || (unsigned)len > SOCKADDR_MAX)
		return -EINVAL;
	a->len = (uint32_t)len;
	return copy_in(a->bytes, from, a->len);
}

int user_address_put(const struct socket_address *a, user_addr to, user_addr len_at)
{
	int32_t room = 0, len = (int32_t)a->len;
	int err = copy_in(&room, len_at, sizeof(room));
	if (err < 0)
		return err;
	if (room < 0)
		return -EINVAL;
	err = copy_out(to, a->bytes, min((size_t)room, (size_t)a->len));
	return err < 0 ? err : copy_out(len_at, &len, sizeof(len));
}

/* The type argument of socket(2) carries two flags of the descriptor. */
static int split_type(int argument, int *type)
{
	*type = argument & SOCK_TYPE_MASK;
	return argument & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC) ? -EINVAL : 0;
}

long sys_socket(const struct syscall_args *args)
{
	int argument = arg_int(args, 1), type = 0;
	struct file *f;
	int err = split_type(argument, &type);
	if (!err)
		err = socket_create(arg_int(args, 0), type, arg_int(args, 2),
			O_RDWR | (argument & SOCK_NONBLOCK), &f);
	return err < 0 ? err : install(f, argument & SOCK_CLOEXEC);
}

long sys_socketpair(const struct syscall_args *args)
{
	int argument = arg_int(args, 1), type = 0;
	struct file *f[2];
	int err = split_type(argument, &type);
	if (!err)
		err = socket_pair(arg_int(args, 0), type, arg_int(args, 2),
			O_RDWR | (argument & SOCK_NONBLOCK), f);
	return err < 0 ? err : install_pair(f[0], f[1], argument & SOCK_CLOEXEC, arg_user(args, 3));
}

/* bind(2) and connect(2): a socket and an address. */
static long with_address(
	const struct syscall_args *args, int (*act)(struct file *f, const struct socket_address *a))
{
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	struct socket_address a;
	err = user_address_get(&a, arg_user(args, 1), arg_int(args, 2));
	if (!err)
		err = act(f, &a);
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

/* getsockname(2) and getpeername(2). */
static long tell_address(
	const struct syscall_args *args, int (*ask)(struct file *f, struct socket_address *out))
{
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	struct socket_address a = {0};
	err = ask(f, &a);
	file_put(f);
	return err < 0 ? err : user_address_put(&a, arg_user(args, 1), arg_user(args, 2));
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
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = socket_listen(f, arg_int(args, 1));
	file_put(f);
	return err;
}

long sys_shutdown(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	err = socket_shutdown(f, arg_int(args, 1));
	file_put(f);
	return err;
}

static long do_accept(const struct syscall_args *args, int flags)
{
	struct file *f, *connection;
	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	struct socket_address peer = {0};
	err = socket_accept(f, O_RDWR | (uint32_t)(flags & SOCK_NONBLOCK), &connection, &peer);
	file_put(f);
	if (err < 0)
		return err;
	if (args->a[1]) {
		err = user_address_put(&peer, arg_user(args, 1), arg_user(args, 2));
		if (err < 0) {
			file_put(connection);
			return err;
		}
	}
	return install(connection, flags & SOCK_CLOEXEC);
}

long sys_accept(const struct syscall_args *args)
{
	return do_accept(args, 0);
}

long sys_accept4(const struct syscall_args *args)
{
	return do_accept(args, arg_int(args, 3));
}

long sys_setsockopt(const struct syscall_args *args)
{
	int len = arg_int(args, 4);
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	uint8_t value[OPTION_MAX] aligned_to(8);
	if (len < 0 || (unsigned)len > sizeof(value))
		err = -EINVAL;
	if (!err)
		err = copy_in(value, arg_user(args, 3), (size_t)len);
	if (!err)
		err = socket_set_option(f, arg_int(args, 1), arg_int(args, 2), value, (size_t)len);
	file_put(f);
	return err;
}

long sys_getsockopt(const struct syscall_args *args)
{
	int32_t len = 0;
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	uint8_t value[OPTION_MAX] aligned_to(8);
	err = copy_in(&len, arg_user(args, 4), sizeof(len));
	if (!err && len < 0)
		err = -EINVAL;
	if (!err)
		err = socket_get_option(f, arg_int(args, 1), arg_int(args, 2), value,
			min((size_t)len, sizeof(value)));
	file_put(f);
	if (err < 0)
		return err;
	len = min(len, err);
	err = copy_out(arg_user(args, 3), value, (size_t)len);
	return err < 0 ? err : copy_out(arg_user(args, 4), &len, sizeof(len));
}
