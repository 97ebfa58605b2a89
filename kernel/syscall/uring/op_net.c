/* Sockets: messages, plain data, connections; with several completions per request where asked for (multishot). */
#include "abi/linux/fcntl.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/message.h"
#include "kernel/syscall/socket_args.h"
#include "kernel/syscall/uring/uring.h"

static int need_socket(const struct request *r)
{
	return file_is_socket(r->file) ? 0 : -ENOTSOCK;
}

static int message_flags(const struct request *r)
{
	return (int)r->sqe.op_flags | MSG_NOSIGNAL;
}

/* --- plain data --- */

int send_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	unsigned known = IORING_RECVSEND_POLL_FIRST;
	if (s->opcode == IORING_OP_RECV)
		known |= IORING_RECV_MULTISHOT;
	if (s->opcode == IORING_OP_SEND_ZC)
		known |= IORING_RECVSEND_FIXED_BUF;
	if (s->ioprio & ~known)
		return -EINVAL;
	r->no_retry = s->op_flags & MSG_DONTWAIT;
	r->multishot = s->opcode == IORING_OP_RECV && (s->ioprio & IORING_RECV_MULTISHOT);
	if (r->multishot &&
		(!(s->flags & IOSQE_BUFFER_SELECT) || s->len || (s->op_flags & MSG_WAITALL)))
		return -EINVAL;
	if ((s->op_flags & MSG_WAITALL) && !r->multishot)
		r->wanted = (long)min((size_t)s->len, TRANSFER_MAX);
	if ((s->ioprio & IORING_RECVSEND_FIXED_BUF) && s->opcode == IORING_OP_SEND_ZC)
		return buffers_check(r->ring, s->buf_index, s->addr, s->len);
	if (s->opcode == IORING_OP_RECV || !s->addr2 || !s->addr_len)
		return 0;
	struct socket_address *to = r->data = heap_alloc(sizeof(*to));
	return to ? user_address(user_at(s->addr2), s->addr_len, to) : -ENOMEM;
}

static long move_plain(struct request *r, bool sending, uint64_t address, size_t len)
{
	const struct io_piece piece = {user_at(address + (uint64_t)r->done), len - (size_t)r->done};
	struct io_buffer data;
	io_buffer_user(&data, &piece, 1);
	struct socket_message m = {
		.data = &data, .flags = message_flags(r), .deadline_ns = NO_DEADLINE};
	if (sending)
		m.address = r->data;
	return sending ? socket_send(r->file, &m) : socket_receive(r->file, &m);
}

/* With MSG_WAITALL a part is not enough: what is done counts when it comes again. */
static long whole(struct request *r, long n, size_t len)
{
	if (n <= 0)
		return r->done && n != -EAGAIN ? r->done : n;
	r->done += n;
	if ((r->sqe.op_flags & MSG_WAITALL) && (size_t)r->done < len)
		return -EAGAIN;
	return r->done;
}

long send_issue(struct request *r)
{
	size_t len = min((size_t)r->sqe.len, TRANSFER_MAX);
	int err = need_socket(r);
	return err < 0 ? err : whole(r, move_plain(r, true, r->sqe.addr, len), len);
}

static long receive_once(struct request *r)
{
	size_t len = min((size_t)r->sqe.len, TRANSFER_MAX);
	if (!(r->sqe.flags & IOSQE_BUFFER_SELECT))
		return whole(r, move_plain(r, false, r->sqe.addr, len), len);
	int err = buffer_choose(r, r->sqe.len);
	return err < 0 ? err
		       : whole(r, move_plain(r, false, r->buffer.address, r->buffer.len),
				 r->buffer.len);
}

/* One completion per piece of data, as long as there are buffers and room for completions. */
long recv_issue(struct request *r)
{
	int err = need_socket(r);
	if (err < 0)
		return err;
	for (;;) {
		long n = receive_once(r);
		if (!r->multishot || n <= 0)
			return n;
		r->done = 0;
		struct buffer_choice used = r->buffer;
		if (!cqe_more(r, n, buffer_consume(r))) {
			r->buffer = used;
			return n;
		}
	}
}

/* --- messages --- */

