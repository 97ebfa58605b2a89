/* Listening sockets: listen(2), accept(2), and what happens to those in the queues when one is closed. */
#include "kernel/mem/heap.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

static struct tcp_listener *listener_new(void)
{
	struct tcp_listener *listener = heap_zalloc(sizeof(*listener));
	if (listener) {
		list_init(&listener->requests);
		list_init(&listener->ready);
	}
	return listener;
}

int tcp_listen_start(struct tcp_connection *c, int backlog)
{
	struct tcp_listener *fresh = listener_new();
	if (!fresh)
		return -ENOMEM;
	irq_state irq = tcp_lock(c);
	bool ours = c->state == TCP_CLOSE;
	if (ours) {
		if (!c->listener) {
			c->listener = fresh;
			fresh = NULL;
		}
		c->listener->backlog = (unsigned)backlog;
		c->inet.socket.shutdown = 0;
		c->state = TCP_LISTEN;
	}
	tcp_unlock(c, irq);
	heap_free(fresh);
	if (!ours)
		return -EINVAL;
	int err = port_listen(&tcp_ports, &c->inet.port);
	if (err == 0) {
		socket_set_flag(&c->inet.socket, OPTION_LISTENING, true);
		return 0;
	}
	irq = tcp_lock(c);
	c->state = TCP_CLOSE;
	tcp_unlock(c, irq);
	return err;
}

/* Connections nobody accepted are reset. */
static void reset_ready(struct tcp_connection *l)
{
	for (;;) {
		irq_state irq = tcp_lock(l);
		struct list *item = list_pop_front(&l->listener->ready);
		l->listener->n_ready -= item != NULL;
		tcp_unlock(l, irq);
		if (!item)
			return;
		struct tcp_connection *c = list_entry(item, struct tcp_connection, accept_link);
		irq = tcp_lock(c);
		c->orphan = true;
		if (c->state != TCP_CLOSE)
			tcp_send_reset(c);
		tcp_done(c, 0);
		tcp_purge_receive(c);
		tcp_unlock(c, irq);
		tcp_put(c);
	}
}

void tcp_listen_stop(struct tcp_connection *l)
{
	port_unlisten(&tcp_ports, &l->inet.port);
	socket_set_flag(&l->inet.socket, OPTION_LISTENING, false);
	irq_state irq = tcp_lock(l);
	l->state = TCP_CLOSE;
	l->inet.socket.shutdown = SHUTDOWN_BOTH;
	l->wake |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	tcp_unlock(l, irq);
	wait_wake_all(&l->inet.socket.ready, EVENTS_ALL);
	tcp_requests_drop(l);
	reset_ready(l);
}

static bool acceptable(const struct tcp_connection *l)
{
	return l->state != TCP_LISTEN || l->listener->n_ready > 0;
}

static int take_ready(struct tcp_connection *l, struct socket **out)
{
	int err = -EAGAIN;
	irq_state irq = tcp_lock(l);
	if (l->state != TCP_LISTEN) {
		err = -EINVAL;
	} else if (l->listener->n_ready > 0) {
		struct list *item = list_pop_front(&l->listener->ready);
		l->listener->n_ready--;
		*out = &list_entry(item, struct tcp_connection, accept_link)->inet.socket;
		err = 0;
	}
	tcp_unlock(l, irq);
	return err;
}

int tcp_accept(struct socket *s, int flags, uint64_t deadline_ns, struct socket **out)
{
	struct tcp_connection *l = tcp_of(s);
	for (;;) {
		int err = take_ready(l, out);
		if (err == 0)
			tcp_promote_waiting(l);
		if (err != -EAGAIN || flags & MSG_DONTWAIT)
			return err;
		err = wait_event_exclusive(&s->ready, EPOLLIN, acceptable(l), deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}
