/*
 * Connections in the making: a SYN makes a request, a small object that answers with SYN-ACK; its final ACK makes a
 * connection, which waits to be accepted.  Both queues are limited by the backlog; with the first full, SYN cookies
 * need no memory at all.
 */
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

#define SYN_ACK_FIRST_MS 1000u
#define COOKIE_LIFETIME_MS 120000u

struct tcp_request {
	atomic_uint
		references; /* the demux table's (with the list's), an armed timer's, finders' */
	struct spinlock lock;
	struct demux_entry demux;
	struct tcp_connection *listener; /* counted */
	struct list link;                /* under the listener's lock */
	struct wheel_timer timer;
	struct tcp_agreement agreed; /* fixed */
	uint16_t mss;                /* ours */
	uint8_t tos;
	atomic_bool
		waits; /* for a place in the accept queue: the next accept(2) makes it a connection */
	/* under lock: */
	unsigned tries;
	bool acked; /* deferred (TCP_DEFER_ACCEPT), or the queue was full: the peer thinks it is connected */
	uint32_t window; /* then */
	uint64_t born_ms;
	uint32_t sent_us;
};

static _Atomic uint64_t last_cookie_ms;

struct tcp_request *tcp_request_of(struct demux_entry *e)
{
	return container_of(e, struct tcp_request, demux);
}

void tcp_request_put(struct tcp_request *r)
{
	if (atomic_fetch_sub_explicit(&r->references, 1, memory_order_acq_rel) != 1)
		return;
	tcp_put(r->listener);
	heap_free(r);
}

static void send_syn_ack(const struct flow *f, const struct tcp_agreement *a, uint16_t mss,
	uint8_t tos, uint32_t timestamp)
{
	struct tcp_reply reply = {
		.flow = *f,
		.seq = a->iss,
		.ack = a->irs + 1,
		.window = a->rcv_wnd,
		.flags = TCP_SYN | TCP_ACK | (a->ecn_ok ? TCP_ECE : 0),
		.tos = tos,
		.has_timestamp = a->timestamps_ok,
		.has_scale = a->scale_ok,
		.sack_permitted = a->sack_ok,
		.scale = a->rcv_scale,
		.mss = mss,
		.timestamp = timestamp,
		.timestamp_echo = a->ts_recent,
	};
	tcp_send_reply(&reply);
}

static void request_send(struct tcp_request *r)
{
	r->sent_us = (uint32_t)(clock_monotonic_ns() / NS_PER_US);
	send_syn_ack(&r->demux.flow, &r->agreed, r->mss, r->tos,
		(uint32_t)now_ms() + r->agreed.ts_offset);
}

/* What it was before. */
static bool set_waits(struct tcp_request *r, bool waits)
{
	bool before = atomic_exchange(&r->waits, waits);
	if (before != waits)
		atomic_fetch_add(&r->listener->listener->n_waiting, waits ? 1u : -1u);
	return before;
}

/* Out of the listener's list and the timer; whoever took it out of the demux table calls this, once. */
static void request_leave(struct tcp_request *r)
{
	irq_state irq = tcp_lock(r->listener);
	list_remove(&r->link);
	r->listener->listener->n_requests--;
	tcp_unlock(r->listener, irq);
	(void)set_waits(r, false);
	if (wheel_cancel(&r->timer))
		tcp_request_put(r);
	tcp_request_put(r); /* the table's */
}

static void request_drop(struct tcp_request *r)
{
	if (demux_remove(&r->demux))
		request_leave(r);
}

/* lock held; from the timer, or for the first time. */
static void request_timer_start(struct tcp_request *r)
{
	if (!wheel_start(&r->timer, now_ms() + ((uint64_t)SYN_ACK_FIRST_MS << r->tries)))
		atomic_fetch_add_explicit(&r->references, 1, memory_order_relaxed);
}

static void request_fired(struct wheel_timer *timer)
{
	struct tcp_request *r = container_of(timer, struct tcp_request, timer);
	irq_state irq = spin_lock(&r->lock);
	bool over = r->tries >= TCP_SYNACK_RETRIES;
	if (!over) {
		r->tries++;
		uint64_t deferred_ms = r->listener->defer_accept_s * 1000ull;
		/*
		 * While acceptance is deferred the peer needs no reminder, nor when it only waits for a place: QEMU's
		 * user network forgets the data it has to send when it sees a second SYN-ACK.
		 */
		if (!r->acked || (!r->waits && now_ms() - r->born_ms >= deferred_ms))
			request_send(r);
		request_timer_start(r);
	}
	spin_unlock(&r->lock, irq);
	if (over)
		request_drop(r);
	tcp_request_put(r);
}

