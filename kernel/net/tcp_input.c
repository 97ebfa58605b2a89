/*
 * TCP segments as they arrive: parsing, finding whose they are, and the state machine of RFC 9293 3.10.7.
 * RFC 5961 decides what to believe of resets, SYNs and ACKs that anyone might have sent.
 */
#include "kernel/lib/string.h"
#include "kernel/net/arp.h"
#include "kernel/net/checksum.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/tcp_internal.h"

#define OPTION_END 0u
#define OPTION_NOP 1u
#define OPTION_MSS 2u
#define OPTION_SCALE 3u
#define OPTION_SACK_PERMITTED 4u
#define OPTION_SACK 5u
#define OPTION_TIMESTAMPS 8u

#define PAWS_EXPIRY_MS (24ull * 24 * 3600 * 1000) /* RFC 7323 5.5 */
#define CHALLENGE_INTERVAL_MS 500u

static void parse_sacks(struct tcp_segment *s, const uint8_t *o, unsigned n)
{
	s->n_sacks = (uint8_t)n;
	for (unsigned i = 0; i < n; i++, o += 8)
		s->sacks[i] = (struct tcp_block){load_be32(o), load_be32(o + 4)};
}

static void parse_option(struct tcp_segment *s, const uint8_t *o, unsigned len)
{
	bool syn = s->flags & TCP_SYN;
	if (o[0] == OPTION_TIMESTAMPS && len == 10) {
		s->has_timestamp = true;
		s->timestamp = load_be32(o + 2);
		s->timestamp_echo = load_be32(o + 6);
	} else if (o[0] == OPTION_SACK && len >= 10 && (len - 2) % 8 == 0 && !syn) {
		parse_sacks(s, o + 2, min((len - 2) / 8, TCP_SACK_BLOCKS));
	} else if (o[0] == OPTION_MSS && len == 4 && syn) {
		s->mss = load_be16(o + 2);
	} else if (o[0] == OPTION_SCALE && len == 3 && syn) {
		s->has_scale = true;
		s->scale = min(o[2], (uint8_t)TCP_SCALE_MAX);
	} else if (o[0] == OPTION_SACK_PERMITTED && len == 2 && syn) {
		s->sack_permitted = true;
	}
}

static void parse_options(struct tcp_segment *s, const uint8_t *o, unsigned len)
{
	/* What nearly all segments have: NOP, NOP, timestamps. */
	if (likely(len == TCP_TIMESTAMP_SPACE && load_be32(o) == 0x0101080a)) {
		s->has_timestamp = true;
		s->timestamp = load_be32(o + 4);
		s->timestamp_echo = load_be32(o + 8);
		return;
	}
	while (len > 0 && *o != OPTION_END) {
		if (*o == OPTION_NOP) {
			o++;
			len--;
			continue;
		}
		if (len < 2 || o[1] < 2 || o[1] > len)
			return;
		parse_option(s, o, o[1]);
		len -= o[1];
		o += o[1];
	}
}

/* Header into flow and segment; p's data become the payload.  False: malformed. */
static bool parse(struct packet *p, const struct ip_info *ip, struct flow *f, struct tcp_segment *s)
{
	const struct tcp_header *h = (const struct tcp_header *)packet_data(p);
	if (p->len < TCP_HEADER)
		return false;
	unsigned header_len = (h->offset >> 4) * 4u;
	if (header_len < TCP_HEADER || header_len > p->len)
		return false;
	uint32_t total = packet_length(p);
	if (unlikely(!(p->flags & PACKET_CHECKSUM_DONE))) {
		uint64_t sum = checksum_pseudo(&ip->source, &ip->destination, IPPROTO_TCP, total);
		if (checksum_final(sum + (uint64_t)checksum_fold(checksum_packet(p, 0))) != 0)
			return false;
	}
	*s = (struct tcp_segment){.seq = be32_to_cpu(h->seq), .ack = be32_to_cpu(h->ack)};
	f->local = ip->destination;
	f->remote = ip->source;
	f->local_port = be16_to_cpu(h->destination);
	f->remote_port = be16_to_cpu(h->source);
	s->window = be16_to_cpu(h->window);
	s->flags = h->flags;
	s->congested = (ip->tos & IP_CE) == IP_CE;
	s->len = total - header_len;
	s->end = s->seq + s->len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
	parse_options(s, (const uint8_t *)(h + 1), header_len - TCP_HEADER);
	packet_pull(p, header_len);
	return true;
}

