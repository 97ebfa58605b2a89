/*
 * Messages: send(2), recv(2) and kin down to recvmmsg(2).
 *
 * Control data: SCM_RIGHTS is turned into files here, on the way down, and back into descriptors on the way up; the rest
 * passes as it is.
 */
#include "abi/linux/socket.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/socket_user.h"

#define CONTROL_MAX 20480u /* as net.core.optmem_max */

long sys_sendto(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	struct socket_address to = {0};
	long result = 0;
	if (args->a[4])
		result = user_address_get(&to, arg_user(args, 4), arg_int(args, 5));
	if (!result) {
		const struct io_piece piece = {arg_user(args, 1), min(args->a[2], TRANSFER_MAX)};
		struct io_buffer data;
		io_buffer_user(&data, &piece, 1);
		struct socket_message m = {.data = &data,
			.address = args->a[4] ? &to : NULL,
			.flags = arg_int(args, 3),
			.deadline_ns = NO_DEADLINE};
		result = socket_send(f, &m);
	}
	file_put(f);
	return result;
}

long sys_recvfrom(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	struct socket_address from = {0};
	const struct io_piece piece = {arg_user(args, 1), min(args->a[2], TRANSFER_MAX)};
	struct io_buffer data;
	io_buffer_user(&data, &piece, 1);
	struct socket_message m = {.data = &data,
		.address = args->a[4] ? &from : NULL,
		.flags = arg_int(args, 3),
		.deadline_ns = NO_DEADLINE};
	long result = socket_receive(f, &m);
	file_put(f);
	if (result >= 0 && args->a[4] && args->a[5]) {
		err = user_address_put(&from, arg_user(args, 4), arg_user(args, 5));
		if (err < 0)
			return err;
	}
	return result;
}

/* --- sendmsg --- */

/* Files behind the descriptors of one SCM_RIGHTS message, added to m->files. */
static int take_rights(struct socket_message *m, const uint8_t *data, size_t n_bytes)
{
	unsigned n = (unsigned)(n_bytes / sizeof(int32_t));
	if (n_bytes % sizeof(int32_t) || n > SOCKET_FILES_MAX - m->n_files)
		return -EINVAL;
	if (!m->files)
		m->files = heap_array(SOCKET_FILES_MAX, sizeof(struct file *));
	if (!m->files)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		int32_t fd;
		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		int err = fd_get(fd, &m->files[m->n_files]);
		if (err < 0)
			return err;
		m->n_files++;
	}
	return 0;
}

/* Walk the program's control messages; SCM_RIGHTS leave, the others move up in their order. */
static int parse_control(struct socket_message *m, size_t size)
{
	size_t at = 0;
	while (size - at >= sizeof(struct linux_cmsghdr)) {
		struct linux_cmsghdr h;
		memcpy(&h, m->control + at, sizeof(h));
		if (h.cmsg_len < sizeof(h) || h.cmsg_len > size - at)
			return -EINVAL;
		size_t whole = min(CMSG_ALIGNED(h.cmsg_len), size - at);
		if (h.cmsg_level == SOL_SOCKET && h.cmsg_type == SCM_RIGHTS) {
			int err =
				take_rights(m, m->control + at + sizeof(h), h.cmsg_len - sizeof(h));
			if (err < 0)
				return err;
		} else {
			memmove(m->control + m->control_len, m->control + at, whole);
			m->control_len += whole;
		}
		at += whole;
	}
	return 0;
}

static int get_control(struct socket_message *m, const struct linux_msghdr *h)
{
	if (!h->msg_controllen)
		return 0;
	if (h->msg_controllen > CONTROL_MAX)
		return -ENOBUFS;
	m->control = heap_alloc(h->msg_controllen);
	if (!m->control)
		return -ENOMEM;
	m->control_size = h->msg_controllen;
	int err = copy_in(m->control, user_at(h->msg_control), h->msg_controllen);
	return err < 0 ? err : parse_control(m, h->msg_controllen);
}

static void drop_control(struct socket_message *m)
{
	for (unsigned i = 0; i < m->n_files; i++)
		file_put(m->files[i]);
	heap_free(m->files);
	heap_free(m->control);
}

