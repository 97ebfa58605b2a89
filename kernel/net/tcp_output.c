/*
 * What TCP may send now, and the segments themselves.  The send queue is two lists of packets, unacked and unsent;
 * the first transmission hands the packet itself to the device, every other one another (tcp_scoreboard.c).
 */
#include "kernel/lib/string.h"
#include "kernel/net/checksum.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/tcp_internal.h"

#define GSO_MAX 65000u /* with headers it must fit an IP packet, in 16 pages */

uint32_t tcp_timestamp(struct tcp_connection *c)
{
	return (uint32_t)tcp_now_ms(c) + c->ts_offset;
}

int tcp_sync_route(struct tcp_connection *c)
{
	struct inet_socket *i = &c->inet;
	if (!route_valid(&i->route)) {
		struct route fresh;
		int err = route_find(&i->flow.remote, i->socket.netif_index, &fresh);
		if (err < 0)
			return err;
		route_release(&i->route);
		i->route = fresh;
	}
	uint32_t mss = i->route.mtu - tcp_overhead(&i->flow);
	if (c->peer_mss)
		mss = min(mss, (uint32_t)c->peer_mss);
	if (c->user_mss)
		mss = min(mss, (uint32_t)c->user_mss);
	if (c->timestamps_ok)
		mss -= TCP_TIMESTAMP_SPACE;
	c->mss = (uint16_t)max(mss, TCP_MSS_MIN - TCP_TIMESTAMP_SPACE);
	return 0;
}

uint32_t tcp_segment_max(const struct tcp_connection *c)
{
	const struct netif *n = c->inet.route.netif;
	if (!n || !(n->flags & (ip_is_v4(&c->inet.flow.remote) ? NETIF_TSO : NETIF_TSO6)) ||
		n->flags & NETIF_LOOPBACK)
		return c->mss;
	return GSO_MAX / c->mss * c->mss;
}

void tcp_packet_release(struct packet *p)
{
	if (atomic_fetch_sub_explicit(&tcp_queued(p)->holders, 1, memory_order_acq_rel) != 1)
		return;
	p->release = NULL;
	packet_free(p);
}

/* --- headers --- */

/* The checksum, by us or by the device.  p's data start at the TCP header. */
static void set_checksum(struct packet *p, const struct flow *f, const struct netif *n)
{
	struct tcp_header *h = (struct tcp_header *)packet_data(p);
	uint32_t len = packet_length(p);
	uint64_t sum = checksum_pseudo(&f->local, &f->remote, IPPROTO_TCP, len);
	if (n->flags & NETIF_CHECKSUM_TX) {
		h->checksum = checksum_fold(sum);
		p->flags |= PACKET_CHECKSUM_PARTIAL;
		p->checksum_start = 0;
		p->checksum_offset = offsetof(struct tcp_header, checksum);
	} else {
		h->checksum = 0;
		h->checksum = checksum_final(sum + (uint64_t)checksum_fold(checksum_packet(p, 0)));
	}
}

static void acknowledged(struct tcp_connection *c)
{
	c->ack_now = c->ack_delayed = false;
	c->delayed_ack_ms = TIMER_OFF;
	c->last_ack_sent_ms = c->last_send_ms;
	if (c->quick_acks > 0)
		c->quick_acks--;
}

/* Room for SACK blocks: a segment with data has it only if it is not full. */
static uint32_t sack_space(const struct tcp_connection *c, const struct packet *p)
{
	uint32_t space = tcp_sack_space(c);
	return packet_length(p) + space <= c->mss ? space : 0;
}

/* RFC 3168 6.1: new data can be marked; that they were is told until the sender says that it slows down. */
static uint8_t ecn_flags(
	struct tcp_connection *c, const struct packet *p, uint32_t seq, uint8_t *tos)
{
	uint8_t flags = c->ecn_echo ? TCP_ECE : 0;
	bool fresh = packet_length(p) > 0 && seq_after(seq + packet_length(p), c->snd_nxt);
	if (!fresh)
		return flags;
	*tos |= IP_ECT0;
	if (c->ecn_answered)
		flags |= TCP_CWR;
	c->ecn_answered = false;
	return flags;
}

