/* Messages of AF_UNIX: data, files (SCM_RIGHTS) and credentials on their way from one socket to another. */
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/unix.h"

static atomic_uint files_in_flight;

int unix_message_ids(struct socket_message *m, uint32_t ids[3])
{
	uint32_t own[3];
	unix_current_ids(own);
	memcpy(ids, own, sizeof(own));
	size_t at = 0;
	while (m->control && at + sizeof(struct linux_cmsghdr) <= m->control_len) {
		struct linux_cmsghdr h;
		memcpy(&h, m->control + at, sizeof(h));
		if (h.cmsg_len < sizeof(h) || h.cmsg_len > m->control_len - at)
			return -EINVAL;
		if (h.cmsg_level == SOL_SOCKET && h.cmsg_type == SCM_CREDENTIALS) {
			struct linux_ucred given;
			if (h.cmsg_len != CMSG_DATA_LEN(sizeof(given)))
				return -EINVAL;
			memcpy(&given, m->control + at + sizeof(h), sizeof(given));
			/* Only root may speak for others (unix(7)). */
			if (own[1] != 0 && ((uint32_t)given.pid != own[0] || given.uid != own[1] ||
						   given.gid != own[2]))
				return -EPERM;
			ids[0] = (uint32_t)given.pid;
			ids[1] = given.uid;
			ids[2] = given.gid;
		} else if (h.cmsg_level == SOL_SOCKET) {
			return -EINVAL;
		}
		at += CMSG_ALIGNED(h.cmsg_len);
	}
	return 0;
}

static int take_files(struct unix_message *e, struct socket_message *m)
{
	if (m->n_files == 0)
		return 0;
	if (m->n_files > SOCKET_FILES_MAX)
		return -EINVAL;
	unsigned before =
		atomic_fetch_add_explicit(&files_in_flight, m->n_files, memory_order_relaxed);
	int err = before + m->n_files > UNIX_IN_FLIGHT_MAX ? -ETOOMANYREFS : 0;
	if (err == 0) {
		e->files = heap_array(m->n_files, sizeof(struct file *));
		err = e->files ? 0 : -ENOBUFS;
	}
	if (err < 0) {
		atomic_fetch_sub_explicit(&files_in_flight, m->n_files, memory_order_relaxed);
		return err;
	}
	memcpy(e->files, m->files, m->n_files * sizeof(struct file *));
	e->n_files = m->n_files;
	return 0;
}

int unix_message_new(
	struct unix_socket *from, struct socket_message *m, uint32_t n, struct unix_message **out)
{
	struct unix_message *e = heap_alloc(sizeof(*e) + n);
	if (!e)
		return -ENOBUFS;
	memset(e, 0, sizeof(*e));
	list_init(&e->link);
	e->len = n;
	int err = unix_message_ids(m, e->ids);
	if (err == 0 && n > 0)
		err = io_buffer_get(m->data, e->data, n);
	if (err == 0)
		err = take_files(e, m);
	if (err < 0) {
		heap_free(e);
		return err;
	}
	if (from->name && from->socket.type == SOCK_DGRAM) {
		e->from = from->name; /* a name once given stays */
		atomic_fetch_add_explicit(&e->from->references, 1, memory_order_relaxed);
	}
	*out = e;
	return 0;
}

/* The files are with whoever has references now. */
static void forget_files(struct unix_message *e)
{
	atomic_fetch_sub_explicit(&files_in_flight, e->n_files, memory_order_relaxed);
	heap_free(e->files);
	e->files = NULL;
	e->n_files = 0;
}

void unix_message_drop(struct unix_message *e)
{
	forget_files(e);
	unix_message_free(e);
}

void unix_message_free(struct unix_message *e)
{
	for (unsigned i = 0; i < e->n_files; i++)
		file_put(e->files[i]);
	forget_files(e);
	if (e->from)
		unix_name_put(e->from);
	heap_free(e);
}

void unix_queue(struct unix_socket *to, struct unix_message *e)
{
	list_push_back(&to->received, &e->link);
	to->charge += e->len;
	to->n_received++;
}

void unix_message_control(
	struct unix_socket *to, struct socket_message *m, struct unix_message *e, bool peek)
{
	if (socket_option(&to->socket, OPTION_PASS_CREDENTIALS)) {
		struct linux_ucred ids = {(int32_t)e->ids[0], e->ids[1], e->ids[2]};
		message_add_control(m, SOL_SOCKET, SCM_CREDENTIALS, &ids, sizeof(ids));
	}
	unsigned room = m->files ? m->files_size - m->n_files : 0;
	unsigned n = min(room, e->n_files);
	if (n < e->n_files)
		m->out_flags |= MSG_CTRUNC;
	for (unsigned i = 0; i < n; i++) {
		file_get(e->files[i]);
		m->files[m->n_files++] = e->files[i];
	}
	if (peek || e->n_files == 0)
		return;
	for (unsigned i = 0; i < e->n_files; i++)
		file_put(e->files[i]);
	forget_files(e);
}

