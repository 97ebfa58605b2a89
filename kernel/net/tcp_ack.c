/* What an ACK does: frees what arrived, measures the round trip (RFC 6298), finds losses (RFC 5681, 6582). */
#include "kernel/net/arp.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/tcp.h"

#define DUPLICATES_FOR_LOSS 3u
#define RTT_MAX_US 60000000u

void tcp_rtt_sample(struct tcp_connection *c, uint32_t rtt_us)
{
	rtt_us = max(min(rtt_us, RTT_MAX_US), 1u);
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

/* Free what is acknowledged as a whole.  The last of it that was sent once tells the round trip. */
static void clean_queue(struct tcp_connection *c, const struct tcp_segment *s)
{
	bool sampled = false, again = false;
	uint32_t sent_us = 0;
	while (!list_empty(&c->unacked)) {
		struct tcp_queued *q = list_first(&c->unacked, struct tcp_queued, link);
		if (seq_after(q->seq + q->len + !!(q->flags & TCP_FIN), c->snd_una))
			break;
		if (q->flags & TCP_QUEUED_AGAIN) {
			again = true;
		} else {
			sampled = true;
			sent_us = q->sent_us;
		}
		drop_first(c, &c->unacked);
	}
	if (sampled && !again)
		tcp_rtt_sample(c, tcp_now_us(c) - sent_us);
	else if (again && s->has_timestamp && c->timestamps_ok && s->timestamp_echo)
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

static void recovery_ack(struct tcp_connection *c, uint32_t n_acked)
{
	if (!seq_before(c->snd_una, c->recover)) {
		uint32_t flight = max(tcp_in_flight(c), (uint32_t)c->mss);
		c->cwnd = min(c->ssthresh, flight + c->mss);
		c->recovery = TCP_OPEN;
		c->duplicate_acks = 0;
		return;
	}
	/* A partial ACK: the next hole is lost too; deflate by what left the network (RFC 6582 3.2 step 3). */
	(void)tcp_retransmit(c, c->snd_una);
	c->cwnd -= min(n_acked, c->cwnd - c->mss);
	if (n_acked >= c->mss)
		c->cwnd += c->mss;
}

static void loss_ack(struct tcp_connection *c, uint32_t n_acked)
{
	if (seq_before(c->rexmit_nxt, c->snd_una))
		c->rexmit_nxt = c->snd_una;
	c->congestion->acked(c, n_acked);
	if (!seq_before(c->snd_una, c->recover)) {
		c->recovery = TCP_OPEN;
		c->duplicate_acks = 0;
	}
}

static void new_ack(struct tcp_connection *c, const struct tcp_segment *s)
{
	uint32_t n_acked = s->ack - c->snd_una;
	/* The window was what held us back?  Else its size says nothing (RFC 7661). */
	bool limited = tcp_in_flight(c) * 2 >= c->cwnd;
	c->snd_una = s->ack;
	c->bytes_acked += n_acked;
	clean_queue(c, s);
	tcp_memory_return(c);
	c->retries = c->backoff = 0;
	if (c->recovery == TCP_RECOVERY) {
		recovery_ack(c, n_acked);
	} else if (c->recovery == TCP_LOSS) {
		loss_ack(c, n_acked);
	} else {
		c->duplicate_acks = 0;
		if (limited)
			c->congestion->acked(c, n_acked);
	}
	grow_send_limit(c);
	if (c->snd_una == c->snd_nxt)
		tcp_rexmit_stop(c);
	else
		tcp_rexmit_start(c);
	if (c->inet.route.neighbour)
		neighbour_confirm(c->inet.route.neighbour);
	announce_space(c);
}

static void duplicate_ack(struct tcp_connection *c)
{
	c->duplicate_acks++;
	if (c->recovery == TCP_RECOVERY) {
		c->cwnd += c->mss; /* one more segment has left the network */
	} else if (c->recovery == TCP_OPEN && c->duplicate_acks == DUPLICATES_FOR_LOSS &&
		   seq_after(c->snd_una, c->recover)) {
		tcp_enter_recovery(c);
		(void)tcp_retransmit(c, c->snd_una);
	}
	/* The first two let a new segment each go: limited transmit, RFC 3042, in tcp_output(). */
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
	bool window_changed = update_window(c, s);
	if (s->ack != c->snd_una)
		new_ack(c, s);
	else if (outstanding && !window_changed && s->len == 0 && !(s->flags & TCP_FIN))
		duplicate_ack(c);
	if (c->persist && c->snd_wnd > 0) {
		c->backoff = 0;
		tcp_rexmit_stop(c);
		if (c->snd_una != c->snd_nxt)
			tcp_rexmit_start(c);
	}
	return true;
}