static uint8_t choose_scale(uint32_t space)
{
	uint8_t scale = 0;
	while (space > 65535 && scale < TCP_SCALE_MAX) {
		space >>= 1;
		scale++;
	}
	return scale;
}

static void agree(const struct tcp_connection *l, const struct tcp_segment *s, const struct flow *f,
	struct tcp_agreement *a)
{
	const struct socket *socket = &l->inet.socket;
	*a = (struct tcp_agreement){
		.irs = s->seq,
		.peer_mss = max(s->mss ? s->mss : (uint16_t)TCP_MSS_DEFAULT, (uint16_t)TCP_MSS_MIN),
		.scale_ok = s->has_scale,
		.snd_scale = s->scale,
		.timestamps_ok = s->has_timestamp,
		.sack_ok = s->sack_permitted,
		/* RFC 3168 6.1.1: if the peer proposes it, as Linux. */
		.ecn_ok = (s->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR),
		.ts_recent = s->timestamp,
		.rcv_wnd = min(socket->receive_limit / 2, 65535u),
	};
	if (a->scale_ok)
		a->rcv_scale = choose_scale(max(tcp_receive_limit_max(), socket->receive_limit));
	a->iss = tcp_initial_sequence(f, &a->ts_offset);
	if (s->iss_hint)
		a->iss = s->iss_hint;
}

static uint16_t our_mss(const struct tcp_connection *l, const struct flow *f)
{
	struct route route;
	if (route_find(&f->remote, 0, &route) < 0)
		return TCP_MSS_DEFAULT;
	uint16_t mss = (uint16_t)(route.mtu - tcp_overhead(f));
	route_release(&route);
	return l->user_mss ? min(mss, l->user_mss) : mss;
}

static void answer_with_cookie(
	struct tcp_connection *l, const struct flow *f, struct tcp_agreement *a)
{
	uint32_t timestamp = (uint32_t)now_ms() + a->ts_offset;
	/* Without timestamps there is no place for the scale. */
	a->ecn_ok = false;
	if (!a->timestamps_ok)
		a->scale_ok = a->sack_ok = false;
	else
		timestamp = tcp_cookie_timestamp(timestamp, a);
	a->iss = tcp_cookie_make(f, a->irs, &a->peer_mss);
	last_cookie_ms = max(now_ms(), (uint64_t)1);
	count_one(tcp_cookies_sent);
	send_syn_ack(f, a, our_mss(l, f), l->inet.tos, timestamp);
}

static struct tcp_request *request_new(
	struct tcp_connection *l, const struct flow *f, const struct tcp_agreement *a)
{
	struct tcp_request *r = heap_zalloc(sizeof(*r));
	if (!r)
		return NULL;
	r->references = 2; /* the table's and the caller's */
	r->demux.kind = DEMUX_REQUEST;
	r->demux.references = &r->references;
	r->demux.flow = *f;
	r->agreed = *a;
	r->mss = our_mss(l, f);
	r->tos = l->inet.tos;
	r->born_ms = now_ms();
	r->listener = l;
	tcp_hold(l);
	list_init(&r->link);
	wheel_timer_init(&r->timer, request_fired);
	return r;
}

/* Into list and table, answer, timer. */
static void request_start(struct tcp_connection *l, struct tcp_request *r)
{
	irq_state irq = tcp_lock(l);
	bool listening = l->state == TCP_LISTEN;
	if (listening) {
		list_push_back(&l->listener->requests, &r->link);
		l->listener->n_requests++;
	}
	tcp_unlock(l, irq);
	if (!listening) {
		tcp_request_put(r);
		tcp_request_put(r);
		return;
	}
	if (demux_insert(&r->demux) < 0) {
		request_leave(r);
		tcp_request_put(r);
		return;
	}
	irq = spin_lock(&r->lock);
	request_send(r);
	request_timer_start(r);
	spin_unlock(&r->lock, irq);
	tcp_request_put(r);
}

