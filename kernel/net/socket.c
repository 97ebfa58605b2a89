/* Sockets as files: the calls of kernel/net/socket.h, each checked and handed to the socket's protocol. */
#include "kernel/net/protocol.h"

#include "abi/linux/in.h"
#include "abi/linux/net_if.h"
#include "abi/linux/stat.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/net.h"

static const struct file_ops socket_ops;
static _Atomic uint64_t last_cookie;

struct socket *socket_alloc(const struct protocol *p, int number, size_t size)
{
	struct socket *s = heap_zalloc(size);
	if (!s)
		return NULL;
	s->protocol = p;
	s->references = 1;
	wait_queue_init(&s->ready);
	s->family = (uint16_t)p->family;
	s->type = (uint16_t)p->type;
	s->number = number;
	s->cookie = atomic_fetch_add_explicit(&last_cookie, 1, memory_order_relaxed) + 1;
	s->receive_limit = s->send_limit = BUFFER_DEFAULT;
	s->low_water = 1;
	s->peek_offset = -1;
	return s;
}

void socket_hold(struct socket *s)
{
	atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
}

void socket_put(struct socket *s)
{
	if (atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) != 1)
		return;
	if (s->protocol->destroy)
		s->protocol->destroy(s);
	heap_free(s);
}

int socket_file(struct socket *s, uint32_t file_flags, struct file **out)
{
	int err = file_new(&socket_ops, s, O_RDWR | (file_flags & O_NONBLOCK), out);
	if (err == 0)
		(*out)->ready = &s->ready;
	return err;
}

bool file_is_socket(const struct file *f)
{
	return f->ops == &socket_ops;
}

struct socket *file_socket(const struct file *f)
{
	return f->object;
}

void socket_set_flag(struct socket *s, uint32_t option, bool on)
{
	if (on)
		atomic_fetch_or_explicit(&s->options, option, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&s->options, ~option, memory_order_relaxed);
}

/* --- making --- */

static int find_protocol(int family, int type, int number, const struct protocol **out)
{
	bool family_known = false, type_known = false;
	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	bool internet = family == AF_INET || family == AF_INET6;
	if (type < 0 || type > 10 || number < 0 || (internet && number >= IPPROTO_MAX))
		return -EINVAL;
	if (family == AF_UNIX && type == SOCK_RAW) /* Linux: an old habit of programs */
		type = SOCK_DGRAM;
	for (unsigned i = 0; i < n_protocols; i++) {
		const struct protocol *p = protocols[i];
		if (p->family != family)
			continue;
		family_known = true;
		if (p->type != type)
			continue;
		type_known = true;
		if (number == 0 || number == p->number || (p->number == -1 && number > 0)) {
			*out = p;
			return 0;
		}
	}
	if (!family_known)
		return -EAFNOSUPPORT;
	return type_known ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT;
}

static int create_socket(int family, int type, int number, struct socket **out)
{
	const struct protocol *p = NULL;
	int err = find_protocol(family, type, number, &p);
	return err < 0 ? err : p->create(p, number ? number : max(p->number, 0), out);
}

int socket_create(int family, int type, int protocol, uint32_t file_flags, struct file **out)
{
	struct socket *s = NULL;
	int err = create_socket(family, type, protocol, &s);
	if (err < 0)
		return err;
	err = socket_file(s, file_flags, out);
	if (err < 0)
		socket_put(s);
	return err;
}

int socket_pair(int family, int type, int protocol, uint32_t file_flags, struct file *out[2])
{
	struct socket *a = NULL, *b = NULL;
	int err = create_socket(family, type, protocol, &a);
	if (err < 0)
		return err;
	err = create_socket(family, type, protocol, &b);
	if (err < 0)
		goto put_a;
	err = a->protocol->pair ? a->protocol->pair(a, b) : -EOPNOTSUPP;
	if (err < 0)
		goto put_b;
	err = socket_file(a, file_flags, &out[0]);
	if (err < 0)
		goto close_both;
	err = socket_file(b, file_flags, &out[1]);
	if (err < 0) {
		file_put(out[0]);
		b->protocol->close(b, true);
		socket_put(b);
	}
	return err;
close_both:
	a->protocol->close(a, true);
	b->protocol->close(b, true);
put_b:
	socket_put(b);
put_a:
	socket_put(a);
	return err;
}

