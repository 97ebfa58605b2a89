/* AF_UNIX connections: SOCK_STREAM, and SOCK_SEQPACKET, which differs only in keeping messages apart. */
#include "kernel/lib/string.h"
#include "kernel/net/unix.h"

/* --- connecting --- */

static int stream_listen(struct socket *s, int backlog)
{
	struct unix_socket *u = unix_of(s);
	if (!u->name)
		return -EINVAL;
	int err = 0;
	irq_state irq = unix_lock(u);
	if (u->state == UNIX_IDLE || u->state == UNIX_LISTENING) {
		u->state = UNIX_LISTENING;
		u->backlog = (unsigned)backlog;
	} else {
		err = -EINVAL;
	}
	unix_unlock(u, irq);
	if (err == 0) {
		unix_current_ids(u->ids);
		socket_set_flag(s, OPTION_LISTENING, true);
	}
	return err;
}

/* The far end of a connection to listener l, for accept. */
static int make_child(struct unix_socket *client, struct unix_socket *l, struct unix_socket **out)
{
	struct socket *s = NULL;
	int err = unix_create(l->socket.protocol, 0, &s);
	if (err < 0)
		return err;
	struct unix_socket *child = unix_of(s);
	child->state = UNIX_CONNECTED;
	child->name = l->name;
	atomic_fetch_add_explicit(&l->name->references, 1, memory_order_relaxed);
	s->options = l->socket.options & ~OPTION_LISTENING;
	s->send_limit = l->socket.send_limit;
	memcpy(child->ids, l->ids, sizeof(l->ids));
	memcpy(child->peer_ids, client->ids, sizeof(client->ids));
	socket_hold(&client->socket);
	child->peer = client;
	*out = child;
	return 0;
}

/* Is there room in the accept queue?  Also true when it is over with the listener. */
static bool may_try(struct unix_socket *l)
{
	return l->dead || l->state != UNIX_LISTENING || l->n_pending <= l->backlog ||
	       l->socket.shutdown & SHUTDOWN_RECEIVE;
}

/* 0: child waits to be accepted, and the queue has its reference. -EAGAIN: full; -ECONNREFUSED. */
static int offer(struct unix_socket *l, struct unix_socket *child)
{
	int err = 0;
	irq_state irq = unix_lock(l);
	if (l->dead || l->state != UNIX_LISTENING || l->socket.shutdown & SHUTDOWN_RECEIVE) {
		err = -ECONNREFUSED;
	} else if (l->n_pending > l->backlog) {
		err = -EAGAIN;
	} else {
		list_push_back(&l->pending, &child->accept_link);
		l->n_pending++;
	}
	unix_unlock(l, irq);
	if (err == 0)
		wait_wake(&l->socket.ready, EPOLLIN | EPOLLRDNORM);
	return err;
}