static void input_connection(struct tcp_connection *c, struct packet *p, struct tcp_segment *s)
{
	irq_state irq = tcp_lock(c);
	tcp_connection_input(c, p, s);
	tcp_unlock(c, irq);
	tcp_put(c);
}

/* Nobody has this conversation: a listener, or a reset. */
static void input_new(struct packet *p, const struct flow *f, struct tcp_segment *s)
{
	struct port_user *u = port_find(&tcp_ports, f, p->netif->index, flow_hash(f));
	if (u) {
		struct inet_socket *i = container_of(u, struct inet_socket, port);
		struct tcp_connection *l = tcp_of(&i->socket);
		tcp_listen_input(l, p, f, s);
		tcp_put(l);
		return;
	}
	tcp_reset_segment(f, s);
	packet_free(p);
}

void tcp_input(struct packet *p, const struct ip_info *ip)
{
	struct flow flow;
	struct tcp_segment s; /* parse() sets all but the blocks */
	if (unlikely(ip->flags & (IP_NOT_UNICAST | IP_LINK_GROUP)) || !parse(p, ip, &flow, &s)) {
		count_one(tcp_bad);
		packet_free(p);
		return;
	}
	struct demux_entry *e = demux_find(&flow);
	if (likely(e && e->kind == DEMUX_CONNECTION)) {
		input_connection(container_of(e, struct tcp_connection, demux), p, &s);
	} else if (e && e->kind == DEMUX_REQUEST) {
		struct tcp_request *r = tcp_request_of(e);
		tcp_request_input(r, p, &s);
		tcp_request_put(r);
	} else if (e) {
		struct tcp_time_wait *t = tcp_time_wait_of(e);
		bool consumed = tcp_time_wait_input(t, &s);
		tcp_time_wait_put(t);
		if (consumed)
			packet_free(p);
		else
			input_new(p, &flow, &s);
	} else {
		input_new(p, &flow, &s);
	}
}

/* RFC 5961 7: an ACK that gives nothing away, not too often. */
static void challenge(struct tcp_connection *c)
{
	uint64_t now = tcp_now_ms(c);
	if (now - c->challenge_ms < CHALLENGE_INTERVAL_MS && c->challenge_ms)
		return;
	c->challenge_ms = now;
	tcp_send_ack(c);
}

static void reset_received(struct tcp_connection *c)
{
	int err = c->state == TCP_SYN_SENT     ? ECONNREFUSED
		  : c->state == TCP_CLOSE_WAIT ? EPIPE
					       : ECONNRESET;
	count_one(tcp_resets);
	tcp_queue_purge(c);
	tcp_done(c, err);
}

/* RFC 7323 5.3: older than what was seen of this connection? */
static bool paws_rejects(struct tcp_connection *c, const struct tcp_segment *s)
{
	return s->has_timestamp && c->timestamps_ok && seq_before(s->timestamp, c->ts_recent) &&
	       tcp_now_ms(c) - c->ts_recent_ms < PAWS_EXPIRY_MS;
}

/* RFC 9293 3.10.7.4, first check.  What is not acceptable is answered with where we stand. */
static bool sequence_acceptable(struct tcp_connection *c, const struct tcp_segment *s)
{
	bool reset = s->flags & TCP_RST;
	uint32_t window_end = c->rcv_wup + c->rcv_wnd;
	if (seq_before(window_end, c->rcv_nxt))
		window_end = c->rcv_nxt;
	if (unlikely(paws_rejects(c, s)) && !reset)
		goto refuse;
	if (likely(!seq_before(s->end, c->rcv_wup) && !seq_after(s->seq, window_end)))
		return true;
	if (reset)
		return false;
refuse:
	if (s->flags & TCP_SYN) {
		challenge(c);
		return false;
	}
	/* A retransmission whose ACK was lost, or a keepalive: the peer needs an answer at once. */
	if (s->len > 0 || s->end != s->seq || seq_before(s->seq, c->rcv_nxt)) {
		if (s->len > 0)
			tcp_quick_ack_mode(c);
		tcp_send_ack(c);
	}
	return false;
}

