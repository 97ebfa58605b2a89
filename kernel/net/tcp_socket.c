/* TCP sockets: making, binding, connecting, closing, what poll(2) sees. */
#include "abi/linux/net_if.h"
#include "kernel/arch/timer.h"
#include "kernel/mem/heap.h"
#include "kernel/lib/random.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

struct port_table tcp_ports;

static void hold_user(struct port_user *u)
{
	socket_hold(&container_of(u, struct inet_socket, port)->socket);
}

struct tcp_connection *tcp_new(const struct protocol *p)
{
	struct socket *s = socket_alloc(p, IPPROTO_TCP, sizeof(struct tcp_connection));
	if (!s)
		return NULL;
	struct tcp_connection *c = tcp_of(s);
	inet_init_socket(&c->inet);
	c->inet.port.hold = hold_user;
	c->inet.mtu_discover = IP_PMTUDISC_WANT;
	c->demux.kind = DEMUX_CONNECTION;
	c->demux.references = &s->references;
	mutex_init(&c->send_lock);
	mutex_init(&c->read_lock);
	list_init(&c->accept_link);
	list_init(&c->output_link);
	list_init(&c->unacked);
	list_init(&c->unsent);
	list_init(&c->receive_queue);
	list_init(&c->out_of_order);
	c->state = TCP_CLOSE;
	c->congestion = tcp_congestion_default();
	c->rcv_mss = TCP_MSS_DEFAULT;
	c->mss = TCP_MSS_DEFAULT;
	c->cwnd = TCP_INITIAL_WINDOW * TCP_MSS_DEFAULT; /* until it is connected */
	c->ssthresh = UINT32_MAX;
	s->receive_limit = TCP_RECEIVE_DEFAULT;
	s->send_limit = TCP_SEND_DEFAULT;
	tcp_timer_init(c);
	return c;
}

static int tcp_create(const struct protocol *p, int number, struct socket **out)
{
	(void)number;
	struct tcp_connection *c = tcp_new(p);
	if (!c)
		return -ENOMEM;
	*out = &c->inet.socket;
	return 0;
}

static void tcp_destroy(struct socket *s)
{
	struct tcp_connection *c = tcp_of(s);
	tcp_queue_purge(c);
	tcp_purge_receive(c);
	port_release(&tcp_ports, &c->inet.port);
	route_release(&c->inet.route);
	inet_leave_groups(&c->inet);
	heap_free(c->listener);
}

void tcp_unlock(struct tcp_connection *c, irq_state irq)
{
	unsigned wake = c->wake;
	c->wake = 0;
	spin_unlock(&c->inet.socket.lock, irq);
	if (wake)
		wait_wake(&c->inet.socket.ready, wake);
}

void tcp_done(struct tcp_connection *c, int err)
{
	struct socket *s = &c->inet.socket;
	if (c->state == TCP_CLOSE)
		return;
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV)
		count_one(tcp_failed);
	c->state = TCP_CLOSE;
	c->ack_now = c->ack_delayed = false;
	tcp_timer_stop_all(c);
	if (c->in_demux) {
		c->in_demux = false;
		if (demux_remove(&c->demux))
			tcp_put(c);
	}
	if (!(c->inet.ip_options & INET_BOUND_PORT))
		port_release(&tcp_ports, &c->inet.port);
	tcp_queue_purge(c);
	if (c->orphan)
		tcp_purge_receive(c);
	else if (err)
		s->error = err;
	s->shutdown = SHUTDOWN_BOTH;
	c->wake |= EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLRDHUP;
	if (err)
		c->wake |= EPOLLERR;
}

void tcp_fail(struct tcp_connection *c, int err)
{
	tcp_done(c, c->soft_error ? c->soft_error : err);
}

uint32_t tcp_initial_sequence(const struct flow *f, uint32_t *timestamp_offset)
{
	uint64_t words[5] = {f->local.halves[0], f->local.halves[1], f->remote.halves[0],
		f->remote.halves[1], UINT64_MAX};
	*timestamp_offset = (uint32_t)hash_words(words, 5);
	words[4] = (uint64_t)f->local_port << 16 | f->remote_port;
	/* RFC 6528: a clock (here 64 ns) plus a keyed hash of the conversation. */
	return (uint32_t)(hash_words(words, 5) >> 32) + (uint32_t)(clock_monotonic_ns() >> 6);
}