static int offer_until(
	struct unix_socket *l, struct unix_socket *child, int flags, uint64_t deadline_ns)
{
	for (;;) {
		int err = offer(l, child);
		if (err != -EAGAIN || flags & MSG_DONTWAIT)
			return err;
		err = wait_event_interruptible(&l->space, EPOLLOUT, may_try(l), deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

/* Claim the right to connect, or say why not. */
static int begin_connect(struct unix_socket *u)
{
	int err = 0;
	irq_state irq = unix_lock(u);
	if (u->state == UNIX_IDLE)
		u->state = UNIX_CONNECTING;
	else if (u->state == UNIX_CONNECTED)
		err = -EISCONN;
	else
		err = u->state == UNIX_CONNECTING ? -EALREADY : -EINVAL;
	unix_unlock(u, irq);
	return err;
}

static void finish_connect(
	struct unix_socket *u, struct unix_socket *child, const struct unix_socket *l, int err)
{
	irq_state irq = unix_lock(u);
	u->state = err == 0 ? UNIX_CONNECTED : UNIX_IDLE;
	if (err == 0) {
		u->peer = child; /* takes the caller's reference */
		memcpy(u->peer_ids, l->ids, sizeof(l->ids));
	}
	unix_unlock(u, irq);
	if (err == 0)
		wait_wake(&u->socket.ready, EPOLLOUT | EPOLLWRNORM);
}

static int stream_connect(
	struct socket *s, const struct socket_address *a, int flags, uint64_t deadline_ns)
{
	struct unix_socket *u = unix_of(s);
	struct unix_socket *l = NULL, *child = NULL;
	int err = unix_find(a, s->type, &l);
	if (err < 0)
		return err;
	err = begin_connect(u);
	if (err < 0)
		goto put_listener;
	unix_current_ids(u->ids);
	err = make_child(u, l, &child);
	if (err == 0) {
		socket_hold(&child->socket); /* one for the queue, one for us */
		err = offer_until(l, child, flags, deadline_ns);
		if (err < 0) {
			unix_put(child->peer);
			child->peer = NULL;
			unix_put(child);
			unix_put(child);
		}
	}
	finish_connect(u, child, l, err);
put_listener:
	unix_put(l);
	return err;
}

static bool acceptable(struct unix_socket *l)
{
	return l->n_pending > 0 || l->socket.shutdown & SHUTDOWN_RECEIVE;
}

static int stream_accept(struct socket *s, int flags, uint64_t deadline_ns, struct socket **out)
{
	struct unix_socket *l = unix_of(s);
	if (l->state != UNIX_LISTENING)
		return -EINVAL;
	for (;;) {
		irq_state irq = unix_lock(l);
		struct list *item = list_pop_front(&l->pending);
		l->n_pending -= item != NULL;
		unix_unlock(l, irq);
		if (item) {
			*out = &list_entry(item, struct unix_socket, accept_link)->socket;
			wait_wake(&l->space, EPOLLOUT);
			return 0;
		}
		if (s->shutdown & SHUTDOWN_RECEIVE)
			return -EINVAL;
		if (flags & MSG_DONTWAIT)
			return -EAGAIN;
		int err = wait_event_exclusive(&s->ready, EPOLLIN, acceptable(l), deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

/* --- sending --- */

/* Queue at the peer.  -EAGAIN: no room; -EPIPE. */
static int deliver(struct unix_socket *u, struct unix_socket *peer, struct unix_message *e)
{
	int err = 0;
	irq_state irq = unix_lock(peer);
	if (peer->dead || peer->socket.shutdown & SHUTDOWN_RECEIVE ||
		u->socket.shutdown & SHUTDOWN_SEND) {
		err = -EPIPE;
	} else if (!unix_room(peer, u, e->len)) {
		err = -EAGAIN;
	} else {
		unix_queue(peer, e);
	}
	unix_unlock(peer, irq);
	if (err == 0)
		wait_wake(&peer->socket.ready, EPOLLIN | EPOLLRDNORM);
	return err;
}

static bool may_deliver(struct unix_socket *u, struct unix_socket *peer, uint32_t n)
{
	return peer->dead || (peer->socket.shutdown & SHUTDOWN_RECEIVE) ||
	       (u->socket.shutdown & SHUTDOWN_SEND) || unix_room(peer, u, n);
}

static int deliver_until(struct unix_socket *u, struct unix_socket *peer, struct unix_message *e,
	struct socket_message *m)
{
	for (;;) {
		int err = deliver(u, peer, e);
		if (err != -EAGAIN || m->flags & MSG_DONTWAIT)
			return err;
		err = wait_event_interruptible(
			&peer->space, EPOLLOUT, may_deliver(u, peer, e->len), m->deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

/* What fits now, to send a part rather than wait with all of it. */
static uint32_t chunk_size(struct unix_socket *u, struct unix_socket *peer, size_t left)
{
	uint32_t limit = u->socket.send_limit, used = peer->charge;
	uint32_t room = used < limit ? limit - used : 0;
	uint32_t n = (uint32_t)min(left, (size_t)UNIX_CHUNK_MAX);
	return room > 0 ? min(n, room) : n;
}

static long send_chunks(struct unix_socket *u, struct unix_socket *peer, struct socket_message *m)
{
	bool stream = u->socket.type == SOCK_STREAM;
	long sent = 0;
	do {
		uint32_t n = stream ? chunk_size(u, peer, m->data->left) : (uint32_t)m->data->left;
		struct unix_message *e = NULL;
		int err = unix_message_new(u, m, n, &e);
		if (err < 0)
			return sent > 0 ? sent : err;
		err = deliver_until(u, peer, e, m);
		if (err < 0) {
			unix_message_drop(e);
			return sent > 0 ? sent : err;
		}
		m->n_files = 0; /* they went with the first */
		sent += n;
	} while (m->data->left > 0);
	return sent;
}

static long stream_send(struct socket *s, struct socket_message *m)
{
	struct unix_socket *u = unix_of(s);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->address && m->address->len > 0 && s->type == SOCK_STREAM)
		return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	int err = socket_take_error(s);
	if (err < 0)
		return err;
	if (s->shutdown & SHUTDOWN_SEND)
		return -EPIPE;
	struct unix_socket *peer = unix_get_peer(u);
	if (!peer)
		return -ENOTCONN;
	long n = 0;
	if (s->type == SOCK_SEQPACKET && m->data->left > s->send_limit - 32)
		n = -EMSGSIZE;
	else if (s->type == SOCK_SEQPACKET || m->data->left > 0)
		n = send_chunks(u, peer, m);
	unix_put(peer);
	return n;
}

/* --- receiving --- */

static bool receive_ready(struct unix_socket *u)
{
	return !list_empty(&u->received) || u->socket.error ||
	       u->socket.shutdown & SHUTDOWN_RECEIVE;
}

/* One queued message's part in a read.  Bytes, or -EFAULT; *stop: others may not be joined to it. */
static long copy_part(struct unix_socket *u, struct socket_message *m, struct unix_message *e,
	size_t wanted, bool *stop)
{
	uint32_t n = (uint32_t)min((size_t)(e->len - e->offset), wanted);
	int err = m->flags & MSG_TRUNC ? 0 : io_buffer_put(m->data, e->data + e->offset, n);
	if (err < 0)
		return err;
	bool peek = m->flags & MSG_PEEK;
	*stop = e->n_files > 0;
	if (m->control_len == 0 || e->n_files > 0)
		unix_message_control(u, m, e, peek);
	if (!peek) {
		e->offset += n;
		if (e->offset == e->len)
			unix_dequeue(u, e);
	}
	return n;
}

static bool same_sender(const struct unix_message *a, const uint32_t ids[3])
{
	return memcmp(a->ids, ids, sizeof(a->ids)) == 0;
}

/* Copy what is queued, without waiting; read_lock held. */
static long copy_available(
	struct unix_socket *u, struct socket_message *m, size_t wanted, bool *stop)
{
	bool credentials = socket_option(&u->socket, OPTION_PASS_CREDENTIALS);
	uint32_t ids[3] = {0, 0, 0};
	long copied = 0;
	irq_state irq = unix_lock(u);
	struct list *at = u->received.next;
	struct list *end = u->received.prev; /* those behind come during the copy */
	unix_unlock(u, irq);
	while (!*stop && at != &u->received && (size_t)copied < wanted) {
		struct unix_message *e = list_entry(at, struct unix_message, link);
		if (copied > 0 && (e->n_files > 0 || (credentials && !same_sender(e, ids))))
			break;
		memcpy(ids, e->ids, sizeof(ids));
		bool last = at == end;
		struct list *next = at->next;
		long n = copy_part(u, m, e, wanted - (size_t)copied, stop);
		if (n < 0)
			return copied > 0 ? copied : n;
		copied += n;
		if (last)
			break;
		at = next;
	}
	return copied;
}

/* Nothing queued: 0 to wait, 1 end of file, or an error. */
static int receive_state(struct unix_socket *u)
{
	int err = socket_take_error(&u->socket);
	if (err < 0)
		return err;
	return u->socket.shutdown & SHUTDOWN_RECEIVE ? 1 : 0;
}

static long receive_bytes(struct unix_socket *u, struct socket_message *m)
{
	size_t wanted = m->data->left, copied = 0;
	size_t target = m->flags & MSG_WAITALL ? wanted : min((size_t)u->socket.low_water, wanted);
	bool stop = false;
	while (true) {
		long n = copy_available(u, m, wanted - copied, &stop);
		if (n < 0)
			return copied > 0 ? (long)copied : n;
		copied += (size_t)n;
		if (copied >= max(target, (size_t)1) || wanted == 0 || stop ||
			(copied > 0 && m->flags & MSG_PEEK))
			return (long)copied;
		if (n > 0)
			continue;
		int state = copied > 0 && u->socket.error ? 1 : receive_state(u);
		if (state != 0)
			return copied > 0 || state > 0 ? (long)copied : state;
		if (m->flags & MSG_DONTWAIT)
			return copied > 0 ? (long)copied : -EAGAIN;
		mutex_unlock(&u->read_lock);
		int err = wait_event_interruptible(&u->socket.ready, EPOLLIN | EPOLLERR | EPOLLHUP,
			receive_ready(u), m->deadline_ns);
		mutex_lock(&u->read_lock);
		if (err < 0)
			return copied > 0 ? (long)copied : err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

static long stream_receive(struct socket *s, struct socket_message *m)
{
	struct unix_socket *u = unix_of(s);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->address)
		m->address->len = 0;
	if (u->state != UNIX_CONNECTED)
		return -EINVAL;
	mutex_lock(&u->read_lock);
	long n = receive_bytes(u, m);
	mutex_unlock(&u->read_lock);
	return n;
}

static long seqpacket_receive(struct socket *s, struct socket_message *m)
{
	struct unix_socket *u = unix_of(s);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	return u->state == UNIX_CONNECTED ? unix_receive_message(u, m) : -ENOTCONN;
}

/* --- readiness --- */

static bool writable(struct unix_socket *u)
{
	struct unix_socket *peer = unix_get_peer(u);
	if (!peer)
		return true;
	/* As Linux's unix_writable(): three quarters are free. */
	bool room = (uint64_t)peer->charge * 4 <= u->socket.send_limit;
	if (!room) {
		unix_want_space(u, peer);
		room = (uint64_t)peer->charge * 4 <= u->socket.send_limit;
	}
	unix_put(peer);
	return room;
}

static unsigned stream_poll(struct socket *s)
{
	struct unix_socket *u = unix_of(s);
	uint32_t shut = s->shutdown;
	unsigned events = s->error ? EPOLLERR : 0;
	if (shut == SHUTDOWN_BOTH)
		events |= EPOLLHUP;
	if (shut & SHUTDOWN_RECEIVE)
		events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (!list_empty(&u->received) || u->n_pending > 0)
		events |= EPOLLIN | EPOLLRDNORM;
	if (u->state == UNIX_IDLE)
		events |= EPOLLHUP;
	if (u->state != UNIX_LISTENING && writable(u))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

#define CONNECTION_OPS                                                                             \
	.family = AF_UNIX, .number = -1, .create = unix_create, .bind = unix_bind,                 \
	.listen = stream_listen, .accept = stream_accept, .connect = stream_connect,               \
	.pair = unix_pair, .name = unix_local_name, .peer = unix_peer_name,                        \
	.shutdown = unix_shutdown, .get_option = unix_get_option, .send = stream_send,             \
	.poll = stream_poll, .ioctl = unix_ioctl, .close = unix_close, .destroy = unix_destroy

const struct protocol unix_stream_protocol = {
	CONNECTION_OPS, .type = SOCK_STREAM, .receive = stream_receive};
const struct protocol unix_seqpacket_protocol = {
	CONNECTION_OPS, .type = SOCK_SEQPACKET, .receive = seqpacket_receive};