/* Prepend the header and send; takes p (data at the payload) over. */
void tcp_send_packet(struct tcp_connection *c, struct packet *p, uint32_t seq, uint8_t flags)
{
	uint32_t options = c->timestamps_ok ? TCP_TIMESTAMP_SPACE : 0, sack = 0;
	if (unlikely(c->n_sacks || c->duplicate.start != c->duplicate.end))
		sack = sack_space(c, p);
	uint32_t header_len = TCP_HEADER + options + sack;
	uint64_t now = tcp_now_ms(c);
	uint8_t tos = c->inet.tos;
	if (unlikely(c->ecn_ok))
		flags |= ecn_flags(c, p, seq, &tos);
	struct tcp_header *h = (struct tcp_header *)packet_push(p, header_len);
	h->source = cpu_to_be16(c->inet.flow.local_port);
	h->destination = cpu_to_be16(c->inet.flow.remote_port);
	h->seq = cpu_to_be32(seq);
	h->ack = cpu_to_be32(c->rcv_nxt);
	h->offset = (uint8_t)(header_len / 4 << 4);
	h->flags = flags;
	h->window = cpu_to_be16((uint16_t)(tcp_select_window(c) >> c->rcv_scale));
	h->urgent = 0;
	if (c->timestamps_ok) {
		uint8_t *option = (uint8_t *)(h + 1);
		store_be32(option, 0x0101080a);
		store_be32(option + 4, (uint32_t)now + c->ts_offset);
		store_be32(option + 8, c->ts_recent);
	}
	if (unlikely(sack))
		tcp_sack_write(c, (uint8_t *)(h + 1) + options);
	c->last_send_ms = now;
	acknowledged(c);
	c->segments_out++;
	if (unlikely(!route_valid(&c->inet.route)) && tcp_sync_route(c) < 0) {
		packet_free(p);
		return;
	}
	set_checksum(p, &c->inet.flow, c->inet.route.netif);
	struct ip_send s = {
		.from = c->inet.flow.local,
		.to = c->inet.flow.remote,
		.protocol = IPPROTO_TCP,
		.ttl = c->inet.ttl,
		.tos = tos,
		.dont_fragment = c->inet.mtu_discover != IP_PMTUDISC_DONT,
	};
	/* What the device has no room for is lost, as on any wire. */
	(void)ip_output(p, &c->inet.route, &s);
}

void tcp_send_ack(struct tcp_connection *c)
{
	if (c->state == TCP_CLOSE || c->state == TCP_SYN_SENT || c->state == TCP_LISTEN)
		return;
	struct packet *p = packet_alloc(0);
	if (p)
		tcp_send_packet(c, p, c->snd_nxt, TCP_ACK);
}

void tcp_send_probe(struct tcp_connection *c)
{
	struct packet *p = packet_alloc(0);
	if (p)
		tcp_send_packet(c, p, c->snd_una - 1, TCP_ACK);
}

/* --- the queue --- */

/* Can q's data go behind those of the last unsent packet? */
static bool append_to_last(struct tcp_connection *c, struct packet *p, uint32_t len, uint8_t flags)
{
	if (list_empty(&c->unsent))
		return false;
	struct tcp_queued *last = list_entry(c->unsent.prev, struct tcp_queued, link);
	struct packet *to = tcp_packet(last);
	if (last->flags & TCP_FIN || last->len + len > c->mss)
		return false;
	if (p->len > 0 && (to->n_fragments > 0 || to->size - to->start - to->len < p->len))
		return false;
	if (to->n_fragments + p->n_fragments > PACKET_FRAGMENTS - 1)
		return false;
	c->send_charge -= packet_charge(to);
	memcpy(packet_data(to) + to->len, packet_data(p), p->len);
	to->len += p->len;
	for (unsigned i = 0; i < p->n_fragments; i++)
		to->fragments[to->n_fragments++] = p->fragments[i];
	c->send_charge += packet_charge(to);
	p->n_fragments = 0;
	last->len += len;
	last->linear = (uint16_t)to->len;
	last->flags |= flags;
	packet_free(p);
	return true;
}

void tcp_queued_init(struct packet *p, uint32_t seq, uint32_t len, uint8_t flags)
{
	struct tcp_queued *q = tcp_queued(p);
	q->seq = seq;
	q->len = len;
	q->skip = 0;
	q->payload = (uint16_t)p->start;
	q->linear = (uint16_t)p->len;
	q->holders = 1;
	q->flags = flags;
	p->release = tcp_packet_release;
}