static void syn_input(struct tcp_connection *l, const struct flow *f, const struct tcp_segment *s)
{
	irq_state irq = tcp_lock(l);
	bool listening = l->state == TCP_LISTEN;
	bool accept_full = listening && l->listener->n_ready > l->listener->backlog;
	bool requests_full = listening && l->listener->n_requests >= max(l->listener->backlog, 8u);
	tcp_unlock(l, irq);
	if (!listening) {
		tcp_reset_segment(f, s);
		return;
	}
	if (accept_full) {
		count_one(tcp_listen_overflows);
		return; /* the peer will try again */
	}
	struct tcp_agreement a;
	agree(l, s, f, &a);
	struct tcp_request *r = requests_full ? NULL : request_new(l, f, &a);
	if (r)
		request_start(l, r);
	else
		answer_with_cookie(l, f, &a);
}

/* --- the final ACK --- */

static void inherit(struct tcp_connection *c, const struct tcp_connection *l)
{
	struct socket *to = &c->inet.socket;
	const struct socket *from = &l->inet.socket;
	to->options = from->options & ~OPTION_LISTENING;
	to->receive_limit = from->receive_limit;
	to->send_limit = from->send_limit;
	to->linger_s = from->linger_s;
	to->low_water = from->low_water;
	to->priority = from->priority;
	to->mark = from->mark;
	to->netif_index = from->netif_index;
	to->receive_timeout_ns = from->receive_timeout_ns;
	to->send_timeout_ns = from->send_timeout_ns;
	c->inet.ip_options = l->inet.ip_options & ~(INET_BOUND_PORT | INET_BOUND_ADDRESS);
	c->inet.tos = l->inet.tos;
	c->inet.ttl = l->inet.ttl;
	c->inet.mtu_discover = l->inet.mtu_discover;
	c->inet.v6 = l->inet.v6;
	c->congestion = l->congestion;
	c->user_mss = l->user_mss;
	c->nodelay = l->nodelay;
	c->cork = l->cork;
	c->not_sent_low_water = l->not_sent_low_water;
	c->keepalive_idle_s = l->keepalive_idle_s;
	c->keepalive_interval_s = l->keepalive_interval_s;
	c->keepalive_count = l->keepalive_count;
	c->user_timeout_ms = l->user_timeout_ms;
	c->linger2_s = l->linger2_s;
}

static void take_agreement(struct tcp_connection *c, const struct tcp_agreement *a)
{
	c->iss = a->iss;
	c->snd_una = c->snd_nxt = c->write_seq = c->small_end = a->iss + 1;
	c->irs = a->irs;
	c->rcv_end = c->rcv_nxt = c->rcv_wup = c->copied_seq = c->space_copied_seq = a->irs + 1;
	c->snd_wl1 = a->irs;
	c->snd_wl2 = c->snd_una;
	c->peer_mss = a->peer_mss;
	c->scale_ok = a->scale_ok;
	c->snd_scale = a->scale_ok ? a->snd_scale : 0;
	c->rcv_scale = a->scale_ok ? a->rcv_scale : 0;
	c->timestamps_ok = a->timestamps_ok;
	c->sack_ok = a->sack_ok;
	c->ecn_ok = a->ecn_ok;
	c->ts_recent = a->ts_recent;
	c->ts_recent_ms = now_ms();
	c->ts_offset = a->ts_offset;
	c->rcv_wnd = a->rcv_wnd;
	c->window_clamp = a->scale_ok ? tcp_receive_limit_max() : 65535;
}

/* The established child, in the tables; replaced: its request, or NULL.  One reference for the caller, who sees to
 * request_leave() and child_ready(). */
static struct tcp_connection *open_child(struct tcp_connection *l, const struct flow *f,
	const struct tcp_agreement *a, struct tcp_request *replaced)
{
	struct tcp_connection *c = tcp_new(l->inet.socket.protocol);
	if (!c)
		return NULL;
	inherit(c, l);
	c->inet.flow = c->demux.flow = *f;
	take_agreement(c, a);
	c->inet.port.ip = f->local;
	c->inet.port.flags = inet_port_flags(&c->inet.socket) | PORT_AUTOMATIC;
	if (tcp_sync_route(c) < 0 || port_join(&tcp_ports, &c->inet.port, f->local_port) < 0)
		goto put;
	c->state = TCP_ESTABLISHED;
	c->call = CALL_CONNECTED;
	tcp_congestion_init(c);
	c->quick_acks = TCP_QUICK_ACKS;
	c->in_demux = true;
	tcp_hold(c); /* the table's */
	bool in = replaced ? demux_replace(&replaced->demux, &c->demux)
			   : demux_insert(&c->demux) == 0;
	if (in)
		return c;
	c->in_demux = false;
	c->state = TCP_CLOSE;
	tcp_put(c);
put:
	tcp_put(c);
	return NULL;
}

