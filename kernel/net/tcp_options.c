/* Options of level SOL_TCP: tcp(7), as Linux 6.1 checks them. */
#include "kernel/lib/string.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp_internal.h"

#define KEEPALIVE_MAX_S 32767
#define KEEPALIVE_PROBES_MAX 127
#define SYN_RETRIES_MAX 127

static int set_congestion(struct tcp_connection *c, const void *value, size_t len)
{
	if (len < 1)
		return -EINVAL;
	const struct tcp_congestion_ops *ops = tcp_congestion_find(value, strnlen(value, len));
	if (!ops)
		return -ENOENT;
	if (c->congestion != ops) {
		c->congestion = ops;
		ops->init(c);
	}
	return 0;
}

/* A number of seconds or probes. */
static int set_range(uint32_t *to, int x, int low, int high)
{
	if (x < low || x > high)
		return -EINVAL;
	*to = (uint32_t)x;
	return 0;
}

static void set_cork(struct tcp_connection *c, int on)
{
	c->cork = on;
	if (!on && c->state != TCP_CLOSE && c->state != TCP_LISTEN)
		tcp_output(c, TCP_OUTPUT_PUSH);
}

static void set_nodelay(struct tcp_connection *c, int on)
{
	c->nodelay = on;
	if (on && !c->cork)
		tcp_output(c, 0);
}

static void set_quick_ack(struct tcp_connection *c, int on)
{
	c->quick_ack_option = on;
	if (!on) {
		c->pingpong = true;
		return;
	}
	tcp_quick_ack_mode(c);
	if (c->ack_delayed)
		tcp_send_ack(c);
}

/* Linux counts SYN-ACK retransmissions; the time they take is what we keep. */
static uint32_t defer_seconds(int x)
{
	uint32_t seconds = 0;
	for (uint32_t step = 1; x > 0 && seconds < (uint32_t)x && step < 64; step *= 2)
		seconds += step;
	return seconds;
}

static int set_window_clamp(struct tcp_connection *c, int x)
{
	if (x == 0 && c->state != TCP_CLOSE)
		return -EINVAL;
	c->window_clamp =
		x == 0 ? tcp_receive_limit_max() : max((uint32_t)x, RECEIVE_LIMIT_MIN / 2);
	return 0;
}

