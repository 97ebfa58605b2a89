/*
 * Data through sockets: send(2), recv(2) and the message calls, with their control data.  SCM_RIGHTS is turned here from
 * descriptors into files and back, because kernel/net knows files only.
 */
#include "abi/linux/errno.h"
#include "abi/linux/socket.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/message.h"
#include "kernel/syscall/socket_args.h"

#define CONTROL_MAX 20480u /* net.core.optmem_max */
#define MMSG_MAX 1024u

/* --- plain data --- */

long sys_sendto(const struct syscall_args *args)
{
	struct file *f;
	struct socket_address to;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	const struct io_piece piece = {arg_user(args, 1), min(args->a[2], TRANSFER_MAX)};
	struct io_buffer data;
	io_buffer_user(&data, &piece, 1);
	struct socket_message m = {
		.data = &data, .flags = arg_int(args, 3), .deadline_ns = NO_DEADLINE};
	if (args->a[4]) {
		err = arg_int(args, 5) < 0
			      ? -EINVAL
			      : user_address(arg_user(args, 4), arg_uint(args, 5), &to);
		m.address = &to;
	}
	long n = err < 0 ? err : socket_send(f, &m);
	file_put(f);
	return n;
}

long sys_recvfrom(const struct syscall_args *args)
{
	struct file *f;
	struct socket_address from = {.len = 0};
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	const struct io_piece piece = {arg_user(args, 1), min(args->a[2], TRANSFER_MAX)};
	struct io_buffer data;
	io_buffer_user(&data, &piece, 1);
	struct socket_message m = {
		.data = &data,
		.address = args->a[4] ? &from : NULL,
		.flags = arg_int(args, 3),
		.deadline_ns = NO_DEADLINE,
	};
	long n = socket_receive(f, &m);
	file_put(f);
	if (n >= 0 && args->a[4]) {
		err = user_put_address(&from, arg_user(args, 4), arg_user(args, 5));
		if (err < 0)
			return err;
	}
	return n;
}

/* --- a message with all its parts --- */

struct transfer {
	struct linux_msghdr header;
	const struct message_copy
		*copy; /* header, pieces and address were fetched before; or NULL */
	struct user_pieces pieces;
	struct io_buffer data;
	struct socket_address address;
	struct socket_message message;
	uint8_t *control; /* heap, or NULL */
	struct file **files;
};

static void drop_files(struct transfer *t)
{
	for (unsigned i = 0; i < t->message.n_files; i++)
		file_put(t->files[i]);
	t->message.n_files = 0;
}

static void transfer_put(struct transfer *t)
{
	heap_free(t->control);
	heap_free(t->files);
	if (!t->copy)
		user_pieces_put(&t->pieces);
}

static int transfer_get(
	struct transfer *t, user_addr message_at, const struct message_copy *copy, int flags)
{
	t->control = NULL;
	t->files = NULL;
	t->copy = copy;
	t->message = (struct socket_message){
		.data = &t->data, .flags = flags, .deadline_ns = NO_DEADLINE};
	if (copy) {
		t->header = copy->header;
		io_buffer_user(&t->data, copy->pieces, copy->n_pieces);
		return 0;
	}
	int err = copy_in(&t->header, message_at, sizeof(t->header));
	if (err < 0)
		return err;
	if (t->header.msg_iovlen > PIECES_MAX)
		return -EMSGSIZE;
	err = user_pieces_get(&t->pieces, user_at(t->header.msg_iov), t->header.msg_iovlen);
	if (err == 0)
		io_buffer_user(&t->data, t->pieces.pieces, t->pieces.n);
	return err;
}

/* --- control data on the way out --- */

/* Descriptors of one SCM_RIGHTS into files. */
static int add_rights(struct transfer *t, const uint8_t *data, size_t len)
{
	unsigned n = (unsigned)(len / sizeof(int));
	struct socket_message *m = &t->message;
	if (n > SOCKET_FILES_MAX - m->n_files)
		return -EINVAL;
	if (!t->files) {
		t->files = m->files = heap_array(SOCKET_FILES_MAX, sizeof(struct file *));
		if (!t->files)
			return -ENOMEM;
		m->files_size = SOCKET_FILES_MAX;
	}
	for (unsigned i = 0; i < n; i++) {
		int fd;
		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		int err = fd_get(fd, &t->files[m->n_files]);
		if (err < 0)
			return err;
		m->n_files++;
	}
	return 0;
}