/* --- calls --- */

static uint64_t deadline_of(uint64_t timeout_ns)
{
	return timeout_ns ? clock_monotonic_ns() + timeout_ns : NO_DEADLINE;
}

static int wait_flag(const struct file *f)
{
	return file_nonblocking(f) ? MSG_DONTWAIT : 0;
}

int socket_bind(struct file *f, const struct socket_address *a)
{
	struct socket *s = file_socket(f);
	return s->protocol->bind ? s->protocol->bind(s, a) : -EOPNOTSUPP;
}

int socket_listen(struct file *f, int backlog)
{
	struct socket *s = file_socket(f);
	/* Beyond the limit, and negative (unsigned in Linux): the limit. */
	if ((unsigned)backlog > SOMAXCONN)
		backlog = SOMAXCONN;
	return s->protocol->listen ? s->protocol->listen(s, backlog) : -EOPNOTSUPP;
}

int socket_accept(
	struct file *f, uint32_t file_flags, struct file **out, struct socket_address *peer)
{
	struct socket *s = file_socket(f);
	if (!s->protocol->accept)
		return -EOPNOTSUPP;
	struct socket *child = NULL;
	int err = s->protocol->accept(s, wait_flag(f), deadline_of(s->receive_timeout_ns), &child);
	if (err < 0)
		return err;
	if (peer) {
		peer->len = 0;
		err = child->protocol->peer(child, peer);
		if (err < 0) /* it is gone again already */
			err = -ECONNABORTED;
	}
	if (err == 0)
		err = socket_file(child, file_flags, out);
	if (err < 0) {
		child->protocol->close(child, true);
		socket_put(child);
	}
	return err;
}

int socket_connect(struct file *f, const struct socket_address *a)
{
	struct socket *s = file_socket(f);
	if (!s->protocol->connect)
		return -EOPNOTSUPP;
	if (a->len < sizeof(uint16_t))
		return -EINVAL;
	int err = s->protocol->connect(s, a, wait_flag(f), deadline_of(s->send_timeout_ns));
	net_flush();
	return err;
}

int socket_name(struct file *f, struct socket_address *out)
{
	struct socket *s = file_socket(f);
	return s->protocol->name(s, out);
}

int socket_peer(struct file *f, struct socket_address *out)
{
	struct socket *s = file_socket(f);
	return s->protocol->peer ? s->protocol->peer(s, out) : -ENOTCONN;
}

int socket_shutdown(struct file *f, int how)
{
	struct socket *s = file_socket(f);
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	int err = s->protocol->shutdown ? s->protocol->shutdown(s, how) : -EOPNOTSUPP;
	net_flush();
	return err;
}

int socket_set_option(struct file *f, int level, int name, const void *value, size_t len)
{
	struct socket *s = file_socket(f);
	int err = -ENOPROTOOPT;
	if (level == SOL_SOCKET)
		err = socket_generic_set(s, name, value, len);
	if (err == 0 && level == SOL_SOCKET && s->protocol->option_changed)
		s->protocol->option_changed(s, name);
	if (err == -ENOPROTOOPT && s->protocol->set_option)
		err = s->protocol->set_option(s, level, name, value, len);
	net_flush();
	return err;
}

int socket_get_option(struct file *f, int level, int name, void *value, size_t size)
{
	struct socket *s = file_socket(f);
	int err = -ENOPROTOOPT;
	if (level == SOL_SOCKET)
		err = socket_generic_get(s, name, value, size);
	if (err == -ENOPROTOOPT && s->protocol->get_option)
		err = s->protocol->get_option(s, level, name, value, size);
	/* Of levels that the family does not have. */
	if (err == -ENOPROTOOPT && s->family == AF_INET && level != SOL_SOCKET && level != SOL_IP &&
		level != s->number)
		err = -EOPNOTSUPP;
	return err;
}

static void set_deadline(struct socket_message *m, uint64_t timeout_ns)
{
	if (timeout_ns)
		m->deadline_ns = min(m->deadline_ns, deadline_of(timeout_ns));
}