/* --- bind, listen, connect --- */

static int tcp_bind(struct socket *s, const struct socket_address *a)
{
	struct tcp_connection *c = tcp_of(s);
	if (c->state != TCP_CLOSE)
		return -EINVAL;
	return inet_bind(&c->inet, &tcp_ports, a);
}

static int tcp_listen(struct socket *s, int backlog)
{
	struct tcp_connection *c = tcp_of(s);
	irq_state irq = tcp_lock(c);
	enum linux_tcp_state state = c->state;
	if (state == TCP_LISTEN)
		c->listener->backlog = (unsigned)backlog;
	tcp_unlock(c, irq);
	if (state == TCP_LISTEN)
		return 0;
	if (state != TCP_CLOSE || c->call != CALL_IDLE)
		return -EINVAL;
	int err = inet_autobind(&c->inet, &tcp_ports);
	return err < 0 ? err : tcp_listen_start(c, backlog);
}

/* A free local port for this peer: even ones first, from a start that differs per peer (RFC 6056 3.3.3). */
static int choose_port(struct tcp_connection *c)
{
	static atomic_uint rotation;
	struct flow *f = &c->demux.flow;
	uint32_t n = PORT_LAST_EPHEMERAL - PORT_FIRST_EPHEMERAL + 1;
	uint32_t start =
		flow_hash(f) + 2 * atomic_fetch_add_explicit(&rotation, 1, memory_order_relaxed);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (uint32_t)(((uint64_t)start + 2 * i) % n);
		at = i < n / 2 ? at & ~1u : at | 1;
		f->local_port = (uint16_t)(PORT_FIRST_EPHEMERAL + at);
		if (port_reserved(&tcp_ports, f->local_port) || demux_insert(&c->demux) < 0)
			continue;
		c->inet.port.flags = inet_port_flags(&c->inet.socket) | PORT_AUTOMATIC;
		int err = port_join(&tcp_ports, &c->inet.port, f->local_port);
		if (err < 0)
			(void)demux_remove(&c->demux);
		return err;
	}
	return -EADDRNOTAVAIL;
}

/* Locked.  Enter the conversation into the tables. */
static int claim_flow(struct tcp_connection *c, const struct flow *f)
{
	c->demux.flow = *f;
	c->inet.port.ip = f->local;
	int err = 0;
	if (f->local_port == 0)
		err = choose_port(c);
	else if (demux_insert(&c->demux) < 0)
		err = -EADDRNOTAVAIL;
	if (err < 0)
		return err;
	c->in_demux = true;
	tcp_hold(c); /* the table's */
	c->inet.flow = c->demux.flow;
	return 0;
}

static uint8_t window_scale(const struct tcp_connection *c)
{
	uint32_t space = max(tcp_receive_limit_max(), c->inet.socket.receive_limit);
	uint8_t scale = 0;
	for (; space > 65535 && scale < TCP_SCALE_MAX; space >>= 1)
		scale++;
	return scale;
}

/* Locked. */
static void send_first_syn(struct tcp_connection *c)
{
	c->iss = tcp_initial_sequence(&c->inet.flow, &c->ts_offset);
	c->snd_una = c->snd_nxt = c->iss;
	c->write_seq = c->small_end = c->iss + 1;
	c->rcv_wnd = min(c->inet.socket.receive_limit / 2, 65535u);
	c->rcv_scale = window_scale(c);
	c->window_clamp = tcp_receive_limit_max();
	c->retries = c->backoff = 0;
	c->soft_error = 0;
	c->fin_queued = c->fin_received = c->fin_known = false;
	c->inet.socket.shutdown = 0;
	c->rto_ms = TCP_RTO_INITIAL_MS;
	c->rtt_seen = false;
	c->peer_mss = 0;
	c->timestamps_ok = c->sack_ok = c->ecn_ok = false;
	tcp_sack_forget(c);
	c->state = TCP_SYN_SENT;
	c->call = CALL_CONNECTING;
	count_one(tcp_active_opens);
	tcp_send_syn(c);
	tcp_rexmit_start(c);
}