/* Take SCM_RIGHTS out of the control data, and close the gap. */
static int extract_rights(struct transfer *t)
{
	struct socket_message *m = &t->message;
	size_t at = 0, kept = 0;
	while (m->control_len - at >= sizeof(struct linux_cmsghdr)) {
		struct linux_cmsghdr c;
		memcpy(&c, m->control + at, sizeof(c));
		if (c.cmsg_len < sizeof(c) || c.cmsg_len > m->control_len - at)
			return -EINVAL;
		size_t space = min(CMSG_ALIGNED(c.cmsg_len), m->control_len - at);
		if (c.cmsg_level == SOL_SOCKET && c.cmsg_type == SCM_RIGHTS) {
			int err =
				add_rights(t, m->control + at + sizeof(c), c.cmsg_len - sizeof(c));
			if (err < 0)
				return err;
		} else {
			memmove(m->control + kept, m->control + at, space);
			kept += space;
		}
		at += space;
	}
	m->control_len = kept;
	return 0;
}

static int get_control(struct transfer *t)
{
	size_t len = t->header.msg_controllen;
	if (len == 0 || !t->header.msg_control)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	t->control = heap_alloc(len);
	if (!t->control)
		return -ENOMEM;
	t->message.control = t->control;
	t->message.control_size = t->message.control_len = len;
	int err = copy_in(t->control, user_at(t->header.msg_control), len);
	return err < 0 ? err : extract_rights(t);
}

static int get_message_address(struct transfer *t)
{
	if (!t->header.msg_name || t->header.msg_namelen == 0)
		return 0;
	t->message.address = &t->address;
	if (t->copy) {
		t->address = t->copy->address;
		return 0;
	}
	if ((int)t->header.msg_namelen < 0)
		return -EINVAL;
	return user_address(
		user_at(t->header.msg_name), min(t->header.msg_namelen, SOCKADDR_MAX), &t->address);
}

static long send_message(
	struct file *f, user_addr message_at, const struct message_copy *copy, int flags)
{
	struct transfer t;
	long n = transfer_get(&t, message_at, copy, flags);
	if (n < 0)
		return n;
	n = get_message_address(&t);
	if (n == 0)
		n = get_control(&t);
	if (n == 0)
		n = socket_send(f, &t.message);
	if (n < 0)
		drop_files(&t);
	transfer_put(&t);
	return n;
}

long sys_sendmsg(const struct syscall_args *args)
{
	struct file *f;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long n = send_message(f, arg_user(args, 1), NULL, arg_int(args, 2));
	file_put(f);
	return n;
}

/* --- control data on the way in --- */

/* Room for what may come. */
static int prepare_control(struct transfer *t)
{
	size_t room = min(t->header.msg_controllen, (uint64_t)CONTROL_MAX);
	if (room < sizeof(struct linux_cmsghdr) || !t->header.msg_control)
		return 0;
	t->control = heap_zalloc(room);
	if (!t->control)
		return -ENOMEM;
	t->message.control = t->control;
	t->message.control_size = room;
	unsigned n_files = (unsigned)min(
		(room - sizeof(struct linux_cmsghdr)) / sizeof(int), (size_t)SOCKET_FILES_MAX);
	if (n_files > 0) {
		t->files = heap_array(n_files, sizeof(struct file *));
		if (!t->files)
			return -ENOMEM;
	}
	t->message.files = t->files;
	t->message.files_size = n_files;
	return 0;
}