static long send_message(struct file *f, const struct linux_msghdr *h, int flags)
{
	struct socket_address to = {0};
	struct socket_message m = {.flags = flags, .deadline_ns = NO_DEADLINE};
	struct user_pieces pieces;
	if (h->msg_iovlen > PIECES_MAX)
		return -EMSGSIZE;
	long result = user_pieces_get(&pieces, user_at(h->msg_iov), h->msg_iovlen);
	if (result < 0)
		return result;
	if (h->msg_name && h->msg_namelen) {
		result = user_address_get(&to, user_at(h->msg_name), (int)h->msg_namelen);
		m.address = &to;
	}
	if (!result)
		result = get_control(&m, h);
	if (!result) {
		struct io_buffer data;
		io_buffer_user(&data, pieces.pieces, pieces.n);
		m.data = &data;
		result = socket_send(f, &m);
		if (result >= 0)
			m.n_files = 0; /* the socket has them now */
	}
	drop_control(&m);
	user_pieces_put(&pieces);
	return result;
}

long sys_sendmsg(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	struct linux_msghdr h;
	long result = copy_in(&h, arg_user(args, 1), sizeof(h));
	if (!result)
		result = send_message(f, &h, arg_int(args, 2));
	file_put(f);
	return result;
}

long sys_sendmmsg(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	unsigned n = min(arg_uint(args, 2), PIECES_MAX), done = 0;
	long result = 0;
	for (; done < n; done++) {
		user_addr at = user_offset(arg_user(args, 1), done * sizeof(struct linux_mmsghdr));
		struct linux_msghdr h;
		result = copy_in(&h, at, sizeof(h));
		if (!result)
			result = send_message(f, &h, arg_int(args, 3));
		if (result < 0)
			break;
		uint32_t sent = (uint32_t)result;
		result = copy_out(user_offset(at, offsetof(struct linux_mmsghdr, msg_len)), &sent,
			sizeof(sent));
		if (result < 0)
			break;
	}
	file_put(f);
	return done ? (long)done : result;
}

/* --- recvmsg --- */

/* Descriptors for the files received, as far as the program's room and table go; as one SCM_RIGHTS message at `to`.
 * Bytes used; sets MSG_CTRUNC when not all went in. */
static long put_rights(struct socket_message *m, user_addr to, size_t room)
{
	unsigned fits =
		room <= sizeof(struct linux_cmsghdr)
			? 0
			: (unsigned)min((room - sizeof(struct linux_cmsghdr)) / sizeof(int32_t),
				  (size_t)m->n_files);
	unsigned n = 0;
	for (; n < fits; n++) {
		int32_t fd = fd_install(
			m->files[n], 0, m->flags & MSG_CMSG_CLOEXEC ? FD_CLOEXEC_FLAG : 0);
		if (fd < 0)
			break;
		m->files[n] = NULL;
		if (copy_out(user_offset(to, sizeof(struct linux_cmsghdr) + n * sizeof(fd)), &fd,
			    sizeof(fd)) < 0) {
			(void)!fd_close(fd);
			break;
		}
	}
	if (n < m->n_files)
		m->out_flags |= MSG_CTRUNC;
	if (n == 0)
		return 0;
	const struct linux_cmsghdr h = {CMSG_DATA_LEN(n * sizeof(int32_t)), SOL_SOCKET, SCM_RIGHTS};
	int err = copy_out(to, &h, sizeof(h));
	return err < 0 ? err : (long)min(CMSG_SPACE_LEN(n * sizeof(int32_t)), room);
}

/* Control data to the program; the length it got. */
static long put_control(struct socket_message *m, const struct linux_msghdr *h)
{
	size_t room = h->msg_controllen, used = 0;
	if (m->control_len) {
		used = min(m->control_len, room);
		int err = copy_out(user_at(h->msg_control), m->control, used);
		if (err < 0)
			return err;
	}
	if (!m->n_files)
		return (long)used;
	long rights = put_rights(m, user_at(h->msg_control + used), room - used);
	return rights < 0 ? rights : (long)used + rights;
}

/* What recvmsg(2) changes in the program's struct. */
static int put_header(user_addr at, const struct linux_msghdr *h, const struct socket_message *m,
	long control_len)
{
	uint64_t len = (uint64_t)control_len;
	uint32_t flags = (uint32_t)m->out_flags, name_len = m->address ? m->address->len : 0;
	int err = 0;
	if (m->address) {
		err = copy_out(
			user_at(h->msg_name), m->address->bytes, min(name_len, h->msg_namelen));
		if (!err)
			err = copy_out(user_offset(at, offsetof(struct linux_msghdr, msg_namelen)),
				&name_len, sizeof(name_len));
	}
	if (!err)
		err = copy_out(user_offset(at, offsetof(struct linux_msghdr, msg_controllen)), &len,
			sizeof(len));
	if (!err)
		err = copy_out(user_offset(at, offsetof(struct linux_msghdr, msg_flags)), &flags,
			sizeof(flags));
	return err;
}