static void note_timestamp(struct tcp_connection *c, const struct tcp_segment *s)
{
	if (!s->has_timestamp || !c->timestamps_ok || seq_after(s->seq, c->rcv_wup))
		return;
	if (!seq_before(s->timestamp, c->ts_recent) ||
		tcp_now_ms(c) - c->ts_recent_ms >= PAWS_EXPIRY_MS) {
		c->ts_recent = s->timestamp;
		c->ts_recent_ms = tcp_now_ms(c);
	}
}

/* --- SYN_SENT --- */

static void take_syn(struct tcp_connection *c, const struct tcp_segment *s)
{
	c->irs = s->seq;
	c->rcv_end = c->rcv_nxt = c->rcv_wup = c->copied_seq = s->seq + 1;
	c->space_copied_seq = c->copied_seq;
	c->peer_mss = max(s->mss ? s->mss : (uint16_t)TCP_MSS_DEFAULT, (uint16_t)TCP_MSS_MIN);
	c->scale_ok = s->has_scale;
	c->snd_scale = s->has_scale ? s->scale : 0;
	if (!c->scale_ok) {
		c->rcv_scale = 0;
		c->window_clamp = min(c->window_clamp, 65535u);
		c->rcv_wnd = min(c->rcv_wnd, 65535u);
	}
	c->timestamps_ok = s->has_timestamp;
	c->sack_ok = s->sack_permitted;
	if (s->has_timestamp) {
		c->ts_recent = s->timestamp;
		c->ts_recent_ms = tcp_now_ms(c);
	}
	c->snd_wl1 = s->seq;
	c->snd_wl2 = c->snd_una;
	c->snd_wnd = s->window; /* a SYN's window is never scaled */
	c->max_window = max(c->max_window, c->snd_wnd);
}

static void become_established(struct tcp_connection *c)
{
	c->state = TCP_ESTABLISHED;
	c->last_data_ms = tcp_now_ms(c);
	c->quick_acks = TCP_QUICK_ACKS;
	tcp_rexmit_stop(c);
	c->retries = c->backoff = 0;
	if (tcp_sync_route(c) < 0)
		c->mss = min(c->peer_mss, (uint16_t)TCP_MSS_DEFAULT);
	tcp_congestion_init(c);
	tcp_keepalive_reset(c);
	c->wake |= EPOLLOUT | EPOLLWRNORM | EPOLLIN | EPOLLRDNORM;
}

static void syn_sent_input(struct tcp_connection *c, const struct tcp_segment *s)
{
	bool ack = s->flags & TCP_ACK;
	if (ack && (!seq_after(s->ack, c->iss) || seq_after(s->ack, c->snd_nxt))) {
		tcp_reset_segment(&c->inet.flow, s);
		return;
	}
	if (s->flags & TCP_RST) {
		if (ack)
			reset_received(c);
		return;
	}
	if (!(s->flags & TCP_SYN))
		return;
	take_syn(c, s);
	if (!ack) {
		/* Both sides connect at once: RFC 9293 figure 8. */
		c->state = TCP_SYN_RECV;
		c->retries = 0;
		tcp_send_syn(c);
		tcp_rexmit_start(c);
		return;
	}
	c->snd_una = c->snd_wl2 = s->ack;
	if (c->retries == 0)
		tcp_rtt_sample(c, tcp_now_us(c) - c->syn_sent_us);
	become_established(c);
	if (c->inet.route.neighbour)
		neighbour_confirm(c->inet.route.neighbour);
	/* The ACK may ride on the first request, which the program is about to write. */
	if (!list_empty(&c->unsent) || c->pingpong)
		tcp_output_later(c);
	else
		tcp_send_ack(c);
}

/* --- the rest --- */

static bool fin_acknowledged(const struct tcp_connection *c)
{
	return c->fin_queued && c->snd_una == c->write_seq;
}