void tcp_enqueue(struct tcp_connection *c, struct packet *p, uint32_t len, uint8_t flags)
{
	uint32_t seq = c->write_seq;
	c->write_seq += len + !!(flags & TCP_FIN);
	if (append_to_last(c, p, len, flags))
		return;
	tcp_queued_init(p, seq, len, flags);
	c->send_charge += packet_charge(p);
	list_push_back(&c->unsent, &tcp_queued(p)->link);
}

void tcp_queue_fin(struct tcp_connection *c)
{
	if (c->fin_queued)
		return;
	c->fin_queued = true;
	if (!list_empty(&c->unsent)) {
		list_entry(c->unsent.prev, struct tcp_queued, link)->flags |= TCP_FIN;
		c->write_seq++;
		return;
	}
	struct packet *p = packet_alloc(0);
	if (!p) { /* the connection can not end well without memory for its end */
		tcp_send_reset(c);
		tcp_done(c, 0);
		return;
	}
	tcp_enqueue(c, p, 0, TCP_FIN);
}

/* Move the pages behind byte n of the payload to rest. */
static void split_fragments(struct packet *p, struct packet *rest, uint32_t n)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < p->n_fragments; i++) {
		struct packet_fragment *f = &p->fragments[i];
		if (n >= f->len) {
			n -= f->len;
			kept++;
			continue;
		}
		struct packet_fragment part = {f->page, f->offset + n, f->len - n};
		if (n > 0) {
			page_get(f->page);
			f->len = n;
			kept++;
		}
		rest->fragments[rest->n_fragments++] = part;
		n = 0;
	}
	p->n_fragments = (uint8_t)kept;
}

/* Make an unsent packet two, the first with n bytes.  False: no memory. */
static bool split(struct tcp_connection *c, struct tcp_queued *q, uint32_t n)
{
	struct packet *p = tcp_packet(q);
	uint32_t linear = n < p->len ? p->len - n : 0;
	struct packet *rest = packet_alloc(linear);
	if (!rest)
		return false;
	c->send_charge -= packet_charge(p);
	memcpy(packet_data(rest), packet_data(p) + p->len - linear, linear);
	rest->len = linear;
	p->len -= linear;
	split_fragments(p, rest, linear ? 0 : n - p->len);
	q->linear = (uint16_t)p->len;
	tcp_queued_init(rest, q->seq + n, q->len - n, q->flags);
	c->send_charge += packet_charge(p) + packet_charge(rest);
	q->len = n;
	q->flags = 0;
	list_push_front(&q->link, &tcp_queued(rest)->link);
	return true;
}

/* --- what may go --- */

#define NOTHING UINT32_MAX

/* Would Nagle (in Minshall's form) or a cork hold back a part segment? */
static bool held_back(const struct tcp_connection *c, unsigned flags)
{
	if (flags & TCP_OUTPUT_PUSH)
		return false;
	if (c->cork || flags & TCP_OUTPUT_MORE)
		return true;
	return !c->nodelay && c->snd_una != c->snd_nxt && seq_after(c->small_end, c->snd_una);
}

/* How many bytes of the first unsent packet may be sent now; 0 is a bare FIN. */
static uint32_t sendable(const struct tcp_connection *c, const struct tcp_queued *q, unsigned flags)
{
	uint32_t n = min(q->len, tcp_segment_max(c));
	uint32_t flight = tcp_in_flight(c);
	uint32_t cwnd = c->cwnd;
	int32_t window = (int32_t)(c->snd_una + c->snd_wnd - c->snd_nxt);
	if (flight >= cwnd || window <= 0)
		return NOTHING;
	if (n > (uint32_t)window) {
		if ((uint32_t)window >= c->mss)
			n = (uint32_t)window / c->mss * c->mss;
		else if ((uint32_t)window >= c->max_window / 2 && flight == 0)
			n = (uint32_t)window;
		else
			return NOTHING; /* RFC 1122 4.2.3.4: not into a silly window */
	}
	if (n > c->mss && n > cwnd - flight)
		n = max((cwnd - flight) / c->mss, 1u) * c->mss;
	bool last = q->link.next == &c->unsent && n == q->len;
	if (last && n % c->mss != 0 && !(q->flags & TCP_FIN) && held_back(c, flags)) {
		if (n < c->mss)
			return NOTHING;
		n -= n % c->mss;
	}
	return n;
}

