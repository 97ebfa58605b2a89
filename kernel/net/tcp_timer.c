/*
 * TCP's timers.  A connection has one timer on the wheel and several deadlines.  Moving a deadline later, which every
 * segment does, is a store: the wheel fires at the old time, finds nothing due, and starts again.
 */
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

#define KEEPALIVE_IDLE_S 7200u
#define KEEPALIVE_INTERVAL_S 75u
#define KEEPALIVE_COUNT 9u
#define PROBE_MIN_MS 2u

static uint64_t first_deadline(const struct tcp_connection *c)
{
	return min(min(c->rexmit_ms, c->delayed_ack_ms), c->keepalive_ms);
}

void tcp_timer_update(struct tcp_connection *c)
{
	uint64_t first = first_deadline(c);
	if (first == TIMER_OFF || (wheel_armed(&c->timer) && c->timer.expires_ms <= first))
		return;
	if (!wheel_start(&c->timer, first))
		tcp_hold(c);
}

void tcp_timer_stop_all(struct tcp_connection *c)
{
	c->rexmit_ms = c->delayed_ack_ms = c->keepalive_ms = TIMER_OFF;
	if (wheel_cancel(&c->timer))
		tcp_put(c); /* never the last: the caller has one */
}

void tcp_timeout_start(struct tcp_connection *c)
{
	uint64_t rto = min((uint64_t)c->rto_ms << min(c->backoff, 16u), (uint64_t)TCP_RTO_MAX_MS);
	c->rexmit_kind = TCP_REXMIT_TIMEOUT;
	c->rexmit_ms = tcp_now_ms(c) + rto;
	tcp_timer_update(c);
}

/* RFC 8985 7.2: a probe two round trips after the last segment, if that is before the timeout.  A single segment in
 * flight may wait for a delayed ACK: with that the timeout is never later. */
static bool probe_start(struct tcp_connection *c)
{
	if (c->snd_nxt - c->snd_una <= c->mss || !c->sack_ok || c->recovery != TCP_OPEN ||
		c->sacked | c->lost | c->probe_end | c->backoff || !c->rtt_seen)
		return false;
	uint32_t after_ms = max(div_round_up(c->srtt_us8 / 4, 1000u), PROBE_MIN_MS);
	if (after_ms >= c->rto_ms)
		return false;
	c->rexmit_kind = TCP_REXMIT_PROBE;
	c->rexmit_ms = tcp_now_ms(c) + after_ms;
	tcp_timer_update(c);
	return true;
}

void tcp_rexmit_start(struct tcp_connection *c)
{
	if (!probe_start(c))
		tcp_timeout_start(c);
}

void tcp_reorder_start(struct tcp_connection *c, uint32_t after_us)
{
	c->rexmit_kind = TCP_REXMIT_REORDER;
	c->rexmit_ms = tcp_now_ms(c) + div_round_up(after_us, 1000u);
	tcp_timer_update(c);
}

void tcp_rexmit_stop(struct tcp_connection *c)
{
	c->rexmit_ms = TIMER_OFF;
	c->rexmit_kind = TCP_REXMIT_TIMEOUT;
}

void tcp_persist_start(struct tcp_connection *c)
{
	tcp_timeout_start(c);
	c->rexmit_kind = TCP_REXMIT_PERSIST;
}

void tcp_keepalive_reset(struct tcp_connection *c)
{
	bool on = socket_option(&c->inet.socket, OPTION_KEEPALIVE) && c->state != TCP_SYN_SENT &&
		  c->state != TCP_LISTEN && c->state != TCP_CLOSE;
	c->keepalive_probes = 0;
	c->keepalive_ms = on ? tcp_now_ms(c) + c->keepalive_idle_s * 1000ull : TIMER_OFF;
	tcp_timer_update(c);
}

/* Has it tried long enough?  limit: retries at most; TCP_USER_TIMEOUT overrides. */
static bool gave_up(struct tcp_connection *c, unsigned tries, unsigned limit)
{
	uint64_t now = tcp_now_ms(c);
	if (tries == 0)
		c->retries_since_ms = now;
	if (c->user_timeout_ms && c->state != TCP_SYN_SENT)
		return now - c->retries_since_ms + c->rto_ms >= c->user_timeout_ms && tries > 0;
	return tries >= limit;
}

static unsigned retry_limit(const struct tcp_connection *c)
{
	if (c->state == TCP_SYN_SENT)
		return c->syn_retries;
	if (c->state == TCP_SYN_RECV)
		return TCP_SYNACK_RETRIES;
	return c->orphan ? TCP_ORPHAN_RETRIES : TCP_RETRIES;
}