/* Our FIN is acknowledged.  False: the connection object is done. */
static bool fin_wait1_done(struct tcp_connection *c, const struct tcp_segment *s)
{
	c->state = TCP_FIN_WAIT2;
	c->inet.socket.shutdown |= SHUTDOWN_SEND;
	if (!c->orphan) {
		c->wake |= EPOLLOUT | EPOLLWRNORM;
		return true;
	}
	bool more_data = s->len > 0 && seq_after(s->seq + s->len, c->rcv_nxt);
	if (c->linger2_s < 0 || more_data) {
		if (more_data)
			tcp_send_reset(c);
		tcp_done(c, 0);
		return false;
	}
	if (s->flags & TCP_FIN)
		return true; /* on to TIME_WAIT with this very segment */
	uint64_t timeout = c->linger2_s ? (uint64_t)c->linger2_s * 1000 : TCP_FIN_TIMEOUT_MS;
	tcp_time_wait_enter(c, TCP_FIN_WAIT2, timeout);
	return false;
}

/* RFC 9293 3.10.7.4, fifth check: what the ACK does to the state.  False: nothing more to do. */
static bool ack_changes_state(struct tcp_connection *c, const struct tcp_segment *s)
{
	switch (c->state) {
	case TCP_SYN_RECV:
		if (c->snd_una == c->iss)
			return false;
		c->snd_wnd = s->window << c->snd_scale;
		become_established(c);
		if (c->fin_queued)
			c->state = TCP_FIN_WAIT1;
		return true;
	case TCP_FIN_WAIT1:
		return !fin_acknowledged(c) || fin_wait1_done(c, s);
	case TCP_CLOSING:
		if (!fin_acknowledged(c))
			return true;
		tcp_time_wait_enter(c, TCP_TIME_WAIT, TCP_TIME_WAIT_MS);
		return false;
	case TCP_LAST_ACK:
		if (!fin_acknowledged(c))
			return true;
		tcp_done(c, 0);
		return false;
	default:
		return true;
	}
}

/* The peer's FIN came in order. */
static void fin_in_order(struct tcp_connection *c)
{
	c->fin_received = true;
	c->ack_now = true;
	c->inet.socket.shutdown |= SHUTDOWN_RECEIVE;
	c->wake |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (c->inet.socket.shutdown == SHUTDOWN_BOTH)
		c->wake |= EPOLLHUP;
	switch (c->state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		c->state = TCP_CLOSE_WAIT;
		c->pingpong = true;
		break;
	case TCP_FIN_WAIT1:
		c->state = TCP_CLOSING;
		break;
	case TCP_FIN_WAIT2:
		tcp_send_ack(c);
		tcp_time_wait_enter(c, TCP_TIME_WAIT, TCP_TIME_WAIT_MS);
		break;
	default:
		break;
	}
}

/* Data after close(2) or shutdown(SHUT_RD): RFC 1122 4.2.2.13 wants a reset. */
static bool data_for_nobody(const struct tcp_connection *c, const struct tcp_segment *s)
{
	return (c->state == TCP_FIN_WAIT1 || c->state == TCP_FIN_WAIT2) && s->len > 0 &&
	       c->inet.socket.shutdown & SHUTDOWN_RECEIVE && seq_after(s->seq + s->len, c->rcv_nxt);
}

/* Several segments that the device made one are several again: one header was enough for them. */
static void receive_pieces(struct tcp_connection *c, struct packet *p, const struct tcp_segment *s)
{
	struct packet *rest = packet_unchain(p);
	if (likely(!rest)) {
		tcp_receive_data(c, p, s);
		return;
	}
	struct tcp_segment part = *s;
	do {
		part.len = packet_length(p);
		part.end = part.seq + part.len;
		part.flags = s->flags & (uint8_t)~TCP_FIN;
		tcp_receive_data(c, p, &part);
		part.seq = part.end;
		p = rest;
		rest = packet_unchain(p);
	} while (rest);
	part.len = packet_length(p);
	part.flags = s->flags;
	part.end = s->end;
	tcp_receive_data(c, p, &part);
}

static void text_and_fin(struct tcp_connection *c, struct packet *p, const struct tcp_segment *s)
{
	if (unlikely(data_for_nobody(c, s))) {
		packet_free(p);
		tcp_send_reset(c);
		tcp_done(c, c->orphan ? 0 : ECONNRESET);
		return;
	}
	bool open = c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT1 ||
		    c->state == TCP_FIN_WAIT2;
	if (s->end == s->seq) {
		packet_free(p);
	} else if (open) {
		receive_pieces(c, p, s);
		if (c->fin_received)
			fin_in_order(c);
	} else {
		packet_free(p); /* beyond the FIN: only an old one, sent again */
		c->ack_now = true;
	}
}