int message_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	bool sending = s->opcode != IORING_OP_RECVMSG;
	unsigned known = IORING_RECVSEND_POLL_FIRST | (sending ? 0 : IORING_RECV_MULTISHOT);
	if (s->ioprio & ~known || (s->addr2 && s->opcode != IORING_OP_SENDMSG_ZC) || s->file_index)
		return -EINVAL;
	r->no_retry = s->op_flags & MSG_DONTWAIT;
	r->multishot = !sending && (s->ioprio & IORING_RECV_MULTISHOT);
	if (r->multishot && (!(s->flags & IOSQE_BUFFER_SELECT) || (s->op_flags & MSG_WAITALL)))
		return -EINVAL;
	struct message_copy *m = NULL;
	int err = message_fetch(user_at(s->addr), sending, &m);
	r->data = m;
	return err;
}

long sendmsg_issue(struct request *r)
{
	int err = need_socket(r);
	return err < 0 ? err : message_send(r->file, r->data, message_flags(r));
}

/* Into a provided buffer: what describes the message, room for name and control data as asked for, and the data. */
struct laid_out {
	struct linux_recvmsg_out out;
	size_t name, control, data; /* offsets */
};

static int lay_out(const struct message_copy *m, uint32_t len, struct laid_out *l)
{
	size_t name = m->header.msg_namelen, control = m->header.msg_controllen;
	if (name > len || control > len)
		return -EFAULT;
	l->name = sizeof(l->out);
	l->control = l->name + name;
	l->data = l->control + control;
	return l->data <= len ? 0 : -EFAULT;
}

static int put_laid_out(struct request *r, struct laid_out *l, const struct socket_address *from,
	const uint8_t *control)
{
	const struct message_copy *m = r->data;
	user_addr base = user_at(r->buffer.address);
	if (copy_out(user_offset(base, l->name), from->bytes,
		    min(from->len, m->header.msg_namelen)) < 0)
		return -EFAULT;
	if (l->out.controllen &&
		copy_out(user_offset(base, l->control), control, l->out.controllen) < 0)
		return -EFAULT;
	return copy_out(base, &l->out, sizeof(l->out));
}

/* The bytes of the buffer that are used. */
static long receive_laid_out(struct request *r)
{
	const struct message_copy *m = r->data;
	struct laid_out l = {0};
	int err = buffer_choose(r, 0);
	if (err == 0)
		err = lay_out(m, r->buffer.len, &l);
	if (err < 0)
		return err;
	size_t room = min(m->header.msg_controllen, PAGE_SIZE);
	uint8_t *control = room ? heap_zalloc(room) : NULL;
	if (room && !control)
		return -ENOMEM;
	const struct io_piece piece = {user_at(r->buffer.address + l.data), r->buffer.len - l.data};
	struct io_buffer data;
	struct socket_address from = {.len = 0};
	io_buffer_user(&data, &piece, 1);
	struct socket_message message = {.data = &data,
		.address = &from,
		.control = control,
		.control_size = room,
		.flags = message_flags(r),
		.deadline_ns = NO_DEADLINE};
	long n = socket_receive(r->file, &message);
	if (n >= 0) {
		l.out = (struct linux_recvmsg_out){from.len, (uint32_t)message.control_len,
			(uint32_t)n, (uint32_t)message.out_flags};
		err = put_laid_out(r, &l, &from, control);
	}
	heap_free(control);
	/* End of file is 0, not an empty message. */
	return n <= 0 ? n : err < 0 ? err : (long)l.data + n;
}

static long receive_message_once(struct request *r)
{
	if (r->multishot)
		return receive_laid_out(r);
	struct message_copy *m = r->data;
	if (r->sqe.flags & IOSQE_BUFFER_SELECT) {
		if (m->n_pieces > 1)
			return -EINVAL;
		int err = buffer_choose(r, (uint32_t)min(m->bytes, (size_t)UINT32_MAX));
		if (err < 0)
			return err;
		if (m->n_pieces == 0)
			return -ENOBUFS;
		m->pieces[0] = (struct io_piece){user_at(r->buffer.address), r->buffer.len};
	}
	return message_receive(r->file, m, user_at(r->sqe.addr), (int)r->sqe.op_flags);
}

long recvmsg_issue(struct request *r)
{
	int err = need_socket(r);
	if (err < 0)
		return err;
	for (;;) {
		long n = receive_message_once(r);
		if (!r->multishot || n <= 0)
			return n;
		struct buffer_choice used = r->buffer;
		if (!cqe_more(r, n, buffer_consume(r))) {
			r->buffer = used;
			return n;
		}
	}
}