static long receive_into(
	struct file *f, user_addr at, const struct linux_msghdr *h, struct socket_message *m)
{
	struct user_pieces pieces;
	long result = user_pieces_get(&pieces, user_at(h->msg_iov), h->msg_iovlen);
	if (result < 0)
		return result;
	struct io_buffer data;
	io_buffer_user(&data, pieces.pieces, pieces.n);
	m->data = &data;
	result = socket_receive(f, m);
	user_pieces_put(&pieces);
	if (result < 0)
		return result;
	if (m->flags & MSG_CMSG_CLOEXEC)
		m->out_flags |= MSG_CMSG_CLOEXEC;
	long control_len = put_control(m, h);
	int err = control_len < 0 ? (int)control_len : put_header(at, h, m, control_len);
	return err < 0 ? err : result;
}

static long receive_message(struct file *f, user_addr at, int flags, uint64_t deadline_ns)
{
	struct linux_msghdr h;
	int err = copy_in(&h, at, sizeof(h));
	if (err < 0)
		return err;
	if (h.msg_iovlen > PIECES_MAX)
		return -EMSGSIZE;
	if (h.msg_name && (int32_t)h.msg_namelen < 0)
		return -EINVAL;
	struct file *files[16] = {NULL};
	struct socket_address from = {0};
	struct socket_message m = {.address = h.msg_name ? &from : NULL,
		.files = files,
		.files_size = array_size(files),
		.flags = flags,
		.deadline_ns = deadline_ns};
	m.control_size = min(h.msg_controllen, (uint64_t)CONTROL_MAX);
	if (m.control_size) {
		m.control = heap_alloc(m.control_size);
		if (m.control_size > CMSG_DATA_LEN(array_size(files) * sizeof(int32_t))) {
			m.files = heap_array(SOCKET_FILES_MAX, sizeof(struct file *));
			m.files_size = SOCKET_FILES_MAX;
		}
	}
	long result =
		(m.control_size && !m.control) || !m.files ? -ENOMEM : receive_into(f, at, &h, &m);
	for (unsigned i = 0; m.files && i < m.n_files; i++)
		if (m.files[i])
			file_put(m.files[i]);
	if (m.files != files)
		heap_free(m.files);
	heap_free(m.control);
	return result;
}

long sys_recvmsg(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long result = receive_message(f, arg_user(args, 1), arg_int(args, 2), NO_DEADLINE);
	file_put(f);
	return result;
}

/* As many as there are, the first one waited for; the time is looked at between messages, as Linux does. */
static long receive_messages(
	struct file *f, user_addr messages, unsigned n, int flags, uint64_t deadline_ns)
{
	for (unsigned done = 0; done < n; done++) {
		user_addr at = user_offset(messages, done * sizeof(struct linux_mmsghdr));
		long result = receive_message(f, at, flags & ~MSG_WAITFORONE, deadline_ns);
		if (result < 0)
			return done ? (long)done : result;
		uint32_t len = (uint32_t)result;
		int err = copy_out(user_offset(at, offsetof(struct linux_mmsghdr, msg_len)), &len,
			sizeof(len));
		if (err < 0)
			return done ? (long)done : err;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline_ns != NO_DEADLINE && clock_monotonic_ns() >= deadline_ns)
			return (long)done + 1;
	}
	return (long)n;
}

long sys_recvmmsg(const struct syscall_args *args)
{
	uint64_t deadline_ns = NO_DEADLINE, span_ns = 0;
	struct file *f;
	if (args->a[4]) {
		int err = user_timespec(arg_user(args, 4), &span_ns);
		if (err < 0)
			return err;
		deadline_ns = deadline_begin(span_ns);
	}
	int err = fd_get_socket(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long result = receive_messages(f, arg_user(args, 1), min(arg_uint(args, 2), PIECES_MAX),
		arg_int(args, 3), deadline_ns);
	file_put(f);
	return args->a[4] ? deadline_end(result) : result;
}
