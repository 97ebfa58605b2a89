/*
 * How fast TCP sends.  The list of algorithms, and Reno: slow start and congestion avoidance of RFC 5681 by bytes
 * acknowledged (RFC 3465).  Entering and leaving recovery is common to all (tcp_recovery.c).
 */
#include "kernel/lib/string.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

#define SLOW_START_LIMIT 2u /* segments of growth per ACK, RFC 3465 2.2 */

static void reno_init(struct tcp_connection *c)
{
	c->cwnd_bytes = 0;
}

static void reno_acked(struct tcp_connection *c, uint32_t n_bytes)
{
	if (c->cwnd < c->ssthresh) {
		c->cwnd += min(n_bytes, SLOW_START_LIMIT * c->mss);
		return;
	}
	c->cwnd_bytes += n_bytes;
	if (c->cwnd_bytes >= c->cwnd) {
		c->cwnd_bytes -= c->cwnd;
		c->cwnd += c->mss;
	}
}

static uint32_t reno_threshold(struct tcp_connection *c)
{
	return max(c->cwnd / 2, 2u * c->mss);
}

static const struct tcp_congestion_ops reno = {
	.name = "reno",
	.init = reno_init,
	.acked = reno_acked,
	.threshold = reno_threshold,
};

/* The first is the default. */
static const struct tcp_congestion_ops *const algorithms[] = {&tcp_cubic, &reno};

const struct tcp_congestion_ops *tcp_congestion_find(const char *name, size_t len)
{
	for (unsigned i = 0; i < array_size(algorithms); i++)
		if (strlen(algorithms[i]->name) == len &&
			memcmp(algorithms[i]->name, name, len) == 0)
			return algorithms[i];
	return NULL;
}

const struct tcp_congestion_ops *tcp_congestion_default(void)
{
	return algorithms[0];
}

void tcp_congestion_init(struct tcp_connection *c)
{
	c->cwnd = TCP_INITIAL_WINDOW * c->mss;
	c->ssthresh = UINT32_MAX;
	c->recovery = TCP_OPEN;
	c->recover = c->snd_una - 1;
	c->rack_window = 1;
	c->rack_end = c->rack_round = c->snd_una;
	c->congestion->init(c);
	/* Room for the initial window twice over, as Linux's tcp_init_buffer_space(). */
	struct socket *s = &c->inet.socket;
	if (!socket_option(s, OPTION_SEND_LIMIT_SET))
		s->send_limit = max(s->send_limit, min(4 * c->cwnd, net_limits.tcp_buffer_max));
}

void tcp_idle_restart(struct tcp_connection *c)
{
	c->cwnd = min(c->cwnd, TCP_INITIAL_WINDOW * c->mss);
	if (c->congestion->restart)
		c->congestion->restart(c);
}