long socket_send(struct file *f, struct socket_message *m)
{
	struct socket *s = file_socket(f);
	m->flags |= wait_flag(f);
	set_deadline(m, s->send_timeout_ns);
	long n = s->protocol->send(s, m);
	net_flush();
	return n;
}

long socket_receive(struct file *f, struct socket_message *m)
{
	struct socket *s = file_socket(f);
	m->flags |= wait_flag(f);
	m->out_flags = 0;
	m->control_len = 0;
	m->n_files = 0;
	set_deadline(m, s->receive_timeout_ns);
	long n = s->protocol->receive(s, m);
	net_flush();
	return n;
}

long socket_send_pages(
	struct file *f, struct page_cache *cache, uint64_t offset, size_t n, int flags)
{
	struct socket *s = file_socket(f);
	if (!s->protocol->send_pages)
		return -EOPNOTSUPP;
	long sent = s->protocol->send_pages(s, cache, offset, n, flags | wait_flag(f));
	net_flush();
	return sent;
}

/* --- the file --- */

static long read_socket(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct socket_message m = {.data = to, .deadline_ns = NO_DEADLINE};
	return socket_receive(f, &m);
}

static long write_socket(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)offset;
	struct socket_message m = {.data = from, .deadline_ns = NO_DEADLINE};
	return socket_send(f, &m);
}

static unsigned poll_socket(struct file *f)
{
	struct socket *s = file_socket(f);
	return s->protocol->poll(s);
}

static long ioctl_socket(struct file *f, unsigned request, unsigned long argument)
{
	struct socket *s = file_socket(f);
	int value = 0;
	int err = s->protocol->ioctl ? s->protocol->ioctl(s, request, &value) : -ENOTTY;
	if (err == -ENOTTY)
		return interface_ioctl(request, user_at(argument));
	if (err < 0)
		return err;
	return copy_out(user_at(argument), &value, sizeof(value));
}

static int stat_socket(struct file *f, struct linux_stat *out)
{
	struct socket *s = file_socket(f);
	memset(out, 0, sizeof(*out));
	out->st_dev = 8; /* sockfs: any number that no other file system has */
	out->st_ino = s->cookie + 1000;
	out->st_nlink = 1;
	out->st_mode = S_IFSOCK | 0777;
	out->st_blksize = 4096;
	return 0;
}

static void release_socket(struct file *f)
{
	struct socket *s = file_socket(f);
	if (s->protocol->close)
		s->protocol->close(s, file_nonblocking(f));
	socket_put(s);
	net_flush();
}

static const struct file_ops socket_ops = {
	.kind = "socket",
	.read = read_socket,
	.write = write_socket,
	.poll = poll_socket,
	.ioctl = ioctl_socket,
	.stat = stat_socket,
	.release = release_socket,
};

/* --- control messages --- */

void message_add_control(struct socket_message *m, int level, int type, const void *data, size_t n)
{
	struct linux_cmsghdr h = {
		.cmsg_len = CMSG_DATA_LEN(n), .cmsg_level = level, .cmsg_type = type};
	size_t room = m->control_size - m->control_len;
	if (!m->control || room < sizeof(h)) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	if (h.cmsg_len > room) {
		m->out_flags |= MSG_CTRUNC;
		h.cmsg_len = room;
		n = room - sizeof(h);
	}
	uint8_t *at = m->control + m->control_len;
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), data, n);
	size_t padded = min(CMSG_SPACE_LEN(n), room);
	memset(at + sizeof(h) + n, 0, padded - sizeof(h) - n);
	m->control_len += padded;
}

void message_add_timestamp(struct socket *s, struct socket_message *m, uint64_t realtime_ns)
{
	int64_t seconds = (int64_t)(realtime_ns / NS_PER_S);
	int64_t rest = (int64_t)(realtime_ns % NS_PER_S);
	if (socket_option(s, OPTION_TIMESTAMP_NS)) {
		struct linux_timespec t = {seconds, rest};
		message_add_control(m, SOL_SOCKET, SCM_TIMESTAMPNS, &t, sizeof(t));
	} else if (socket_option(s, OPTION_TIMESTAMP)) {
		struct linux_sock_timeval t = {seconds, rest / 1000};
		message_add_control(m, SOL_SOCKET, SCM_TIMESTAMP, &t, sizeof(t));
	}
}