static void rexmit_fired(struct tcp_connection *c)
{
	if (gave_up(c, c->retries, retry_limit(c))) {
		tcp_fail(c, ETIMEDOUT);
		return;
	}
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV) {
		tcp_send_syn(c);
	} else {
		tcp_enter_loss(c);
		/* Resend even into a closed window; the rest follows with the ACKs. */
		(void)tcp_retransmit_first(c);
	}
	c->retries++;
	c->backoff++;
	tcp_timeout_start(c);
}

/* RFC 9293 3.8.6.1; also pushes what a cork or the silly window rule held back. */
static void persist_fired(struct tcp_connection *c)
{
	if (c->snd_una != c->snd_nxt || list_empty(&c->unsent)) {
		tcp_rexmit_stop(c);
		return;
	}
	/* A peer that answers and never reads may do so, but not for ever once nobody has the socket open. */
	if (gave_up(c, c->orphan ? c->backoff : c->probes, retry_limit(c))) {
		tcp_fail(c, ETIMEDOUT);
		return;
	}
	c->probes++;
	if (c->snd_wnd > 0 && tcp_send_partial(c))
		return;
	tcp_send_probe(c);
	c->backoff++;
	tcp_persist_start(c);
}

static void keepalive_fired(struct tcp_connection *c)
{
	uint64_t idle_ms = c->keepalive_idle_s * 1000ull;
	uint64_t now = tcp_now_ms(c);
	uint64_t quiet_since = max(c->last_data_ms, c->last_ack_received_ms);
	bool busy = c->snd_una != c->snd_nxt || !list_empty(&c->unsent);
	if (busy || now - quiet_since < idle_ms) {
		c->keepalive_ms = busy ? now + idle_ms : quiet_since + idle_ms;
		return;
	}
	bool over = c->user_timeout_ms
			    ? c->keepalive_probes > 0 && now - quiet_since >= c->user_timeout_ms
			    : c->keepalive_probes >= c->keepalive_count;
	if (over) {
		tcp_send_reset(c);
		tcp_fail(c, ETIMEDOUT);
		return;
	}
	tcp_send_probe(c);
	c->keepalive_probes++;
	c->keepalive_ms = now + c->keepalive_interval_s * 1000ull;
}

static void delayed_ack_fired(struct tcp_connection *c)
{
	c->delayed_ack_ms = TIMER_OFF;
	if (!c->ack_delayed)
		return;
	/* The program did not answer in time: it is no conversation of turns. */
	c->pingpong = false;
	tcp_send_ack(c);
}

static void retransmission_fired(struct tcp_connection *c)
{
	switch (c->rexmit_kind) {
	case TCP_REXMIT_TIMEOUT:
		rexmit_fired(c);
		break;
	case TCP_REXMIT_PERSIST:
		persist_fired(c);
		break;
	case TCP_REXMIT_PROBE:
		tcp_probe_fired(c);
		break;
	case TCP_REXMIT_REORDER:
		tcp_reorder_fired(c);
		break;
	}
}

static void fire(struct tcp_connection *c)
{
	uint64_t now = tcp_now_ms(c);
	if (c->delayed_ack_ms <= now)
		delayed_ack_fired(c);
	if (c->rexmit_ms <= now)
		retransmission_fired(c);
	if (c->state != TCP_CLOSE && c->keepalive_ms <= now)
		keepalive_fired(c);
}

static void timer_fired(struct wheel_timer *t)
{
	struct tcp_connection *c = container_of(t, struct tcp_connection, timer);
	irq_state irq = tcp_lock(c);
	if (c->state != TCP_CLOSE)
		fire(c);
	if (c->state != TCP_CLOSE)
		tcp_timer_update(c);
	tcp_unlock(c, irq);
	tcp_put(c);
}

void tcp_timer_init(struct tcp_connection *c)
{
	wheel_timer_init(&c->timer, timer_fired);
	c->rexmit_ms = c->delayed_ack_ms = c->keepalive_ms = TIMER_OFF;
	c->rto_ms = TCP_RTO_INITIAL_MS;
	c->syn_retries = TCP_SYN_RETRIES;
	c->keepalive_idle_s = KEEPALIVE_IDLE_S;
	c->keepalive_interval_s = KEEPALIVE_INTERVAL_S;
	c->keepalive_count = KEEPALIVE_COUNT;
}
