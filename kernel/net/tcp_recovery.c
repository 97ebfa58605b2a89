/*
 * Loss recovery.  With SACK, RACK (RFC 8985 6) says what is lost: what was sent well before something that has
 * arrived; a probe brings the ACK that tells when the end of a burst is (7).  Without, three duplicate ACKs do
 * (RFC 5681, 6582).  Recovery lowers cwnd in step with what arrives (RFC 6937), and is undone when the original and
 * not the retransmission turns out to have arrived (RFC 3522, or RFC 2883's duplicate reports).
 */
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

#define DUPLICATES_FOR_LOSS 3u
#define RACK_WINDOW_MAX 64u /* quarters of the shortest round trip */
#define RACK_PERSIST 16u    /* recoveries */

/* --- RACK --- */

/* Sent later than that, or together with it but further back? */
static bool sent_after(uint32_t sent_us, uint32_t end, uint32_t than_us, uint32_t than_end)
{
	return seq_after(sent_us, than_us) || (sent_us == than_us && seq_after(end, than_end));
}

/* RFC 8985 6.2 step 2. */
void tcp_rack_delivered(struct tcp_connection *c, const struct tcp_queued *q)
{
	uint32_t rtt = tcp_now_us(c) - q->sent_us;
	/* The ACK of a retransmission that came too soon is the original's. */
	if (q->flags & TCP_QUEUED_AGAIN && rtt < c->min_rtt_us)
		return;
	uint32_t end = q->seq + tcp_queued_len(q);
	c->rack_rtt_us = rtt;
	if (!c->rack_valid || sent_after(q->sent_us, end, c->rack_sent_us, c->rack_end)) {
		c->rack_sent_us = q->sent_us;
		c->rack_end = end;
		c->rack_valid = true;
	}
}

/* How long to wait for what may be only late. */
static uint32_t rack_window_us(const struct tcp_connection *c)
{
	if (!c->reordering_seen &&
		(c->recovery != TCP_OPEN || c->sacked >= DUPLICATES_FOR_LOSS * c->mss))
		return 0;
	uint64_t window = (uint64_t)max(c->min_rtt_us, 1u) * c->rack_window / 4;
	return (uint32_t)min(window, (uint64_t)c->srtt_us8 / 8);
}

/* A duplicate report means that it was only late: wait longer, for a while (6.2 step 4). */
static void rack_adapt(struct tcp_connection *c, const struct tcp_acked *a)
{
	if (!a->duplicate_report || seq_before(c->snd_una, c->rack_round))
		return;
	c->rack_round = c->snd_nxt;
	c->rack_window = (uint8_t)min(c->rack_window + 1u, RACK_WINDOW_MAX);
	c->rack_persist = RACK_PERSIST;
	c->reordering_seen = true;
}

/* Mark what is lost.  How long until more is, in us; 0: nothing to wait for. */
static uint32_t rack_detect(struct tcp_connection *c)
{
	uint32_t patience = c->rack_rtt_us + rack_window_us(c), wait = 0;
	uint32_t now = tcp_now_us(c);
	struct tcp_queued *q;
	if (!c->rack_valid)
		return 0;
	list_for_each (q, &c->unacked, link) {
		if (q->flags & (TCP_QUEUED_SACKED | TCP_QUEUED_LOST))
			continue;
		uint32_t end = q->seq + tcp_queued_len(q);
		if (!sent_after(c->rack_sent_us, c->rack_end, q->sent_us, end)) {
			if (q->flags & TCP_QUEUED_AGAIN)
				continue;
			break; /* first transmissions are in order of time */
		}
		int32_t left = (int32_t)(q->sent_us + patience - now);
		if (left <= 0)
			tcp_mark_lost(c, q);
		else
			wait = max(wait, (uint32_t)left);
	}
	return wait;
}

/* --- without SACK --- */

static void count_duplicates(struct tcp_connection *c, const struct tcp_acked *a)
{
	if (a->acked > 0) {
		/* A partial ACK: the next one is lost, too (RFC 6582 3.2 step 3); the others were the guess. */
		uint32_t others = a->acked > c->mss ? a->acked - c->mss : 0;
		c->sacked -= min(c->sacked, others);
		if (c->recovery == TCP_RECOVERY && seq_before(c->snd_una, c->recover))
			tcp_mark_first_lost(c);
		if (c->recovery == TCP_OPEN)
			c->sacked = 0;
		return;
	}
	if (!a->duplicate || c->recovery == TCP_LOSS)
		return;
	uint32_t room = tcp_in_flight(c);
	c->sacked += min((uint32_t)c->mss, room);
	if (c->recovery != TCP_RECOVERY && c->duplicate_acks == DUPLICATES_FOR_LOSS &&
		seq_after(c->snd_una, c->recover))
		tcp_mark_first_lost(c);
}

/* --- cwnd --- */

static void begin(struct tcp_connection *c, enum tcp_recovery how)
{
	if (c->recovery == TCP_OPEN) {
		c->undo_cwnd = c->cwnd;
		c->undo_ssthresh = c->ssthresh;
		c->undo_stamped = false;
		c->undo_retransmits = 0;
		c->ssthresh = c->congestion->threshold(c);
		c->prr_cwnd = c->cwnd;
		c->prr_delivered = c->prr_out = 0;
	}
	c->recover = c->snd_nxt;
	c->recovery = how;
	c->cwnd_bytes = 0;
	if (c->rack_persist > 0 && --c->rack_persist == 0)
		c->rack_window = 1;
}