static int start_connect(struct tcp_connection *c, const struct ip_addr *to, uint16_t port)
{
	struct inet_socket *i = &c->inet;
	struct flow f = {.remote = *to, .remote_port = port};
	struct route route;
	int err = route_find_wait(&f.remote, i->socket.netif_index, &route);
	if (err < 0)
		return err;
	if (route.kind == ROUTE_BROADCAST || route.kind == ROUTE_MULTICAST) {
		route_release(&route);
		return -ENETUNREACH;
	}
	irq_state irq = tcp_lock(c);
	if (c->state != TCP_CLOSE) {
		err = -EISCONN;
	} else {
		f.local = ip_is_any(&i->flow.local) ? route.source : i->flow.local;
		f.local_port = i->flow.local_port;
		err = claim_flow(c, &f);
	}
	if (err == 0) {
		route_release(&i->route);
		i->route = route;
		send_first_syn(c);
	} else {
		route_release(&route);
	}
	tcp_unlock(c, irq);
	return err;
}

static void forget_peer(struct tcp_connection *c)
{
	struct flow *f = &c->inet.flow;
	f->remote = (struct ip_addr){0};
	f->remote_port = 0;
	if (!(c->inet.ip_options & INET_BOUND_PORT))
		f->local_port = 0;
	if (!(c->inet.ip_options & INET_BOUND_ADDRESS))
		f->local = inet_any(&c->inet);
	c->call = CALL_IDLE;
}

/* connect(AF_UNSPEC), and what a failed connect leaves: a socket that can connect again. */
static void disconnect(struct tcp_connection *c)
{
	/* Nobody is in the middle of copying. */
	mutex_lock(&c->read_lock);
	irq_state irq = tcp_lock(c);
	if (c->state != TCP_CLOSE && c->state != TCP_SYN_SENT && c->state != TCP_LISTEN)
		tcp_send_reset(c);
	bool listening = c->state == TCP_LISTEN;
	if (!listening)
		tcp_done(c, 0);
	forget_peer(c);
	tcp_purge_receive(c);
	c->rcv_end = c->copied_seq = c->rcv_nxt = 0;
	c->fin_received = false;
	c->inet.socket.error = 0;
	c->inet.socket.shutdown = 0;
	tcp_unlock(c, irq);
	mutex_unlock(&c->read_lock);
	if (listening)
		tcp_listen_stop(c);
}

static bool still_connecting(const struct tcp_connection *c)
{
	return c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV;
}

