/* What an ACK does: frees what arrived, measures the round trip (RFC 6298), moves the window. */
#include "kernel/net/arp.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/tcp_internal.h"

#define RTT_MAX_US 60000000u

void tcp_rtt_sample(struct tcp_connection *c, uint32_t rtt_us)
{
	rtt_us = max(min(rtt_us, RTT_MAX_US), 1u);
	c->sample_us = rtt_us;
	c->min_rtt_us = c->min_rtt_us ? min(c->min_rtt_us, rtt_us) : rtt_us;
	if (!c->rtt_seen) {
		c->rtt_seen = true;
		c->srtt_us8 = rtt_us * 8;
		c->rttvar_us4 = rtt_us * 2;
	} else {
		int32_t error = (int32_t)(rtt_us - c->srtt_us8 / 8);
		c->srtt_us8 += (uint32_t)error;
		error = error < 0 ? -error : error;
		c->rttvar_us4 += (uint32_t)(error - (int32_t)(c->rttvar_us4 / 4));
	}
	uint32_t rto_ms = c->srtt_us8 / 8000 + max(c->rttvar_us4 / 1000, TCP_RTO_MIN_MS);
	c->rto_ms = min(rto_ms, TCP_RTO_MAX_MS);
}

static void drop_first(struct tcp_connection *c, struct list *queue)
{
	struct tcp_queued *q = list_first(queue, struct tcp_queued, link);
	struct packet *p = tcp_packet(q);
	list_remove(&q->link);
	c->send_charge -= packet_charge(p);
	packet_free(p); /* through tcp_packet_release(): the device may still hold it */
}

void tcp_queue_purge(struct tcp_connection *c)
{
	while (!list_empty(&c->unacked))
		drop_first(c, &c->unacked);
	while (!list_empty(&c->unsent))
		drop_first(c, &c->unsent);
	c->send_charge = 0;
	tcp_memory_return(c);
	c->write_seq = c->snd_nxt;
}

/* Free what is acknowledged, the first packet in part. */
static void clean_queue(struct tcp_connection *c, struct tcp_acked *a)
{
	while (!list_empty(&c->unacked)) {
		struct tcp_queued *q = list_first(&c->unacked, struct tcp_queued, link);
		uint32_t len = tcp_queued_len(q), n = min(c->snd_una - q->seq, len);
		if (!seq_after(c->snd_una, q->seq))
			break;
		if (q->flags & TCP_QUEUED_SACKED)
			c->sacked -= n;
		else
			tcp_delivered(c, q, n, a);
		if (unlikely(q->flags & TCP_QUEUED_LOST))
			c->lost -= n;
		if (n < len) {
			q->seq += n;
			q->skip += n;
			q->len -= n;
			break;
		}
		drop_first(c, &c->unacked);
	}
}

static void sample_round_trip(
	struct tcp_connection *c, const struct tcp_segment *s, const struct tcp_acked *a)
{
	if (a->rtt_us)
		tcp_rtt_sample(c, a->rtt_us);
	else if (s->has_timestamp && c->timestamps_ok && s->timestamp_echo)
		tcp_rtt_sample(c, (tcp_timestamp(c) - s->timestamp_echo) * 1000);
}

static void announce_space(struct tcp_connection *c)
{
	/* A third of the buffer is free: as Linux's sk_stream_write_space(). */
	uint32_t limit = c->inet.socket.send_limit;
	if (!c->no_space || c->send_charge > limit || limit - c->send_charge < c->send_charge / 2)
		return;
	c->no_space = false;
	c->wake |= EPOLLOUT | EPOLLWRNORM;
}

/* More in flight deserves more buffer, unless the program fixed it. */
static void grow_send_limit(struct tcp_connection *c)
{
	struct socket *s = &c->inet.socket;
	if (socket_option(s, OPTION_SEND_LIMIT_SET))
		return;
	uint64_t wanted = 4ull * c->cwnd;
	if (wanted > s->send_limit)
		s->send_limit = (uint32_t)min(
			wanted, (uint64_t)max(net_limits.tcp_buffer_max, s->send_limit));
}

static void new_ack(struct tcp_connection *c, const struct tcp_segment *s, struct tcp_acked *a)
{
	a->acked = s->ack - c->snd_una;
	c->snd_una = s->ack;
	c->bytes_acked += a->acked;
	clean_queue(c, a);
	tcp_memory_return(c);
	c->retries = c->backoff = 0;
	sample_round_trip(c, s, a);
	if (c->inet.route.neighbour)
		neighbour_confirm(c->inet.route.neighbour);
}

/* What may be sent now, and until when an answer is expected. */
static void restart_clock(struct tcp_connection *c, const struct tcp_acked *a)
{
	if (c->snd_una == c->snd_nxt) {
		tcp_rexmit_stop(c);
		c->rack_valid = false;
	} else if (a->acked > 0 || c->rexmit_kind == TCP_REXMIT_REORDER) {
		tcp_rexmit_start(c);
	}
}

/* True: the window grew or moved. */
static bool update_window(struct tcp_connection *c, const struct tcp_segment *s)
{
	uint32_t window = s->window << c->snd_scale;
	bool newer = seq_after(s->ack, c->snd_una) || seq_after(s->seq, c->snd_wl1) ||
		     (s->seq == c->snd_wl1 && window > c->snd_wnd);
	if (!newer)
		return false;
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
	if (window == c->snd_wnd)
		return false;
	c->snd_wnd = window;
	c->max_window = max(c->max_window, window);
	return true;
}

bool tcp_ack_input(struct tcp_connection *c, const struct tcp_segment *s)
{
	/* RFC 5961 5.2. */
	if (unlikely(seq_after(s->ack, c->snd_nxt) ||
		     seq_before(s->ack, c->snd_una - c->max_window)))
		return false;
	c->last_ack_received_ms = tcp_now_ms(c);
	c->keepalive_probes = c->probes = 0;
	if (seq_before(s->ack, c->snd_una))
		return true; /* old, but its data may be new */
	bool outstanding = c->snd_una != c->snd_nxt;
	uint32_t flight = tcp_in_flight(c);
	bool window_changed = update_window(c, s);
	struct tcp_acked a = {.congested = c->ecn_ok && s->flags & TCP_ECE};
	c->sample_us = 0;
	if (unlikely(s->n_sacks > 0) && c->sack_ok && outstanding)
		tcp_sack_input(c, s, &a);
	if (s->ack != c->snd_una)
		new_ack(c, s, &a);
	else if (outstanding && !window_changed && s->len == 0 && !(s->flags & TCP_FIN))
		a.duplicate = true;
	c->duplicate_acks = a.duplicate ? c->duplicate_acks + 1 : a.acked ? 0 : c->duplicate_acks;
	if (outstanding && c->rexmit_kind != TCP_REXMIT_PERSIST)
		restart_clock(c, &a);
	if (!tcp_undisturbed(c, &a))
		tcp_recovery_input(c, s, &a, flight);
	else if (a.acked > 0 &&
		 flight * 2 >= c->cwnd) /* what did not use its window learns nothing: RFC 7661 */
		c->congestion->acked(c, a.acked);
	if (a.acked > 0) {
		grow_send_limit(c);
		announce_space(c);
	}
	if (c->rexmit_kind == TCP_REXMIT_PERSIST && c->snd_wnd > 0) {
		c->backoff = 0;
		tcp_rexmit_stop(c);
		if (c->snd_una != c->snd_nxt)
			tcp_rexmit_start(c);
	}
	return true;
}