/* RFC 6937. */
static void reduce(struct tcp_connection *c, const struct tcp_acked *a, bool lost_more)
{
	uint32_t flight = tcp_in_flight(c);
	int64_t send = 0;
	c->prr_delivered += a->delivered;
	if (flight > c->ssthresh) {
		uint64_t target = (uint64_t)c->prr_delivered * c->ssthresh + c->prr_cwnd - 1;
		send = (int64_t)(target / max(c->prr_cwnd, 1u)) - c->prr_out;
	} else {
		send = max((int64_t)c->prr_delivered - c->prr_out, (int64_t)a->delivered);
		if (a->acked > 0 && !lost_more)
			send += c->mss;
		send = min(send, (int64_t)(c->ssthresh - flight));
	}
	if (c->prr_out == 0) /* the first retransmission goes at once */
		send = max(send, (int64_t)c->mss);
	c->cwnd = flight + (uint32_t)max(send, (int64_t)0);
}

static void undo(struct tcp_connection *c)
{
	tcp_unmark_all(c);
	c->cwnd = max(c->cwnd, c->undo_cwnd);
	c->ssthresh = max(c->ssthresh, c->undo_ssthresh);
	c->undo_cwnd = 0;
	c->recovery = TCP_OPEN;
	c->retries = c->backoff = 0;
}

/* Was it for nothing?  The ACK echoes a time before the first retransmission, or all of those came twice. */
static bool spurious(
	const struct tcp_connection *c, const struct tcp_segment *s, const struct tcp_acked *a)
{
	if (!c->undo_cwnd || c->recovery < TCP_RECOVERY || !c->undo_stamped)
		return false;
	if (a->acked > 0 && c->timestamps_ok && s->has_timestamp && s->timestamp_echo &&
		seq_before(s->timestamp_echo, c->undo_stamp))
		return true;
	return a->duplicate_report && c->undo_retransmits == 0;
}

/* A probe's answer: had it to repair something, that was a loss (RFC 8985 7.4). */
static void probe_answered(
	struct tcp_connection *c, const struct tcp_segment *s, struct tcp_acked *a)
{
	if (seq_before(s->ack, c->probe_end))
		return;
	bool repaired = c->probe_again && !a->duplicate_report && seq_after(s->ack, c->probe_end);
	if (!repaired && c->probe_again && !a->duplicate_report && a->acked > 0)
		return; /* the next ACK tells whether there were two copies */
	c->probe_end = 0;
	if (repaired && c->recovery == TCP_OPEN)
		begin(c, TCP_REDUCING);
}

static void leave(struct tcp_connection *c)
{
	if (c->recovery != TCP_LOSS)
		c->cwnd = c->ssthresh;
	c->recovery = TCP_OPEN;
	c->undo_cwnd = 0;
	c->duplicate_acks = 0;
	if (!c->sack_ok)
		c->sacked = 0;
}

void tcp_recovery_input(
	struct tcp_connection *c, const struct tcp_segment *s, struct tcp_acked *a, uint32_t flight)
{
	uint32_t lost_before = c->lost, wait = 0;
	if (a->duplicate_report && c->undo_retransmits > 0)
		c->undo_retransmits--;
	if (c->probe_end)
		probe_answered(c, s, a);
	if (spurious(c, s, a))
		undo(c);
	if (!c->sack_ok) {
		count_duplicates(c, a);
	} else {
		rack_adapt(c, a);
		if (c->sacked || c->recovery >= TCP_RECOVERY)
			wait = rack_detect(c);
	}
	if (c->recovery != TCP_OPEN && a->acked > 0 && !seq_before(c->snd_una, c->recover))
		leave(c);
	if (c->recovery < TCP_RECOVERY && c->lost > 0)
		begin(c, TCP_RECOVERY);
	else if (c->recovery == TCP_OPEN && a->congested && !seq_before(c->snd_una, c->recover))
		begin(c, TCP_REDUCING);
	if (a->congested)
		c->ecn_answered = true;
	if (c->recovery == TCP_RECOVERY || c->recovery == TCP_REDUCING)
		reduce(c, a, c->lost > lost_before);
	else if (a->acked > 0 && (c->recovery == TCP_LOSS || flight * 2 >= c->cwnd))
		c->congestion->acked(c, a->acked);
	if (wait > 0)
		tcp_reorder_start(c, wait);
}

/* --- timers --- */

void tcp_enter_loss(struct tcp_connection *c)
{
	/* Once per window: a timeout of what is sent again does not lower the threshold further (RFC 5681 3.1). */
	bool anew = c->recovery == TCP_OPEN;
	begin(c, TCP_LOSS);
	c->probe_end = 0;
	if (anew && c->congestion->restart)
		c->congestion->restart(c);
	tcp_mark_all_lost(c);
	c->cwnd = c->mss;
	c->duplicate_acks = 0;
}

void tcp_reorder_fired(struct tcp_connection *c)
{
	uint32_t wait = rack_detect(c);
	if (c->lost > 0 && c->recovery < TCP_RECOVERY) {
		begin(c, TCP_RECOVERY);
		struct tcp_acked nothing = {0};
		reduce(c, &nothing, true);
	}
	tcp_timeout_start(c);
	if (wait > 0)
		tcp_reorder_start(c, wait);
	tcp_output(c, 0);
}

void tcp_probe_fired(struct tcp_connection *c)
{
	if (c->snd_una == c->snd_nxt)
		return;
	c->probe_again = !tcp_send_one(c);
	if (!c->probe_again || tcp_retransmit_last(c))
		c->probe_end = c->snd_nxt;
	tcp_timeout_start(c);
}