static int finish_connect(struct tcp_connection *c, int flags, uint64_t deadline_ns, int pending)
{
	struct socket *s = &c->inet.socket;
	if (still_connecting(c)) {
		if (flags & MSG_DONTWAIT)
			return pending;
		net_flush(); /* the SYN */
		int err = wait_event_interruptible(&s->ready, EPOLLOUT | EPOLLERR | EPOLLHUP,
			!still_connecting(c), deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? pending : err;
	}
	if (c->state == TCP_CLOSE) {
		int err = socket_take_error(s);
		forget_peer(c);
		s->shutdown = 0;
		return err ? err : -ECONNABORTED;
	}
	c->call = CALL_CONNECTED;
	return 0;
}

static int tcp_connect(
	struct socket *s, const struct socket_address *a, int flags, uint64_t deadline_ns)
{
	struct tcp_connection *c = tcp_of(s);
	if (((const struct linux_sockaddr *)a->bytes)->sa_family == AF_UNSPEC) {
		disconnect(c);
		return 0;
	}
	struct ip_addr to;
	uint16_t port = 0;
	int err = inet_parse_peer(&c->inet, a, true, &to, &port);
	if (err < 0)
		return err;
	if (c->call == CALL_CONNECTED)
		return -EISCONN;
	if (c->call == CALL_CONNECTING)
		return finish_connect(c, flags, deadline_ns, -EALREADY);
	if (c->state != TCP_CLOSE)
		return -EISCONN;
	err = start_connect(c, &to, port);
	return err < 0 ? err : finish_connect(c, flags, deadline_ns, -EINPROGRESS);
}

static int tcp_peer(struct socket *s, struct socket_address *out)
{
	struct tcp_connection *c = tcp_of(s);
	irq_state irq = tcp_lock(c);
	bool connected =
		c->state != TCP_CLOSE && c->state != TCP_SYN_SENT && c->state != TCP_LISTEN;
	if (connected)
		address_format(out, s->family, &c->inet.flow.remote, c->inet.flow.remote_port);
	tcp_unlock(c, irq);
	return connected ? 0 : -ENOTCONN;
}

/* --- ending --- */

/* Our side has nothing more to say.  Locked. */
static void send_fin(struct tcp_connection *c)
{
	switch (c->state) {
	case TCP_ESTABLISHED:
		c->state = TCP_FIN_WAIT1;
		break;
	case TCP_CLOSE_WAIT:
		c->state = TCP_LAST_ACK;
		break;
	case TCP_SYN_RECV:
		break;
	default:
		return;
	}
	tcp_queue_fin(c);
	if (c->state != TCP_CLOSE)
		tcp_output(c, TCP_OUTPUT_PUSH);
}

static int tcp_shutdown(struct socket *s, int how)
{
	struct tcp_connection *c = tcp_of(s);
	uint32_t bits = how == SHUT_RD   ? SHUTDOWN_RECEIVE
			: how == SHUT_WR ? SHUTDOWN_SEND
					 : SHUTDOWN_BOTH;
	irq_state irq = tcp_lock(c);
	enum linux_tcp_state state = c->state;
	if (state != TCP_LISTEN && state != TCP_SYN_SENT) {
		s->shutdown |= bits; /* without a connection, too, although that is an error */
		if (state != TCP_CLOSE && bits & SHUTDOWN_SEND)
			send_fin(c);
		c->wake |= EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLRDHUP;
		if (s->shutdown == SHUTDOWN_BOTH)
			c->wake |= EPOLLHUP;
	}
	tcp_unlock(c, irq);
	if (state == TCP_CLOSE)
		return -ENOTCONN;
	if (state == TCP_LISTEN && bits & SHUTDOWN_RECEIVE)
		tcp_listen_stop(c);
	else if (state == TCP_SYN_SENT)
		disconnect(c);
	return 0;
}

static bool closing(const struct tcp_connection *c)
{
	return c->state == TCP_FIN_WAIT1 || c->state == TCP_CLOSING || c->state == TCP_LAST_ACK;
}

/* SO_LINGER: wait until the peer has all of it. */
static void linger(struct tcp_connection *c)
{
	uint64_t deadline = clock_monotonic_ns() + (uint64_t)c->inet.socket.linger_s * NS_PER_S;
	net_flush();
	(void)wait_event_interruptible(&c->inet.socket.ready, EVENTS_ALL, !closing(c), deadline);
}

/* Locked.  The orderly end, or a reset when data are lost anyway (RFC 2525 2.17). */
static void begin_close(struct tcp_connection *c)
{
	struct socket *s = &c->inet.socket;
	bool unread = tcp_readable(c) > 0 && c->state != TCP_SYN_SENT;
	bool abort = socket_option(s, OPTION_LINGER) && s->linger_s == 0;
	bool connected = c->state != TCP_SYN_SENT && c->state != TCP_SYN_RECV;
	s->shutdown = SHUTDOWN_BOTH;
	tcp_purge_receive(c);
	if (unread || abort || c->state == TCP_SYN_SENT) {
		if (connected)
			tcp_send_reset(c);
		tcp_done(c, 0);
		return;
	}
	send_fin(c);
}

/* Locked.  What happens to a connection without a file. */
static void become_orphan(struct tcp_connection *c)
{
	c->orphan = true;
	tcp_purge_receive(c);
	if (c->state != TCP_FIN_WAIT2)
		return;
	if (c->linger2_s < 0) {
		tcp_send_reset(c);
		tcp_done(c, 0);
	} else {
		tcp_time_wait_enter(c, TCP_FIN_WAIT2,
			c->linger2_s ? (uint64_t)c->linger2_s * 1000 : TCP_FIN_TIMEOUT_MS);
	}
}

static void tcp_close(struct socket *s, bool nonblocking)
{
	struct tcp_connection *c = tcp_of(s);
	if (c->state == TCP_LISTEN)
		tcp_listen_stop(c);
	irq_state irq = tcp_lock(c);
	if (c->state != TCP_CLOSE)
		begin_close(c);
	tcp_unlock(c, irq);
	bool waits = socket_option(s, OPTION_LINGER) && s->linger_s > 0 && !nonblocking;
	if (waits && closing(c))
		linger(c);
	irq = tcp_lock(c);
	become_orphan(c);
	tcp_unlock(c, irq);
}

/* --- readiness --- */

static bool writable(struct tcp_connection *c)
{
	uint32_t limit = c->inet.socket.send_limit;
	uint32_t used = c->send_charge;
	if (c->not_sent_low_water && c->write_seq - c->snd_nxt >= c->not_sent_low_water)
		return false;
	return used <= limit && limit - used >= used / 2;
}

unsigned tcp_poll(struct socket *s)
{
	struct tcp_connection *c = tcp_of(s);
	if (c->state == TCP_LISTEN)
		return c->listener->n_ready > 0 ? EPOLLIN | EPOLLRDNORM : 0;
	unsigned events = 0;
	uint32_t shut = s->shutdown;
	if (shut == SHUTDOWN_BOTH || c->state == TCP_CLOSE)
		events |= EPOLLHUP;
	if (shut & SHUTDOWN_RECEIVE)
		events |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (c->state != TCP_SYN_SENT && c->state != TCP_SYN_RECV) {
		uint32_t readable = tcp_readable(c);
		if (readable > 0 && readable >= (uint32_t)s->low_water)
			events |= EPOLLIN | EPOLLRDNORM;
		/* The flag asks for a wake-up; look again, as space may have come in between. */
		if (!(shut & SHUTDOWN_SEND) && !writable(c))
			c->no_space = true;
		if (shut & SHUTDOWN_SEND || writable(c))
			events |= EPOLLOUT | EPOLLWRNORM;
	}
	if (s->error)
		events |= EPOLLERR;
	return events;
}

static int tcp_ioctl(struct socket *s, unsigned request, int *value)
{
	struct tcp_connection *c = tcp_of(s);
	int err = 0;
	irq_state irq = tcp_lock(c);
	bool quiet = c->state == TCP_CLOSE || c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV;
	if (request == SIOCATMARK) {
		*value = 0;
	} else if (request != FIONREAD && request != SIOCOUTQ && request != SIOCOUTQNSD) {
		err = -ENOTTY;
	} else if (c->state == TCP_LISTEN) {
		err = -EINVAL;
	} else if (request == FIONREAD) {
		*value = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV
				 ? 0
				 : (int)tcp_readable(c);
	} else if (!quiet) {
		*value = (int)(c->write_seq - (request == SIOCOUTQ ? c->snd_una : c->snd_nxt));
	}
	tcp_unlock(c, irq);
	return err;
}

static void tcp_option_changed(struct socket *s, int name)
{
	struct tcp_connection *c = tcp_of(s);
	if (name == SO_REUSEADDR || name == SO_REUSEPORT)
		port_change(&tcp_ports, &c->inet.port, &c->inet.port.ip, NULL, inet_port_flags(s));
	if (name != SO_KEEPALIVE)
		return;
	irq_state irq = tcp_lock(c);
	tcp_keepalive_reset(c);
	tcp_unlock(c, irq);
}

/* The same for both families. */
#define TCP_PROTOCOL(of_family)                                                                    \
	{                                                                                          \
		.family = of_family, .type = SOCK_STREAM, .number = IPPROTO_TCP,                   \
		.create = tcp_create, .bind = tcp_bind, .listen = tcp_listen,                      \
		.accept = tcp_accept, .connect = tcp_connect, .name = inet_name, .peer = tcp_peer, \
		.shutdown = tcp_shutdown, .set_option = tcp_set_option,                            \
		.get_option = tcp_get_option, .option_changed = tcp_option_changed,                \
		.send = tcp_send, .receive = tcp_receive, .send_pages = tcp_send_pages,            \
		.poll = tcp_poll, .ioctl = tcp_ioctl, .close = tcp_close, .destroy = tcp_destroy,  \
	}

const struct protocol tcp_protocol = TCP_PROTOCOL(AF_INET);
const struct protocol tcp6_protocol = TCP_PROTOCOL(AF_INET6);