static void transmit_first(struct tcp_connection *c, struct tcp_queued *q)
{
	struct packet *p = tcp_packet(q);
	bool fin = q->flags & TCP_FIN;
	list_remove(&q->link);
	list_push_back(&c->unacked, &q->link);
	q->sent_us = tcp_now_us(c);
	q->holders = 2;
	uint32_t end = q->seq + q->len + fin;
	if (q->len > 0) {
		c->data_segments_out++;
		c->bytes_sent += q->len;
		c->prr_out += q->len;
		if (q->len % c->mss != 0)
			c->small_end = end;
		if (q->len > c->mss)
			p->gso_size = c->mss;
		/* An answer to what just came: a conversation of turns, whose ACKs can ride along. */
		if (tcp_now_ms(c) - c->last_data_ms < TCP_DELAYED_ACK_MS)
			c->pingpong = true;
	}
	tcp_send_packet(c, p, q->seq, (uint8_t)(TCP_ACK | (q->flags & (TCP_FIN | TCP_PSH))));
	c->snd_nxt = end;
}

static bool may_send(const struct tcp_connection *c)
{
	switch (c->state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return true;
	default:
		return false;
	}
}

void tcp_output(struct tcp_connection *c, unsigned flags)
{
	bool sent = false;
	if (may_send(c)) {
		if (unlikely(c->lost > 0))
			tcp_retransmit_lost(c);
		if (c->snd_una == c->snd_nxt && !list_empty(&c->unsent) && c->last_send_ms &&
			tcp_now_ms(c) - c->last_send_ms > c->rto_ms)
			tcp_idle_restart(c);
		while (!list_empty(&c->unsent)) {
			struct tcp_queued *q = list_first(&c->unsent, struct tcp_queued, link);
			uint32_t n = sendable(c, q, flags);
			if (n == NOTHING || (n < q->len && !split(c, q, n)))
				break;
			transmit_first(c, q);
			sent = true;
		}
		if (c->snd_una != c->snd_nxt) {
			if (c->rexmit_ms == TIMER_OFF || c->rexmit_kind == TCP_REXMIT_PERSIST ||
				(sent && c->rexmit_kind == TCP_REXMIT_PROBE))
				tcp_rexmit_start(c);
		} else if (!list_empty(&c->unsent) && c->rexmit_ms == TIMER_OFF) {
			tcp_persist_start(c);
		}
	}
	if (c->ack_now)
		tcp_send_ack(c);
}

bool tcp_send_partial(struct tcp_connection *c)
{
	struct tcp_queued *q = list_first(&c->unsent, struct tcp_queued, link);
	uint32_t n = min(min(q->len, c->snd_wnd), (uint32_t)c->mss);
	if (n < q->len && !split(c, q, n))
		return false;
	transmit_first(c, q);
	tcp_rexmit_start(c);
	return true;
}

bool tcp_send_one(struct tcp_connection *c)
{
	if (list_empty(&c->unsent) || !may_send(c))
		return false;
	struct tcp_queued *q = list_first(&c->unsent, struct tcp_queued, link);
	uint32_t n = min(q->len, (uint32_t)c->mss);
	if ((int32_t)(c->snd_una + c->snd_wnd - c->snd_nxt) < (int32_t)n)
		return false;
	if (n < q->len && !split(c, q, n))
		return false;
	transmit_first(c, q);
	return true;
}

/* --- once per batch --- */

void tcp_output_later(struct tcp_connection *c)
{
	if (c->output_queued)
		return;
	c->output_queued = true;
	tcp_hold(c);
	net_queue_output(&c->output_link);
}

void tcp_output_run(struct list *link)
{
	struct tcp_connection *c = list_entry(link, struct tcp_connection, output_link);
	irq_state irq = tcp_lock(c);
	c->output_queued = false;
	tcp_output(c, 0);
	if (c->state != TCP_CLOSE && c->state != TCP_LISTEN)
		tcp_timer_update(c);
	tcp_unlock(c, irq);
	tcp_put(c);
}

/* --- segments without a queue --- */