bool unix_room(const struct unix_socket *to, const struct unix_socket *from, uint32_t n)
{
	if (to->socket.type != SOCK_STREAM && to->n_received >= UNIX_DATAGRAMS_MAX)
		return false;
	uint32_t limit = from->socket.send_limit;
	/* One message always fits an empty queue. */
	return to->n_received == 0 || (to->charge < limit && n <= limit - to->charge);
}

static struct spinlock blocked_lock;

void unix_want_space(struct unix_socket *u, struct unix_socket *to)
{
	irq_state irq = spin_lock(&blocked_lock);
	list_remove(&u->blocked_link);
	list_push_back(&to->blocked, &u->blocked_link);
	spin_unlock(&blocked_lock, irq);
}

void unix_forget_blocked(struct unix_socket *u)
{
	irq_state irq = spin_lock(&blocked_lock);
	list_remove(&u->blocked_link);
	while (list_pop_front(&u->blocked))
		;
	spin_unlock(&blocked_lock, irq);
}

static struct unix_socket *pop_blocked(struct unix_socket *u)
{
	irq_state irq = spin_lock(&blocked_lock);
	struct list *item = list_pop_front(&u->blocked);
	struct unix_socket *sender =
		item ? list_entry(item, struct unix_socket, blocked_link) : NULL;
	if (sender) /* it leaves the list before its last reference goes: unix_forget_blocked() */
		socket_hold(&sender->socket);
	spin_unlock(&blocked_lock, irq);
	return sender;
}

void unix_announce_space(struct unix_socket *u)
{
	wait_wake(&u->space, EPOLLOUT);
	if (list_empty(&u->blocked))
		return;
	struct unix_socket *sender;
	while ((sender = pop_blocked(u))) {
		wait_wake(&sender->socket.ready, EPOLLOUT | EPOLLWRNORM);
		unix_put(sender);
	}
}

void unix_dequeue(struct unix_socket *u, struct unix_message *e)
{
	irq_state irq = unix_lock(u);
	list_remove(&e->link);
	u->charge -= e->len;
	u->n_received--;
	unix_unlock(u, irq);
	unix_message_free(e);
	unix_announce_space(u);
}

static struct unix_message *first_message(struct unix_socket *u)
{
	irq_state irq = unix_lock(u);
	struct unix_message *e = list_empty(&u->received)
					 ? NULL
					 : list_first(&u->received, struct unix_message, link);
	unix_unlock(u, irq);
	return e;
}

static void put_name(struct socket_message *m, const struct unix_name *name)
{
	if (!m->address)
		return;
	uint16_t family = AF_UNIX;
	m->address->len = 0;
	if (!name)
		return;
	memcpy(m->address->bytes, &family, sizeof(family));
	memcpy(m->address->bytes + 2, name->path, name->len);
	m->address->len = 2 + name->len;
}

static long copy_message(struct unix_socket *u, struct socket_message *m, struct unix_message *e)
{
	uint32_t n = (uint32_t)min((size_t)e->len, m->data->left);
	int err = io_buffer_put(m->data, e->data, n);
	if (err < 0)
		return err;
	if (n < e->len)
		m->out_flags |= MSG_TRUNC;
	put_name(m, e->from);
	unix_message_control(u, m, e, m->flags & MSG_PEEK);
	return m->flags & MSG_TRUNC ? e->len : n;
}

static bool receive_ready(struct unix_socket *u)
{
	return !list_empty(&u->received) || u->socket.error ||
	       u->socket.shutdown & SHUTDOWN_RECEIVE;
}

long unix_receive_message(struct unix_socket *u, struct socket_message *m)
{
	struct socket *s = &u->socket;
	for (;;) {
		mutex_lock(&u->read_lock);
		struct unix_message *e = first_message(u);
		long n = e ? copy_message(u, m, e) : 0;
		if (e && !(m->flags & MSG_PEEK) && n >= 0)
			unix_dequeue(u, e);
		mutex_unlock(&u->read_lock);
		if (e)
			return n;
		if (m->address)
			m->address->len = 0;
		int err = socket_take_error(s);
		if (err < 0)
			return err;
		if (s->shutdown & SHUTDOWN_RECEIVE)
			return 0;
		if (m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		err = wait_event_interruptible(
			&s->ready, EPOLLIN | EPOLLERR | EPOLLHUP, receive_ready(u), m->deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}
