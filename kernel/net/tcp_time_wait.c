/*
 * What is left of a closed connection: a small object that acknowledges a repeated FIN and keeps old segments from
 * a new connection (RFC 9293 3.6.1), or, in FIN_WAIT2, waits for the FIN of a peer whose connection nobody has open.
 */
#include "kernel/mem/heap.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

struct tcp_time_wait {
	atomic_uint references; /* the table's, an armed timer's, finders' */
	struct spinlock lock;
	struct demux_entry demux;
	struct port_user port;
	struct wheel_timer timer;
	/* under lock: */
	enum linux_tcp_state state; /* TCP_FIN_WAIT2, TCP_TIME_WAIT, TCP_CLOSE */
	uint32_t snd_nxt, rcv_nxt, rcv_wnd, window_field;
	bool timestamps_ok;
	uint32_t ts_recent, ts_offset;
	uint64_t ts_recent_ms;
	uint8_t tos;
};

static atomic_uint n_time_wait;

struct tcp_time_wait *tcp_time_wait_of(struct demux_entry *e)
{
	return container_of(e, struct tcp_time_wait, demux);
}

enum linux_tcp_state tcp_time_wait_state(const struct tcp_time_wait *t)
{
	return t->state;
}

void tcp_time_wait_put(struct tcp_time_wait *t)
{
	if (atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) != 1)
		return;
	port_release(&tcp_ports, &t->port);
	atomic_fetch_sub_explicit(&n_time_wait, 1, memory_order_relaxed);
	heap_free(t);
}

/* Take it out of the world; the caller has a reference of its own. */
static void end(struct tcp_time_wait *t)
{
	t->state = TCP_CLOSE;
	if (wheel_cancel(&t->timer))
		tcp_time_wait_put(t);
	if (demux_remove(&t->demux))
		tcp_time_wait_put(t);
}

static void timer_fired(struct wheel_timer *timer)
{
	struct tcp_time_wait *t = container_of(timer, struct tcp_time_wait, timer);
	irq_state irq = spin_lock(&t->lock);
	if (!wheel_armed(&t->timer)) /* else it was started anew meanwhile */
		end(t);
	spin_unlock(&t->lock, irq);
	tcp_time_wait_put(t);
}

static void restart_timer(struct tcp_time_wait *t, uint64_t timeout_ms)
{
	if (!wheel_start(&t->timer, now_ms() + timeout_ms))
		atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
}

static void never_listening(struct port_user *u)
{
	(void)u;
}

static struct tcp_time_wait *create(struct tcp_connection *c, enum linux_tcp_state state)
{
	if (n_time_wait >= net_limits.time_wait_max)
		return NULL;
	struct tcp_time_wait *t = heap_zalloc(sizeof(*t));
	if (!t)
		return NULL;
	t->references = 2; /* the table's and ours */
	t->demux.kind = DEMUX_TIME_WAIT;
	t->demux.references = &t->references;
	t->demux.flow = c->demux.flow;
	t->state = state;
	t->snd_nxt = c->snd_nxt;
	t->rcv_nxt = c->rcv_nxt;
	t->rcv_wnd = c->rcv_wnd;
	t->window_field = c->rcv_wnd >> c->rcv_scale;
	t->timestamps_ok = c->timestamps_ok;
	t->ts_recent = c->ts_recent;
	t->ts_recent_ms = c->ts_recent_ms;
	t->ts_offset = c->ts_offset;
	t->tos = c->inet.tos;
	t->port.ip = c->inet.port.ip;
	t->port.flags = c->inet.port.flags | PORT_AUTOMATIC;
	t->port.hold = never_listening;
	wheel_timer_init(&t->timer, timer_fired);
	atomic_fetch_add_explicit(&n_time_wait, 1, memory_order_relaxed);
	return t;
}

void tcp_time_wait_enter(struct tcp_connection *c, enum linux_tcp_state state, uint64_t timeout_ms)
{
	struct tcp_time_wait *t = create(c, state);
	if (!t)
		goto done;
	if (port_join(&tcp_ports, &t->port, c->inet.flow.local_port) < 0 ||
		!demux_replace(&c->demux, &t->demux)) {
		tcp_time_wait_put(t);
		tcp_time_wait_put(t);
		goto done;
	}
	c->in_demux = false;
	tcp_put(c); /* the table's */
	restart_timer(t, timeout_ms);
	tcp_time_wait_put(t);
done:
	tcp_done(c, 0);
}