static uint32_t put_options(uint8_t *o, const struct tcp_reply *r)
{
	uint8_t *start = o;
	if (r->mss) {
		store_be32(o, 0x02040000u | r->mss);
		o += 4;
	}
	if (r->has_timestamp) {
		store_be32(o, r->sack_permitted ? 0x0402080a : 0x0101080a);
		store_be32(o + 4, r->timestamp);
		store_be32(o + 8, r->timestamp_echo);
		o += TCP_TIMESTAMP_SPACE;
	}
	if (r->sack_permitted && !r->has_timestamp) {
		store_be32(o, 0x01010402u);
		o += 4;
	}
	if (r->has_scale) {
		store_be32(o, 0x01030300u | r->scale);
		o += 4;
	}
	return (uint32_t)(o - start);
}

void tcp_send_reply(const struct tcp_reply *r)
{
	struct route route;
	if (route_find(&r->flow.remote, 0, &route) < 0)
		return;
	struct packet *p = packet_alloc(TCP_HEADER + 40);
	if (!p) {
		route_release(&route);
		return;
	}
	struct tcp_header *h = (struct tcp_header *)packet_data(p);
	uint32_t header_len = TCP_HEADER + put_options((uint8_t *)(h + 1), r);
	p->len = header_len;
	*h = (struct tcp_header){
		.source = cpu_to_be16(r->flow.local_port),
		.destination = cpu_to_be16(r->flow.remote_port),
		.seq = cpu_to_be32(r->seq),
		.ack = cpu_to_be32(r->flags & TCP_ACK ? r->ack : 0),
		.offset = (uint8_t)(header_len / 4 << 4),
		.flags = r->flags,
		.window = cpu_to_be16((uint16_t)min(r->window, 65535u)),
	};
	set_checksum(p, &r->flow, route.netif);
	struct ip_send s = {.from = r->flow.local,
		.to = r->flow.remote,
		.protocol = IPPROTO_TCP,
		.ttl = IP_TTL_DEFAULT,
		.tos = r->tos,
		.dont_fragment = true};
	(void)ip_output(p, &route, &s);
	route_release(&route);
}

void tcp_reset_segment(const struct flow *f, const struct tcp_segment *s)
{
	if (s->flags & TCP_RST)
		return;
	/* RFC 9293 3.10.7.1. */
	struct tcp_reply r = {.flow = *f, .flags = TCP_RST};
	if (s->flags & TCP_ACK) {
		r.seq = s->ack;
	} else {
		r.flags |= TCP_ACK;
		r.ack = s->end;
	}
	count_one(tcp_resets_sent);
	tcp_send_reply(&r);
}

void tcp_send_reset(struct tcp_connection *c)
{
	struct tcp_reply r = {.flow = c->inet.flow,
		.seq = c->snd_nxt,
		.ack = c->rcv_nxt,
		.flags = TCP_RST | TCP_ACK};
	if (c->timestamps_ok) {
		r.has_timestamp = true;
		r.timestamp = tcp_timestamp(c);
		r.timestamp_echo = c->ts_recent;
	}
	count_one(tcp_resets_sent);
	tcp_send_reply(&r);
}

void tcp_send_syn(struct tcp_connection *c)
{
	if (tcp_sync_route(c) < 0)
		return;
	bool answer = c->state == TCP_SYN_RECV;
	uint32_t mss = c->inet.route.mtu - tcp_overhead(&c->inet.flow);
	struct tcp_reply r = {
		.flow = c->inet.flow,
		.seq = c->iss,
		.ack = c->rcv_nxt,
		.window = min(c->rcv_wnd, 65535u),
		.flags = TCP_SYN | (answer ? TCP_ACK : 0),
		.tos = c->inet.tos,
		.has_timestamp = answer ? c->timestamps_ok : true,
		.has_scale = answer ? c->scale_ok : true,
		.sack_permitted = answer ? c->sack_ok : true,
		.scale = c->rcv_scale,
		.mss = (uint16_t)(c->user_mss ? min(mss, (uint32_t)c->user_mss) : mss),
		.timestamp = tcp_timestamp(c),
		.timestamp_echo = answer ? c->ts_recent : 0,
	};
	c->syn_sent_us = tcp_now_us(c);
	c->last_send_ms = tcp_now_ms(c);
	c->snd_nxt = c->iss + 1;
	c->segments_out++;
	tcp_send_reply(&r);
}
