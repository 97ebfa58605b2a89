/* AF_UNIX datagrams: reliable and in order; a full receiver makes the sender wait. */
#include "kernel/lib/string.h"
#include "kernel/net/unix.h"

static int datagram_connect(
	struct socket *s, const struct socket_address *a, int flags, uint64_t deadline_ns)
{
	(void)flags, (void)deadline_ns;
	struct unix_socket *u = unix_of(s);
	struct unix_socket *peer = NULL;
	if (((const struct linux_sockaddr *)a->bytes)->sa_family != AF_UNSPEC) {
		int err = unix_find(a, SOCK_DGRAM, &peer);
		if (err < 0)
			return err;
	}
	irq_state irq = unix_lock(u);
	struct unix_socket *old = u->peer;
	u->peer = peer; /* takes the reference */
	u->state = peer ? UNIX_CONNECTED : UNIX_IDLE;
	unix_unlock(u, irq);
	if (old)
		unix_put(old);
	return 0;
}

/* A socket that is itself connected takes datagrams only from its peer. */
static bool talks_to(struct unix_socket *to, struct unix_socket *from)
{
	struct unix_socket *peer = unix_get_peer(to);
	bool yes = !peer || peer == from;
	if (peer)
		unix_put(peer);
	return yes;
}

static int deliver(struct unix_socket *u, struct unix_socket *to, struct unix_message *e)
{
	int err = 0;
	if (!talks_to(to, u))
		return -EPERM;
	irq_state irq = unix_lock(to);
	if (to->dead)
		err = -ECONNREFUSED;
	else if (to->socket.shutdown & SHUTDOWN_RECEIVE)
		err = -EPIPE;
	else if (!unix_room(to, u, e->len))
		err = -EAGAIN;
	else
		unix_queue(to, e);
	unix_unlock(to, irq);
	if (err == 0)
		wait_wake(&to->socket.ready, EPOLLIN | EPOLLRDNORM);
	return err;
}

static bool may_deliver(struct unix_socket *u, struct unix_socket *to, uint32_t n)
{
	return to->dead || to->socket.shutdown & SHUTDOWN_RECEIVE || unix_room(to, u, n);
}

static int deliver_until(struct unix_socket *u, struct unix_socket *to, struct unix_message *e,
	struct socket_message *m)
{
	for (;;) {
		int err = deliver(u, to, e);
		if (err != -EAGAIN || m->flags & MSG_DONTWAIT)
			return err;
		err = wait_event_interruptible(
			&to->space, EPOLLOUT, may_deliver(u, to, e->len), m->deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

/* The receiver: named in the message, or connected. */
static int find_target(struct unix_socket *u, struct socket_message *m, struct unix_socket **out)
{
	if (m->address && m->address->len > 0)
		return unix_find(m->address, SOCK_DGRAM, out);
	*out = unix_get_peer(u);
	return *out ? 0 : -ENOTCONN;
}

static long datagram_send(struct socket *s, struct socket_message *m)
{
	struct unix_socket *u = unix_of(s);
	size_t len = m->data->left;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	int err = socket_take_error(s);
	if (err < 0)
		return err;
	if (s->shutdown & SHUTDOWN_SEND)
		return -EPIPE;
	if (len > s->send_limit - 32)
		return -EMSGSIZE;
	struct unix_socket *to = NULL;
	err = find_target(u, m, &to);
	if (err < 0)
		return err;
	struct unix_message *e = NULL;
	err = unix_message_new(u, m, (uint32_t)len, &e);
	if (err == 0) {
		err = deliver_until(u, to, e, m);
		if (err < 0)
			unix_message_drop(e);
	}
	unix_put(to);
	return err < 0 ? err : (long)len;
}

static long datagram_receive(struct socket *s, struct socket_message *m)
{
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	return unix_receive_message(unix_of(s), m);
}

static bool peer_has_room(struct unix_socket *u)
{
	struct unix_socket *peer = unix_get_peer(u);
	if (!peer)
		return true;
	bool room = peer->dead || unix_room(peer, u, 1);
	if (!room) {
		unix_want_space(u, peer);
		room = unix_room(peer, u, 1); /* it may have come in between */
	}
	unix_put(peer);
	return room;
}

static unsigned datagram_poll(struct socket *s)
{
	struct unix_socket *u = unix_of(s);
	uint32_t shut = s->shutdown;
	unsigned events = s->error ? EPOLLERR : 0;
	if (shut & SHUTDOWN_RECEIVE)
		events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (shut == SHUTDOWN_BOTH)
		events |= EPOLLHUP;
	if (!list_empty(&u->received))
		events |= EPOLLIN | EPOLLRDNORM;
	if (peer_has_room(u))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

const struct protocol unix_datagram_protocol = {
	.family = AF_UNIX,
	.type = SOCK_DGRAM,
	.number = -1,
	.create = unix_create,
	.bind = unix_bind,
	.connect = datagram_connect,
	.pair = unix_pair,
	.name = unix_local_name,
	.peer = unix_peer_name,
	.shutdown = unix_shutdown,
	.get_option = unix_get_option,
	.send = datagram_send,
	.receive = datagram_receive,
	.poll = datagram_poll,
	.ioctl = unix_ioctl,
	.close = unix_close,
	.destroy = unix_destroy,
};