/* Into the accept queue, which takes a reference; a listener closed meanwhile means a reset. */
static void child_ready(struct tcp_connection *l, struct tcp_connection *c)
{
	irq_state irq = tcp_lock(l);
	bool listening = l->state == TCP_LISTEN;
	if (listening) {
		tcp_hold(c);
		list_push_back(&l->listener->ready, &c->accept_link);
		l->listener->n_ready++;
		l->wake |= EPOLLIN | EPOLLRDNORM;
	}
	tcp_unlock(l, irq);
	count_one(tcp_passive_opens);
	if (listening)
		return;
	irq = tcp_lock(c);
	tcp_send_reset(c);
	tcp_done(c, 0);
	tcp_unlock(c, irq);
}

/* The segment that completed the handshake: window, data, perhaps FIN.  Takes p over. */
static void first_input(
	struct tcp_connection *c, struct packet *p, struct tcp_segment *s, uint32_t rtt_us)
{
	irq_state irq = tcp_lock(c);
	c->snd_wnd = c->max_window = s->window << c->snd_scale;
	c->snd_wl1 = s->seq;
	if (rtt_us)
		tcp_rtt_sample(c, rtt_us);
	tcp_keepalive_reset(c);
	tcp_connection_input(c, p, s);
	tcp_unlock(c, irq);
}

static bool accept_queue_full(struct tcp_connection *l)
{
	irq_state irq = tcp_lock(l);
	bool full = l->state != TCP_LISTEN || l->listener->n_ready > l->listener->backlog;
	tcp_unlock(l, irq);
	if (full)
		count_one(tcp_listen_overflows);
	return full;
}

/* Let the peer wait: TCP_DEFER_ACCEPT wants data with or after the ACK, and a full queue wants patience. */
static bool must_wait(struct tcp_request *r, const struct tcp_segment *s)
{
	struct tcp_connection *l = r->listener;
	uint64_t deferred_ms = l->defer_accept_s * 1000ull;
	bool bare = s->end == r->agreed.irs + 1;
	bool wait = deferred_ms && bare && now_ms() - r->born_ms < deferred_ms;
	if (!wait) {
		/* First, then the look at the queue: whoever makes room sees it. */
		r->window = s->window;
		(void)set_waits(r, true);
		wait = accept_queue_full(l);
		if (!wait)
			(void)set_waits(r, false);
	}
	r->acked |= wait;
	return wait;
}

/* RFC 9293 3.10.7.4 for SYN-RECEIVED.  True: this segment completes the handshake. */
static bool request_completes(struct tcp_request *r, const struct tcp_segment *s, bool *drop)
{
	const struct tcp_agreement *a = &r->agreed;
	if (s->flags & TCP_SYN && s->seq == a->irs && !(s->flags & (TCP_RST | TCP_ACK))) {
		request_send(r); /* our answer was lost */
		return false;
	}
	bool old = s->has_timestamp && a->timestamps_ok && seq_before(s->timestamp, a->ts_recent);
	bool in_window =
		!seq_before(s->end, a->irs + 1) && !seq_after(s->seq, a->irs + 1 + a->rcv_wnd);
	if (!in_window || (old && !(s->flags & TCP_RST))) {
		if (!(s->flags & TCP_RST))
			request_send(r);
		return false;
	}
	if (s->flags & (TCP_RST | TCP_SYN)) {
		/* A reset must hit the sequence exactly (RFC 5961 3.2). */
		*drop = s->flags & TCP_SYN || s->seq == a->irs + 1;
		return false;
	}
	if (!(s->flags & TCP_ACK))
		return false;
	if (s->ack != a->iss + 1) {
		tcp_reset_segment(&r->demux.flow, s);
		return false;
	}
	return !must_wait(r, s);
}

/* The listener's oldest request that waits for a place, if there is one; counted. */
static struct tcp_request *take_waiting(struct tcp_connection *l)
{
	struct tcp_request *r, *found = NULL;
	irq_state irq = tcp_lock(l);
	if (l->state == TCP_LISTEN && l->listener->n_ready <= l->listener->backlog)
		list_for_each (r, &l->listener->requests, link)
			if (set_waits(r, false)) {
				found = r;
				break;
			}
	if (found)
		atomic_fetch_add_explicit(&found->references, 1, memory_order_relaxed);
	tcp_unlock(l, irq);
	return found;
}