/* Both sides connected at once: the other's SYN-ACK is the ACK of our SYN.  It goes on as a plain ACK. */
static bool syn_completes(const struct tcp_connection *c, struct tcp_segment *s)
{
	if (c->state != TCP_SYN_RECV || !(s->flags & TCP_ACK) || s->seq != c->irs ||
		s->end != s->seq + 1 || s->ack != c->snd_nxt)
		return false;
	s->flags &= (uint8_t)~TCP_SYN;
	s->seq = s->end;
	return true;
}

/* Lock held. */
static void segment_input(struct tcp_connection *c, struct packet *p, struct tcp_segment *s)
{
	if (!sequence_acceptable(c, s))
		goto drop;
	if (unlikely(s->flags & TCP_RST)) {
		if (s->seq == c->rcv_nxt)
			reset_received(c);
		else
			challenge(c);
		goto drop;
	}
	if (unlikely(s->flags & TCP_SYN) && !syn_completes(c, s)) {
		if (c->state == TCP_SYN_RECV && s->seq == c->irs)
			tcp_send_syn(c);
		else
			challenge(c);
		goto drop;
	}
	if (!(s->flags & TCP_ACK))
		goto drop;
	if (!tcp_ack_input(c, s)) {
		if (c->state == TCP_SYN_RECV)
			tcp_reset_segment(&c->inet.flow, s);
		else
			challenge(c);
		goto drop;
	}
	note_timestamp(c, s);
	if (unlikely(c->state != TCP_ESTABLISHED) && !ack_changes_state(c, s))
		goto drop;
	text_and_fin(c, p, s);
	if (c->state == TCP_CLOSE)
		return;
	if (c->ack_now || c->lost > 0 || !list_empty(&c->unsent))
		tcp_output_later(c);
	else if (c->ack_delayed)
		tcp_timer_update(c);
	return;
drop:
	packet_free(p);
}

void tcp_connection_input(struct tcp_connection *c, struct packet *p, struct tcp_segment *s)
{
	c->segments_in++;
	if (likely(c->state != TCP_SYN_SENT && c->state != TCP_CLOSE)) {
		segment_input(c, p, s);
		return;
	}
	if (c->state == TCP_SYN_SENT)
		syn_sent_input(c, s);
	else
		tcp_reset_segment(&c->inet.flow, s);
	packet_free(p);
}

/* --- errors --- */

/* RFC 1191: send smaller segments from now on, beginning with what did not fit. */
static void path_shrank(struct tcp_connection *c, const struct ip_error *e)
{
	uint16_t old = c->mss;
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV || e->mtu == 0)
		return;
	route_mtu_reduce(&e->flow.remote, e->mtu);
	if (tcp_sync_route(c) == 0 && c->mss < old)
		(void)tcp_retransmit_first(c);
}

static void connection_error(struct tcp_connection *c, const struct ip_error *e)
{
	if (c->state == TCP_CLOSE || seq_before(e->sequence, c->snd_una) ||
		seq_after(e->sequence, c->snd_nxt))
		return;
	if (e->err == EMSGSIZE) {
		path_shrank(c, e);
		return;
	}
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV) {
		tcp_done(c, e->err);
		return;
	}
	c->soft_error = e->err;
	if (c->inet.ip_options & INET_RECVERR && !c->orphan) {
		c->inet.socket.error = e->err;
		c->wake |= EPOLLERR;
	}
}

void tcp_error(const struct ip_error *e)
{
	struct demux_entry *d = demux_find(&e->flow);
	if (!d)
		return;
	if (d->kind == DEMUX_CONNECTION) {
		struct tcp_connection *c = container_of(d, struct tcp_connection, demux);
		irq_state irq = tcp_lock(c);
		connection_error(c, e);
		tcp_unlock(c, irq);
		tcp_put(c);
	} else if (d->kind == DEMUX_REQUEST) {
		tcp_request_error(tcp_request_of(d), e);
		tcp_request_put(tcp_request_of(d));
	} else {
		tcp_time_wait_put(tcp_time_wait_of(d));
	}
}
