/*
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406).  Integers only: windows in bytes, time in ms; the constant C = 0.4 is
 * 2/5, beta = 0.7 is 7/10.
 */
#include "kernel/net/tcp_internal.h"

#define TIME_MAX_MS 60000u /* further from the plateau the cube would not fit */
#define CUBE_SCALE 1000000000ull
#define SLOW_START_LIMIT 8u /* segments of growth per ACK, RFC 9406 4.2 without pacing */
#define RTT_SAMPLES 8u
#define RTT_RISE_MIN_US 4000u
#define RTT_RISE_MAX_US 16000u
#define CAUTIOUS_DIVISOR 4u
#define CAUTIOUS_ROUNDS 5u

/* In congestion_state. */
struct cubic {
	uint32_t max;        /* the window before the last loss: the plateau */
	uint32_t epoch_ms;   /* since when it grows, | 1; 0: not begun */
	uint32_t origin;     /* the plateau of this epoch */
	uint32_t plateau_ms; /* K: from the epoch to there */
	uint32_t reno;       /* the window Reno would have (4.3) */
	/* HyStart++ */
	uint32_t round_end, round_rtt_us, last_rtt_us, baseline_us;
	uint16_t n_samples, cautious; /* rounds of conservative slow start, + 1 */
};
_Static_assert(sizeof(struct cubic) <= sizeof(((struct tcp_connection *)0)->congestion_state),
	"lives in congestion_state");

static struct cubic *cubic_of(struct tcp_connection *c)
{
	return (struct cubic *)c->congestion_state;
}

static uint32_t cube_root(uint64_t x)
{
	uint64_t root = 0;
	for (int bit = 20; bit >= 0; bit--) {
		uint64_t more = root | 1ull << bit;
		if (more * more * more <= x)
			root = more;
	}
	return (uint32_t)root;
}

static void cubic_init(struct tcp_connection *c)
{
	*cubic_of(c) = (struct cubic){.round_end = c->snd_nxt};
	c->cwnd_bytes = 0;
}

static void begin_epoch(struct tcp_connection *c, struct cubic *u, uint32_t now)
{
	u->epoch_ms = now | 1;
	u->reno = c->cwnd;
	u->origin = max(c->cwnd, u->max);
	u->plateau_ms = 0;
	if (c->cwnd < u->max) /* K = cbrt((W_max - cwnd) / C), in ms */
		u->plateau_ms =
			cube_root((uint64_t)(u->max - c->cwnd) / c->mss * CUBE_SCALE / 2 * 5);
}

/* W_cubic(t), figure 1. */
static uint32_t window_at(const struct tcp_connection *c, const struct cubic *u, uint32_t t_ms)
{
	bool before = t_ms < u->plateau_ms;
	uint64_t dt = before ? u->plateau_ms - t_ms : t_ms - u->plateau_ms;
	dt = min(dt, (uint64_t)TIME_MAX_MS);
	uint64_t delta = dt * dt * dt / 5 * 2 / 1000 * c->mss / (CUBE_SCALE / 1000);
	if (before)
		return delta < u->origin ? u->origin - (uint32_t)delta : 0;
	return (uint32_t)min(u->origin + delta, (uint64_t)UINT32_MAX / 2);
}

static void avoid_congestion(struct tcp_connection *c, struct cubic *u, uint32_t n_bytes)
{
	uint32_t now = (uint32_t)tcp_now_ms(c);
	if (u->epoch_ms == 0)
		begin_epoch(c, u, now);
	uint32_t t = now - u->epoch_ms, rtt_ms = c->srtt_us8 / 8000;
	uint32_t target = window_at(c, u, t + rtt_ms);
	target = min(max(target, c->cwnd), c->cwnd + c->cwnd / 2);
	/* alpha = 3 (1 - beta) / (1 + beta) = 9/17 until the old window is reached, then 1 (4.3). */
	uint64_t grown = (uint64_t)n_bytes * c->mss / c->cwnd;
	u->reno += (uint32_t)(u->reno < u->max ? grown * 9 / 17 : grown);
	uint64_t step = (uint64_t)(target - c->cwnd) * n_bytes;
	uint64_t credit = c->cwnd_bytes + step;
	c->cwnd_bytes = (uint32_t)(credit % c->cwnd);
	c->cwnd += (uint32_t)(credit / c->cwnd);
	if (window_at(c, u, t) < u->reno)
		c->cwnd = max(c->cwnd, u->reno);
}

/* RFC 9406 4.2: leave slow start when the round trip rises from one round to the next. */
static void watch_rtt(struct tcp_connection *c, struct cubic *u)
{
	if (!seq_before(c->snd_una, u->round_end)) {
		u->round_end = c->snd_nxt;
		u->last_rtt_us = u->round_rtt_us;
		u->round_rtt_us = 0;
		u->n_samples = 0;
		if (u->cautious && u->cautious++ > CAUTIOUS_ROUNDS)
			c->ssthresh = c->cwnd;
	}
	if (!c->sample_us)
		return;
	u->round_rtt_us = u->round_rtt_us ? min(u->round_rtt_us, c->sample_us) : c->sample_us;
	u->n_samples++;
	if (u->n_samples < RTT_SAMPLES || !u->last_rtt_us)
		return;
	uint32_t rise = min(max(u->last_rtt_us / 8, RTT_RISE_MIN_US), RTT_RISE_MAX_US);
	if (!u->cautious && u->round_rtt_us >= u->last_rtt_us + rise) {
		u->cautious = 1;
		u->baseline_us = u->round_rtt_us;
	} else if (u->cautious && u->round_rtt_us < u->baseline_us) {
		u->cautious = 0; /* it was noise */
	}
}

static void cubic_acked(struct tcp_connection *c, uint32_t n_bytes)
{
	struct cubic *u = cubic_of(c);
	if (c->cwnd < c->ssthresh) {
		watch_rtt(c, u);
		uint32_t step = min(n_bytes, SLOW_START_LIMIT * c->mss);
		c->cwnd += u->cautious ? step / CAUTIOUS_DIVISOR : step;
		return;
	}
	avoid_congestion(c, u, n_bytes);
}

static uint32_t cubic_threshold(struct tcp_connection *c)
{
	struct cubic *u = cubic_of(c);
	/* Below the last plateau again: others want room (4.7). */
	u->max = c->cwnd < u->max ? c->cwnd / 20 * 17 : c->cwnd;
	u->epoch_ms = 0;
	u->cautious = 0;
	return max((uint32_t)((uint64_t)c->cwnd * 7 / 10), 2u * c->mss);
}

static void cubic_restart(struct tcp_connection *c)
{
	struct cubic *u = cubic_of(c);
	u->epoch_ms = 0;
	u->cautious = 0;
	u->round_end = c->snd_nxt;
	u->round_rtt_us = u->last_rtt_us = 0;
}

const struct tcp_congestion_ops tcp_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.acked = cubic_acked,
	.threshold = cubic_threshold,
	.restart = cubic_restart,
};