/* Received files become descriptors in an SCM_RIGHTS behind the other control data; what has no room is closed. */
static void append_rights(struct transfer *t)
{
	struct socket_message *m = &t->message;
	if (m->n_files == 0)
		return;
	size_t at = CMSG_ALIGNED(m->control_len);
	size_t room = at + sizeof(struct linux_cmsghdr) <= m->control_size
			      ? (m->control_size - at - sizeof(struct linux_cmsghdr)) / sizeof(int)
			      : 0;
	unsigned installed = 0, flags = m->flags & (int)MSG_CMSG_CLOEXEC ? FD_CLOEXEC_FLAG : 0;
	for (unsigned i = 0; i < m->n_files; i++) {
		int fd = installed < room && installed == i ? fd_install(t->files[i], 0, flags)
							    : -EMFILE;
		if (fd < 0) {
			file_put(t->files[i]);
			m->out_flags |= MSG_CTRUNC;
			continue;
		}
		memcpy(m->control + at + sizeof(struct linux_cmsghdr) + installed * sizeof(fd), &fd,
			sizeof(fd));
		installed++;
	}
	m->n_files = 0;
	if (installed == 0)
		return;
	const struct linux_cmsghdr c = {
		CMSG_DATA_LEN(installed * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(m->control + at, &c, sizeof(c));
	m->control_len = min(at + CMSG_SPACE_LEN(installed * sizeof(int)), m->control_size);
}

static int put_message(struct transfer *t, user_addr message_at)
{
	struct socket_message *m = &t->message;
	append_rights(t);
	if (m->address && copy_out(user_at(t->header.msg_name), t->address.bytes,
				  min(t->address.len, t->header.msg_namelen)) < 0)
		return -EFAULT;
	if (m->control_len &&
		copy_out(user_at(t->header.msg_control), m->control, m->control_len) < 0)
		return -EFAULT;
	if (m->address)
		t->header.msg_namelen = t->address.len;
	t->header.msg_controllen = m->control_len;
	t->header.msg_flags = (uint32_t)(m->out_flags | (m->flags & (int)MSG_CMSG_CLOEXEC));
	return copy_out(message_at, &t->header, sizeof(t->header));
}

static long receive_message(
	struct file *f, user_addr message_at, const struct message_copy *copy, int flags)
{
	struct transfer t;
	long n = transfer_get(&t, message_at, copy, flags);
	if (n < 0)
		return n;
	t.address.len = 0;
	if (t.header.msg_name)
		t.message.address = &t.address;
	n = prepare_control(&t);
	if (n == 0)
		n = socket_receive(f, &t.message);
	if (n >= 0 && put_message(&t, message_at) < 0)
		n = -EFAULT;
	drop_files(&t);
	transfer_put(&t);
	return n;
}

long sys_recvmsg(const struct syscall_args *args)
{
	struct file *f;
	int err = socket_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long n = receive_message(f, arg_user(args, 1), NULL, arg_int(args, 2));
	file_put(f);
	return n;
}

/* --- messages whose description was fetched before they move (io_uring) --- */

int message_fetch(user_addr message_at, bool sending, struct message_copy **out)
{
	struct linux_msghdr h;
	if (copy_in(&h, message_at, sizeof(h)) < 0)
		return -EFAULT;
	if (h.msg_iovlen > PIECES_MAX)
		return -EMSGSIZE;
	struct message_copy *m = heap_zalloc(sizeof(*m) + h.msg_iovlen * sizeof(m->pieces[0]));
	if (!m)
		return -ENOMEM;
	m->header = h;
	m->n_pieces = (unsigned)h.msg_iovlen;
	struct user_pieces p;
	int err = user_pieces_get(&p, user_at(h.msg_iov), h.msg_iovlen);
	if (err == 0) {
		memcpy(m->pieces, p.pieces, m->n_pieces * sizeof(m->pieces[0]));
		m->bytes = p.bytes;
		user_pieces_put(&p);
	}
	if (err == 0 && (int)h.msg_namelen < 0)
		err = -EINVAL;
	if (err == 0 && sending && h.msg_name && h.msg_namelen)
		err = user_address(
			user_at(h.msg_name), min(h.msg_namelen, SOCKADDR_MAX), &m->address);
	if (err < 0)
		heap_free(m);
	else
		*out = m;
	return err;
}

long message_send(struct file *f, const struct message_copy *m, int flags)
{
	return send_message(f, user_at(0), m, flags);
}

long message_receive(struct file *f, const struct message_copy *m, user_addr message_at, int flags)
{
	return receive_message(f, message_at, m, flags);
}

/* --- many messages --- */

static int put_length(user_addr message_at, long n)
{
	uint32_t len = (uint32_t)n;
	return copy_out(user_offset(message_at, offsetof(struct linux_mmsghdr, msg_len)), &len,
		sizeof(len));
}

long sys_sendmmsg(const struct syscall_args *args)
{
	struct file *f;
	unsigned n = min(arg_uint(args, 2), MMSG_MAX), done = 0;
	long result = socket_get(arg_int(args, 0), &f);
	if (result < 0)
		return result;
	while (done < n) {
		user_addr at = user_offset(arg_user(args, 1), done * sizeof(struct linux_mmsghdr));
		result = send_message(f, at, NULL, arg_int(args, 3));
		if (result >= 0)
			result = put_length(at, result);
		if (result < 0)
			break;
		done++;
	}
	file_put(f);
	return done ? (long)done : result;
}

long sys_recvmmsg(const struct syscall_args *args)
{
	struct file *f;
	unsigned n = min(arg_uint(args, 2), MMSG_MAX), done = 0;
	int flags = arg_int(args, 3);
	uint64_t deadline_ns = NO_DEADLINE, span_ns;
	if (args->a[4]) {
		int err = user_timespec(arg_user(args, 4), &span_ns);
		if (err < 0)
			return err;
		deadline_ns = clock_monotonic_ns() + span_ns;
	}
	long result = socket_get(arg_int(args, 0), &f);
	if (result < 0)
		return result;
	while (done < n) {
		user_addr at = user_offset(arg_user(args, 1), done * sizeof(struct linux_mmsghdr));
		/* As Linux: the timeout is only looked at between messages. */
		result = receive_message(f, at, NULL, flags & ~MSG_WAITFORONE);
		if (result >= 0)
			result = put_length(at, result);
		if (result < 0)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (clock_monotonic_ns() >= deadline_ns)
			break;
	}
	file_put(f);
	return done ? (long)done : result;
}