static int set_int(struct tcp_connection *c, int name, int x)
{
	switch (name) {
	case TCP_NODELAY:
		set_nodelay(c, x);
		return 0;
	case TCP_CORK:
		set_cork(c, x);
		return 0;
	case TCP_QUICKACK:
		set_quick_ack(c, x);
		return 0;
	case TCP_MAXSEG:
		if (x && (x < (int)TCP_MSS_MIN || x > 32767))
			return -EINVAL;
		c->user_mss = (uint16_t)x;
		return 0;
	case TCP_KEEPIDLE: {
		int err = set_range(&c->keepalive_idle_s, x, 1, KEEPALIVE_MAX_S);
		if (err == 0)
			tcp_keepalive_reset(c);
		return err;
	}
	case TCP_KEEPINTVL:
		return set_range(&c->keepalive_interval_s, x, 1, KEEPALIVE_MAX_S);
	case TCP_KEEPCNT:
		return set_range(&c->keepalive_count, x, 1, KEEPALIVE_PROBES_MAX);
	case TCP_SYNCNT:
		return set_range(&c->syn_retries, x, 1, SYN_RETRIES_MAX);
	case TCP_LINGER2:
		c->linger2_s = x < 0 ? -1 : x > 120 ? 0 : x;
		return 0;
	case TCP_DEFER_ACCEPT:
		c->defer_accept_s = defer_seconds(x);
		return 0;
	case TCP_WINDOW_CLAMP:
		return set_window_clamp(c, x);
	case TCP_USER_TIMEOUT:
		return set_range(&c->user_timeout_ms, x, 0, INT32_MAX);
	case TCP_NOTSENT_LOWAT:
		c->not_sent_low_water = (uint32_t)x;
		return 0;
	case TCP_FASTOPEN:
		/* A queue length, which matters only once the system allows it: as with Linux's defaults. */
		if (x < 0 || (c->state != TCP_CLOSE && c->state != TCP_LISTEN))
			return -EINVAL;
		c->fastopen_queue = x;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_set_option(struct socket *s, int level, int name, const void *value, size_t len)
{
	struct tcp_connection *c = tcp_of(s);
	if (level != SOL_TCP)
		return inet_set_option(&c->inet, level, name, value, len);
	int x = 0;
	int err = name == TCP_CONGESTION ? 0 : option_get_int(value, len, &x);
	if (err < 0)
		return err;
	irq_state irq = tcp_lock(c);
	err = name == TCP_CONGESTION ? set_congestion(c, value, len) : set_int(c, name, x);
	tcp_unlock(c, irq);
	return err;
}

static uint32_t age_ms(uint64_t then_ms)
{
	return then_ms ? (uint32_t)(now_ms() - then_ms) : 0;
}

static uint8_t recovery_state(const struct tcp_connection *c)
{
	switch (c->recovery) {
	case TCP_REDUCING:
		return TCP_CA_CWR;
	case TCP_RECOVERY:
		return TCP_CA_RECOVERY;
	case TCP_LOSS:
		return TCP_CA_LOSS;
	default:
		return c->duplicate_acks || c->sacked ? TCP_CA_DISORDER : TCP_CA_OPEN;
	}
}

static void fill_counts(const struct tcp_connection *c, struct linux_tcp_info *i)
{
	i->tcpi_total_retrans = c->total_retransmits;
	i->tcpi_bytes_acked = c->bytes_acked;
	i->tcpi_bytes_received = c->bytes_received;
	i->tcpi_bytes_sent = c->bytes_sent + c->bytes_retransmitted;
	i->tcpi_bytes_retrans = c->bytes_retransmitted;
	i->tcpi_segs_out = c->segments_out;
	i->tcpi_segs_in = c->segments_in;
	i->tcpi_data_segs_in = c->data_segments_in;
	i->tcpi_data_segs_out = c->data_segments_out;
	i->tcpi_rcv_ooopack = c->out_of_order_segments;
}

static void fill_info(const struct tcp_connection *c, struct linux_tcp_info *i)
{
	uint32_t mss = max(c->mss, (uint16_t)1);
	i->tcpi_state = (uint8_t)c->state;
	if (c->state == TCP_LISTEN) {
		i->tcpi_unacked = c->listener->n_ready;
		i->tcpi_sacked = c->listener->backlog;
		return;
	}
	i->tcpi_ca_state = recovery_state(c);
	i->tcpi_retransmits = (uint8_t)min(c->retries, 255u);
	i->tcpi_probes = (uint8_t)min(c->probes, 255u);
	i->tcpi_backoff = (uint8_t)c->backoff;
	i->tcpi_options = (c->timestamps_ok ? TCPI_OPT_TIMESTAMPS : 0) |
			  (c->scale_ok ? TCPI_OPT_WSCALE : 0) | (c->sack_ok ? TCPI_OPT_SACK : 0) |
			  (c->ecn_ok ? TCPI_OPT_ECN : 0);
	i->tcpi_snd_wscale = c->snd_scale & 15;
	i->tcpi_rcv_wscale = c->scale_ok ? c->rcv_scale & 15 : 0;
	i->tcpi_rto = c->rto_ms * 1000;
	i->tcpi_ato = TCP_DELAYED_ACK_MS * 1000;
	i->tcpi_snd_mss = c->mss;
	i->tcpi_rcv_mss = c->rcv_mss;
	i->tcpi_unacked = div_round_up(c->snd_nxt - c->snd_una, mss);
	i->tcpi_sacked = div_round_up(c->sacked, mss);
	i->tcpi_lost = div_round_up(c->lost, mss);
	i->tcpi_dsack_dups = c->duplicates_reported;
	i->tcpi_reord_seen = c->reorderings;
	i->tcpi_last_data_sent = age_ms(c->last_send_ms);
	i->tcpi_last_data_recv = age_ms(c->last_data_ms);
	i->tcpi_last_ack_recv = age_ms(c->last_ack_received_ms);
	i->tcpi_pmtu = c->inet.route.mtu;
	i->tcpi_rcv_ssthresh = c->window_clamp;
	i->tcpi_rtt = c->srtt_us8 / 8;
	i->tcpi_rttvar = c->rttvar_us4 / 4;
	i->tcpi_min_rtt = c->min_rtt_us;
	i->tcpi_snd_ssthresh = c->ssthresh == UINT32_MAX ? INT32_MAX : c->ssthresh / mss;
	i->tcpi_snd_cwnd = max(c->cwnd / mss, 1u);
	i->tcpi_advmss = c->inet.route.mtu > 40 ? c->inet.route.mtu - 40u : 0;
	i->tcpi_reordering = 3;
	i->tcpi_rcv_space = c->space_bytes;
	i->tcpi_notsent_bytes = c->write_seq - c->snd_nxt;
	i->tcpi_snd_wnd = c->snd_wnd;
	fill_counts(c, i);
}

static int get_int(const struct tcp_connection *c, int name, int *x)
{
	switch (name) {
	case TCP_NODELAY:
		*x = c->nodelay;
		break;
	case TCP_CORK:
		*x = c->cork;
		break;
	case TCP_QUICKACK:
		*x = !c->pingpong;
		break;
	case TCP_MAXSEG:
		*x = c->state == TCP_CLOSE && c->user_mss ? c->user_mss : c->mss;
		break;
	case TCP_KEEPIDLE:
		*x = (int)c->keepalive_idle_s;
		break;
	case TCP_KEEPINTVL:
		*x = (int)c->keepalive_interval_s;
		break;
	case TCP_KEEPCNT:
		*x = (int)c->keepalive_count;
		break;
	case TCP_SYNCNT:
		*x = (int)c->syn_retries;
		break;
	case TCP_LINGER2:
		*x = c->linger2_s ? c->linger2_s : 60;
		break;
	case TCP_DEFER_ACCEPT:
		*x = (int)c->defer_accept_s;
		break;
	case TCP_WINDOW_CLAMP:
		*x = (int)c->window_clamp;
		break;
	case TCP_USER_TIMEOUT:
		*x = (int)c->user_timeout_ms;
		break;
	case TCP_NOTSENT_LOWAT:
		*x = (int)c->not_sent_low_water;
		break;
	case TCP_FASTOPEN:
		*x = c->fastopen_queue;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return 0;
}

int tcp_get_option(struct socket *s, int level, int name, void *value, size_t size)
{
	struct tcp_connection *c = tcp_of(s);
	if (level == SOL_SOCKET && name == SO_PEERCRED) {
		struct linux_ucred nobody = {0, UINT32_MAX, UINT32_MAX};
		return option_put(value, size, &nobody, sizeof(nobody));
	}
	if (level != SOL_TCP)
		return inet_get_option(&c->inet, level, name, value, size);
	if (name == TCP_CONGESTION) {
		char text[TCP_CONGESTION_NAME_MAX] = "";
		string_copy(text, c->congestion->name, sizeof(text));
		return option_put(value, size, text, sizeof(text));
	}
	struct linux_tcp_info info;
	int x = 0, err = 0;
	irq_state irq = tcp_lock(c);
	if (name == TCP_INFO) {
		memset(&info, 0, sizeof(info));
		fill_info(c, &info);
	} else {
		err = get_int(c, name, &x);
	}
	tcp_unlock(c, irq);
	if (err < 0)
		return err;
	return name == TCP_INFO ? option_put(value, size, &info, sizeof(info))
				: option_put_int(value, size, x);
}
