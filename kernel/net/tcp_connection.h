/* A TCP connection: its send queue, its state, the lock and the clock read under it. */
#pragma once

#include "kernel/net/demux.h"
#include "kernel/net/inet.h"
#include "kernel/net/ip.h"
#include "kernel/net/tcp_segment.h"
#include "kernel/net/wheel.h"

/*
 * A packet of the send queue: this stands in packet.owner.  While the device has the packet, its data must stay: two
 * hold it, and whoever is last frees it.  What was sent once is never changed any more: a retransmission is another
 * packet that refers to the same pages, and a packet that must become two gives way to two others.
 */
struct tcp_queued {
	struct list link;
	uint32_t seq, len; /* of data; a FIN comes on top */
	uint32_t sent_us;  /* last time; low bits of the monotonic clock */
	uint32_t skip;     /* bytes before seq that are acknowledged already */
	uint16_t payload;  /* where data start in the buffer */
	uint16_t linear;   /* how many are there; the others are in fragments */
	_Atomic uint8_t holders;
	uint8_t flags; /* TCP_FIN, TCP_PSH, and: */
};
#define TCP_QUEUED_LOST 0x20u   /* not in flight any more; to be sent again */
#define TCP_QUEUED_SACKED 0x40u /* arrived */
#define TCP_QUEUED_AGAIN 0x80u  /* retransmitted: no RTT sample (Karn) */
_Static_assert(
	sizeof(struct tcp_queued) <= sizeof(((struct packet *)0)->owner), "lives in packet.owner");

/* Sequence numbers it covers. */
static inline uint32_t tcp_queued_len(const struct tcp_queued *q)
{
	return q->len + !!(q->flags & TCP_FIN);
}
static inline struct tcp_queued *tcp_queued(struct packet *p)
{
	return (struct tcp_queued *)p->owner;
}
static inline struct packet *tcp_packet(struct tcp_queued *q)
{
	return container_of((uint64_t(*)[5])q, struct packet, owner);
}

struct tcp_connection;

/* Congestion control: windows are in bytes.  Called with the connection's lock held. */
struct tcp_congestion_ops {
	const char *name;
	void (*init)(struct tcp_connection *c);
	/* New data were acknowledged outside of recovery: grow cwnd.  c->sample_us: this ACK's round trip, or 0. */
	void (*acked)(struct tcp_connection *c, uint32_t n_bytes);
	/* A loss: the new ssthresh. */
	uint32_t (*threshold)(struct tcp_connection *c);
	/* After a time without sending, or a retransmission timeout.  NULL: nothing of its own. */
	void (*restart)(struct tcp_connection *c);
};
extern const struct tcp_congestion_ops tcp_cubic;
const struct tcp_congestion_ops *tcp_congestion_find(const char *name, size_t len);
const struct tcp_congestion_ops *tcp_congestion_default(void);

enum tcp_recovery {
	TCP_OPEN,
	TCP_REDUCING, /* cwnd is lowered until `recover` is acknowledged: ECN, or a loss a probe repaired */
	TCP_RECOVERY, /* fast recovery until `recover` is acknowledged */
	TCP_LOSS, /* after a timeout: all was lost; slow start until `recover` is acknowledged */
};

/* What rexmit_ms is for. */
enum tcp_rexmit {
	TCP_REXMIT_TIMEOUT,
	TCP_REXMIT_PERSIST, /* zero-window probe */
	TCP_REXMIT_PROBE,   /* tail loss probe, RFC 8985 7 */
	TCP_REXMIT_REORDER, /* what may be only late is lost by then, RFC 8985 6.3 */
};

/* Only of listening sockets. */
struct tcp_listener {
	struct list requests; /* struct tcp_request: SYN received */
	struct list ready;    /* struct tcp_connection by accept_link */
	unsigned n_requests, n_ready, backlog;
	atomic_uint
		n_waiting; /* requests that wait for a place among the ready; not under the lock */
};

struct tcp_connection {
	struct inet_socket inet; /* first */
	struct demux_entry demux;
	struct mutex send_lock, read_lock;

	/* All the rest is under inet.socket.lock. */
	enum linux_tcp_state state;
	bool orphan; /* no file any more */
	bool in_demux;
	struct tcp_listener *listener; /* stays once made: `state` says whether it listens */
	enum { CALL_IDLE, CALL_CONNECTING, CALL_CONNECTED } call; /* what connect(2) answers */
	struct list accept_link;
	struct list output_link; /* on a CPU's list of net_queue_output() */
	bool output_queued;
	unsigned wake;   /* EPOLL events to announce when the lock is gone */
	uint64_t now_ns; /* the clock as first read under this lock; 0: not yet */
	int soft_error;  /* what ICMP said: reported if the connection fails (RFC 1122 4.2.3.9) */

	/* sending */
	uint32_t iss, snd_una, snd_nxt, write_seq, snd_wnd, snd_wl1, snd_wl2, max_window;
	uint32_t small_end; /* end of the last segment below the MSS, for Nagle (Minshall) */
	struct list unacked, unsent; /* struct tcp_queued */
	uint32_t send_charge;        /* memory of both */
	uint16_t mss;                /* for data: what path and peer take, less options */
	uint16_t peer_mss, user_mss;
	uint8_t snd_scale, rcv_scale;
	bool scale_ok, timestamps_ok, sack_ok, ecn_ok;
	bool ecn_echo;     /* the network marked what came: say so until CWR arrives */
	bool ecn_answered; /* the next new segment carries CWR */
	bool nodelay, cork, fin_queued, no_space;
	uint32_t not_sent_low_water;