static void acknowledge(const struct tcp_time_wait *t)
{
	struct tcp_reply r = {
		.flow = t->demux.flow,
		.seq = t->snd_nxt,
		.ack = t->rcv_nxt,
		.window = t->window_field,
		.flags = TCP_ACK,
		.tos = t->tos,
		.has_timestamp = t->timestamps_ok,
		.timestamp = (uint32_t)now_ms() + t->ts_offset,
		.timestamp_echo = t->ts_recent,
	};
	tcp_send_reply(&r);
}

static bool paws_rejects(const struct tcp_time_wait *t, const struct tcp_segment *s)
{
	return s->has_timestamp && t->timestamps_ok && !(s->flags & TCP_RST) &&
	       seq_before(s->timestamp, t->ts_recent);
}

static void note_timestamp(struct tcp_time_wait *t, const struct tcp_segment *s)
{
	if (s->has_timestamp && t->timestamps_ok) {
		t->ts_recent = s->timestamp;
		t->ts_recent_ms = now_ms();
	}
}

/* Still waiting for the peer's FIN. */
static void fin_wait2_input(struct tcp_time_wait *t, const struct tcp_segment *s)
{
	bool in_window =
		!seq_before(s->end, t->rcv_nxt) && !seq_after(s->seq, t->rcv_nxt + t->rcv_wnd);
	if (paws_rejects(t, s) || !in_window) {
		if (!(s->flags & TCP_RST))
			acknowledge(t);
		return;
	}
	if (s->flags & TCP_RST) {
		end(t);
		return;
	}
	if (s->flags & TCP_SYN) {
		tcp_reset_segment(&t->demux.flow, s);
		return;
	}
	if (!(s->flags & TCP_ACK) || s->end == s->seq || !seq_after(s->end, t->rcv_nxt))
		return;
	if (!(s->flags & TCP_FIN) || s->end != t->rcv_nxt + 1) {
		/* Data for a socket that is closed. */
		tcp_reset_segment(&t->demux.flow, s);
		end(t);
		return;
	}
	t->state = TCP_TIME_WAIT;
	t->rcv_nxt = s->end;
	note_timestamp(t, s);
	restart_timer(t, TCP_TIME_WAIT_MS);
	acknowledge(t);
}

/* False: a new connection may take over (RFC 9293 3.10.7.4, RFC 6191). */
static bool time_wait_input(struct tcp_time_wait *t, struct tcp_segment *s)
{
	bool old = paws_rejects(t, s);
	bool empty = s->seq == t->rcv_nxt && s->end == s->seq;
	if (!old && s->seq == t->rcv_nxt && (empty || s->flags & TCP_RST)) {
		if (s->flags & TCP_RST) {
			end(t);
		} else {
			note_timestamp(t, s);
			restart_timer(t, TCP_TIME_WAIT_MS);
		}
		return true;
	}
	bool plain_syn = (s->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN;
	bool newer =
		seq_after(s->seq, t->rcv_nxt) ||
		(s->has_timestamp && t->timestamps_ok && seq_before(t->ts_recent, s->timestamp));
	if (plain_syn && !old && newer) {
		s->iss_hint = max(t->snd_nxt + 65537, 1u);
		end(t);
		return false;
	}
	if (!(s->flags & TCP_RST)) {
		if (old || s->flags & TCP_ACK)
			restart_timer(t, TCP_TIME_WAIT_MS);
		acknowledge(t);
	}
	return true;
}

bool tcp_time_wait_input(struct tcp_time_wait *t, struct tcp_segment *s)
{
	bool consumed = true;
	irq_state irq = spin_lock(&t->lock);
	if (t->state == TCP_FIN_WAIT2)
		fin_wait2_input(t, s);
	else if (t->state == TCP_TIME_WAIT)
		consumed = time_wait_input(t, s);
	else
		consumed = false;
	spin_unlock(&t->lock, irq);
	return consumed;
}