/* A place is free.  What came with the ACK was dropped: the peer sends it again. */
void tcp_promote_waiting(struct tcp_connection *l)
{
	if (l->listener->n_waiting == 0)
		return;
	struct tcp_request *r = take_waiting(l);
	if (!r)
		return;
	struct tcp_connection *c = open_child(l, &r->demux.flow, &r->agreed, r);
	if (c) {
		request_leave(r);
		irq_state irq = tcp_lock(c);
		c->snd_wnd = c->max_window = r->window << c->snd_scale;
		tcp_keepalive_reset(c);
		tcp_unlock(c, irq);
		child_ready(l, c);
		tcp_put(c);
	}
	tcp_request_put(r);
}

void tcp_request_input(struct tcp_request *r, struct packet *p, struct tcp_segment *s)
{
	bool drop = false;
	irq_state irq = spin_lock(&r->lock);
	bool completes = request_completes(r, s, &drop);
	uint32_t rtt_us =
		r->tries == 0 && !r->acked
			? max((uint32_t)(clock_monotonic_ns() / NS_PER_US) - r->sent_us, 1u)
			: 0;
	spin_unlock(&r->lock, irq);
	if (drop)
		request_drop(r);
	struct tcp_connection *l = r->listener;
	struct tcp_connection *c = completes ? open_child(l, &r->demux.flow, &r->agreed, r) : NULL;
	if (!c) {
		packet_free(p);
		return;
	}
	request_leave(r);
	first_input(c, p, s, rtt_us);
	child_ready(l, c);
	tcp_put(c);
}

/* An ACK without a request: does it carry a cookie of ours? */
static bool cookie_input(
	struct tcp_connection *l, struct packet *p, const struct flow *f, struct tcp_segment *s)
{
	if (last_cookie_ms == 0 || now_ms() - last_cookie_ms > COOKIE_LIFETIME_MS)
		return false;
	uint16_t mss = tcp_cookie_check(f, s->ack - 1, s->seq - 1);
	if (mss == 0)
		return false;
	struct tcp_agreement a;
	struct tcp_segment syn = {.seq = s->seq - 1,
		.mss = mss,
		.has_timestamp = s->has_timestamp,
		.timestamp = s->timestamp};
	agree(l, &syn, f, &a);
	a.iss = s->ack - 1;
	if (s->has_timestamp) {
		tcp_cookie_timestamp_read(s->timestamp_echo, &a);
		if (a.scale_ok)
			a.rcv_scale = choose_scale(
				max(tcp_receive_limit_max(), l->inet.socket.receive_limit));
	}
	struct tcp_connection *c = accept_queue_full(l) ? NULL : open_child(l, f, &a, NULL);
	if (!c) {
		packet_free(p);
		return true;
	}
	first_input(c, p, s, 0);
	child_ready(l, c);
	tcp_put(c);
	return true;
}

void tcp_listen_input(
	struct tcp_connection *l, struct packet *p, const struct flow *f, struct tcp_segment *s)
{
	if (s->flags & TCP_RST)
		goto done;
	if (s->flags & TCP_ACK) {
		if (!(s->flags & TCP_SYN) && cookie_input(l, p, f, s))
			return;
		tcp_reset_segment(f, s);
		goto done;
	}
	if ((s->flags & (TCP_SYN | TCP_FIN)) == TCP_SYN)
		syn_input(l, f, s);
done:
	packet_free(p);
}

void tcp_request_error(struct tcp_request *r, const struct ip_error *e)
{
	if (e->err != EMSGSIZE && e->sequence == r->agreed.iss)
		request_drop(r);
}

/* Each request is dropped without the listener's lock. */
void tcp_requests_drop(struct tcp_connection *l)
{
	irq_state irq = tcp_lock(l);
	while (!list_empty(&l->listener->requests)) {
		struct tcp_request *r =
			list_first(&l->listener->requests, struct tcp_request, link);
		atomic_fetch_add_explicit(&r->references, 1, memory_order_relaxed);
		list_remove(&r->link);
		tcp_unlock(l, irq);
		request_drop(r);
		tcp_request_put(r);
		irq = tcp_lock(l);
	}
	tcp_unlock(l, irq);
}