	/* congestion and loss */
	const struct tcp_congestion_ops *congestion;
	enum tcp_recovery recovery;
	uint32_t cwnd, ssthresh, recover;
	uint32_t cwnd_bytes; /* acknowledged towards the next growth */
	uint64_t congestion_state[6];
	unsigned duplicate_acks;
	uint32_t sacked,
		lost; /* bytes of unacked so marked; without SACK sacked is a guess (duplicate ACKs) */
	uint32_t sack_high;                        /* end of the highest SACKed data, if sacked */
	uint32_t prr_delivered, prr_out, prr_cwnd; /* RFC 6937; prr_cwnd: as recovery began */
	uint32_t undo_cwnd, undo_ssthresh;         /* before; undo_cwnd 0: nothing to undo */
	uint32_t undo_stamp;                       /* our timestamp of the first retransmission */
	bool undo_stamped;
	int undo_retransmits; /* not reported as duplicates yet */
	/* RFC 8985: the latest sent of what arrived; its round trip */
	uint32_t rack_sent_us, rack_end, rack_rtt_us;
	uint8_t rack_window;  /* quarters of the shortest round trip to wait for late segments */
	uint8_t rack_persist; /* recoveries until it shrinks again */
	uint32_t rack_round;  /* a duplicate report before this is of the same round trip */
	bool rack_valid;      /* not once all is acknowledged: the clock's low bits come around */
	bool reordering_seen, probe_again;
	uint32_t probe_end; /* snd_nxt when the tail loss probe went; 0: none under way */
	uint64_t last_send_ms;

	/* round trip, in us; shifted as RFC 6298's example code */
	uint32_t srtt_us8, rttvar_us4, min_rtt_us;
	uint32_t rto_ms;
	uint32_t syn_sent_us, sample_us;
	unsigned backoff, retries, probes;
	uint64_t retries_since_ms; /* first timeout of this run, for TCP_USER_TIMEOUT */
	bool rtt_seen;

	/* receiving */
	uint32_t irs, rcv_nxt, rcv_wnd, rcv_wup;
	_Atomic uint32_t
		rcv_end;     /* end of the data in receive_queue: released after they are there */
	uint32_t copied_seq; /* read by the program up to here; under read_lock too */
	struct list receive_queue; /* packets in order; taken off only under read_lock */
	struct list out_of_order;  /* by sequence: owner[0] */
	struct tcp_block sacks[TCP_SACK_BLOCKS]; /* what is in there, the latest first */
	struct tcp_block duplicate; /* to be reported once (RFC 2883); end == start: nothing */
	uint8_t n_sacks;
	uint32_t receive_charge;
	uint32_t memory_reserved; /* of the common memory, for both charges */
	uint16_t rcv_mss;         /* estimate of the peer's segments */
	uint32_t window_clamp;
	bool fin_received, fin_known; /* in order; somewhere: at fin_seq */
	uint32_t fin_seq;
	uint32_t ts_recent, ts_offset;
	uint64_t ts_recent_ms;
	unsigned quick_acks;
	bool pingpong, ack_now, ack_delayed, quick_ack_option;
	uint64_t last_data_ms, last_ack_received_ms, last_ack_sent_ms;
	uint64_t challenge_ms;
	/* automatic buffer size: bytes read in the last round trip */
	uint32_t space_copied_seq, space_bytes;
	uint64_t space_ms;

	/* timers: absolute ms, UINT64_MAX off; one wheel timer for the first of them */
	struct wheel_timer timer; /* armed: holds a reference */
	uint64_t rexmit_ms, delayed_ack_ms, keepalive_ms;
	enum tcp_rexmit rexmit_kind;
	unsigned keepalive_probes;
	uint32_t keepalive_idle_s, keepalive_interval_s, keepalive_count;
	uint32_t user_timeout_ms, syn_retries, defer_accept_s;
	int linger2_s, fastopen_queue;

	/* statistics for TCP_INFO */
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retransmitted;
	uint32_t segments_in, segments_out, data_segments_in, data_segments_out, total_retransmits;
	uint32_t out_of_order_segments, duplicates_reported, reorderings;
	uint32_t delivered_segments, delivered_marked;
};

#define TIMER_OFF UINT64_MAX

static inline struct tcp_connection *tcp_of(struct socket *s)
{
	return (struct tcp_connection *)s;
}

static inline irq_state must_check tcp_lock(struct tcp_connection *c)
{
	irq_state irq = spin_lock(&c->inet.socket.lock);
	c->now_ns = 0;
	return irq;
}
/* The time, read once while locked. */
static inline uint64_t tcp_now_ns(struct tcp_connection *c)
{
	if (c->now_ns == 0)
		c->now_ns = clock_monotonic_ns();
	return c->now_ns;
}
static inline uint64_t tcp_now_ms(struct tcp_connection *c)
{
	return tcp_now_ns(c) / NS_PER_MS;
}
static inline uint32_t tcp_now_us(struct tcp_connection *c)
{
	return (uint32_t)(tcp_now_ns(c) / NS_PER_US);
}
/* Unlock, and announce c->wake. */
void tcp_unlock(struct tcp_connection *c, irq_state irq);
static inline void tcp_hold(struct tcp_connection *c)
{
	socket_hold(&c->inet.socket);
}
static inline void tcp_put(struct tcp_connection *c)
{
	socket_put(&c->inet.socket);
}