/* --- "zero copy": the data have been copied when the result is told, so the buffer is free at once --- */

static long tell_notification(struct request *r, long n)
{
	if (n == -EAGAIN && !r->no_retry)
		return n;
	cqe_post_of(r, n, IORING_CQE_F_MORE);
	r->cqe_flags = IORING_CQE_F_NOTIF;
	r->failed = n < 0;
	r->wanted = ANY_SUCCESS;
	return 0;
}

long send_zc_issue(struct request *r)
{
	return tell_notification(r, send_issue(r));
}

long sendmsg_zc_issue(struct request *r)
{
	return tell_notification(r, sendmsg_issue(r));
}

/* --- connections --- */

int accept_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->len || s->buf_index || (s->ioprio & ~IORING_ACCEPT_MULTISHOT))
		return -EINVAL;
	if (s->op_flags & ~(unsigned)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (s->file_index && (s->op_flags & SOCK_CLOEXEC))
		return -EINVAL;
	r->multishot = s->ioprio & IORING_ACCEPT_MULTISHOT;
	if (r->multishot && s->file_index && s->file_index != IORING_FILE_INDEX_ALLOC)
		return -EINVAL;
	return 0;
}

static long accept_once(struct request *r)
{
	struct file *f;
	struct socket_address peer = {.len = 0};
	unsigned flags = r->sqe.op_flags;
	int err = socket_accept(r->file, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0, &f, &peer);
	if (err < 0)
		return err;
	err = user_put_address(&peer, user_at(r->sqe.addr), user_at(r->sqe.addr2));
	if (err < 0) {
		file_put(f);
		return err;
	}
	if (r->sqe.file_index)
		return files_install(r->ring, r->sqe.file_index, f);
	return install(f, flags & SOCK_CLOEXEC ? O_CLOEXEC : 0);
}

long accept_issue(struct request *r)
{
	int err = need_socket(r);
	if (err < 0)
		return err;
	for (;;) {
		long n = accept_once(r);
		if (!r->multishot || n < 0 || !cqe_more(r, n, 0))
			return n;
	}
}

int connect_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->len || s->buf_index || s->op_flags || s->splice_fd_in)
		return -EINVAL;
	struct socket_address *a = r->data = heap_alloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	return s->addr2 > SOCKADDR_MAX ? -EINVAL : user_address(user_at(s->addr), s->addr2, a);
}

/* The first time it begins, the second time it is over, one way or the other. */
long connect_issue(struct request *r)
{
	int err = need_socket(r);
	if (err < 0)
		return err;
	if (!r->done) {
		err = socket_connect(r->file, r->data);
		if (err != -EINPROGRESS)
			return err;
		/* The program said that it would not wait: then it is told so. */
		r->done = 1;
		return -EAGAIN;
	}
	int value = 0;
	err = socket_get_option(r->file, SOL_SOCKET, SO_ERROR, &value, sizeof(value));
	if (err < 0)
		return err;
	return value ? -value : file_poll(r->file) & (POLLOUT | POLLERR | POLLHUP) ? 0 : -EAGAIN;
}

int socket_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	unsigned flags = (unsigned)s->off & ~(unsigned)SOCK_TYPE_MASK;
	if (s->addr || s->op_flags || s->buf_index)
		return -EINVAL;
	if (s->file_index && (flags & SOCK_CLOEXEC))
		return -EINVAL;
	return flags & ~(unsigned)(SOCK_NONBLOCK | SOCK_CLOEXEC) ? -EINVAL : 0;
}

long socket_issue(struct request *r)
{
	struct file *f;
	unsigned type = (unsigned)r->sqe.off;
	int err = socket_create(r->sqe.fd, (int)(type & SOCK_TYPE_MASK), (int)r->sqe.len,
		type & SOCK_NONBLOCK ? O_NONBLOCK : 0, &f);
	if (err < 0)
		return err;
	if (r->sqe.file_index)
		return files_install(r->ring, r->sqe.file_index, f);
	return install(f, type & SOCK_CLOEXEC ? O_CLOEXEC : 0);
}

long shutdown_issue(struct request *r)
{
	int err = need_socket(r);
	if (err < 0)
		return err;
	return r->sqe.len > SHUT_RDWR ? -EINVAL : socket_shutdown(r->file, (int)r->sqe.len);
}
