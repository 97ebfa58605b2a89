/*
 * TCP: RFC 9293, with RFC 5681 and 6582 (congestion, recovery), 2018, 2883 and 6675 (SACK), 8985 (RACK-TLP), 6937
 * (proportional rate reduction), 3522 (undo), 9438 (CUBIC), 9406 (HyStart++), 3168 (ECN), 6298 (timer), 7323
 * (scaling, timestamps), 5961 (blind attacks), 6528 (initial sequence), 4987 (SYN cookies).
 *
 *     tcp_input.c       the state machine for arriving segments
 *     tcp_ack.c         what an acknowledgement does to the send queue, RTT
 *     tcp_scoreboard.c  what of the send queue arrived or is lost (SACK), and sending it again
 *     tcp_recovery.c    when something counts as lost, and how fast to go on: RACK-TLP, PRR, undo
 *     tcp_receive.c     arriving data: order, window, when to acknowledge
 *     tcp_sack.c        the SACK blocks we send
 *     tcp_output.c      what may be sent now, headers
 *     tcp_timer.c       retransmission, probes, delayed ACK, keepalive
 *     tcp_memory.c      what all of them may hold
 *     tcp_congestion.c  how fast (one table per algorithm); tcp_cubic.c: the default
 *     tcp_request.c     connections in the making, SYN cookies in tcp_syncookie.c
 *     tcp_listen.c      listening and accepting
 *     tcp_time_wait.c   connections that are over
 *     tcp_socket.c      the calls of a socket; tcp_stream.c: send and receive; tcp_options.c: setsockopt
 *
 * Locking: a connection's fields are under its socket's spinlock; the interrupt handler and system calls take it for
 * short.  Order: connection, then (each alone) listener, demux stripe, port, wheel, neighbour, driver, wait queue.
 * User memory is copied outside of it: senders are serialised by send_lock, readers by read_lock, and only a reader
 * takes packets off the receive queue.
 *
 * Sequence variables carry RFC 9293's names.
 */
#pragma once

#include "abi/linux/tcp.h"
#include "kernel/net/demux.h"
#include "kernel/net/inet.h"
#include "kernel/net/ip.h"
#include "kernel/net/wheel.h"

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u
#define TCP_ECE 0x40u
#define TCP_CWR 0x80u

struct tcp_header {
	uint16_t source, destination;
	uint32_t seq, ack;
	uint8_t offset, flags;
	uint16_t window, checksum, urgent;
} packed;

#define TCP_HEADER 20u
#define TCP_TIMESTAMP_SPACE 12u /* the option, padded */
#define TCP_SACK_BLOCKS 4u
#define TCP_MSS_DEFAULT 536u
/* IP and TCP headers without options. */
static inline uint32_t tcp_overhead(const struct flow *f)
{
	return ip_is_v4(&f->remote) ? 40 : 60;
}
#define TCP_MSS_MIN 88u /* as Linux's tcp_min_snd_mss is 48: less is an attack */
#define TCP_SCALE_MAX 14u
#define TCP_INITIAL_WINDOW 10u /* segments, RFC 6928 */
#define TCP_RTO_INITIAL_MS 1000u
#define TCP_RTO_MIN_MS 200u /* as Linux; RFC 6298 says a second */
#define TCP_RTO_MAX_MS 120000u
#define TCP_DELAYED_ACK_MS 40u
#define TCP_SYN_RETRIES 6u
#define TCP_SYNACK_RETRIES 5u
#define TCP_RETRIES 15u
#define TCP_ORPHAN_RETRIES 7u
#define TCP_FIN_TIMEOUT_MS 60000u
#define TCP_TIME_WAIT_MS 60000u
#define TCP_QUICK_ACKS 16u
#define TCP_RECEIVE_DEFAULT 131072u /* net.ipv4.tcp_rmem[1] */
#define TCP_SEND_DEFAULT 16384u     /* net.ipv4.tcp_wmem[1] */

/* a before b in sequence space, and so on. */
static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}
static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(b - a) < 0;
}

struct tcp_block {
	uint32_t start, end;
};

/* A received segment's header in host order. */
struct tcp_segment {
	uint32_t seq, ack, end; /* end: after data, SYN and FIN */
	uint32_t window;        /* as on the wire */
	uint32_t len;           /* of data */
	uint8_t flags;
	bool has_timestamp, has_scale, sack_permitted;
	bool congested; /* the IP header says so (CE) */
	uint8_t scale, n_sacks;
	uint16_t mss; /* 0: option absent */
	uint32_t timestamp, timestamp_echo;
	uint32_t iss_hint; /* a connection in TIME_WAIT gave way: begin above it; 0: none */
	struct tcp_block sacks[TCP_SACK_BLOCKS]; /* n_sacks of them */
};

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

extern struct port_table tcp_ports;
extern const struct protocol tcp_protocol, tcp6_protocol;

/* tcp_socket.c */
struct tcp_connection *tcp_new(const struct protocol *p) must_check;
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
/* Locked, all below unless said. */
/* The connection is over: CLOSE, out of the tables, timers off; err: for SO_ERROR, or 0.  The caller has a reference. */
void tcp_done(struct tcp_connection *c, int err);
/* Over because time ran out or a reset came, with what ICMP said if it did. */
void tcp_fail(struct tcp_connection *c, int err);
unsigned tcp_poll(struct socket *s); /* not locked */
/* tcp_memory.c: what all connections together hold. */
#define TCP_MEMORY_SHARE 16384u
bool tcp_memory_short(void);
bool tcp_memory_reserve(
	struct tcp_connection *c, uint32_t extra) must_check; /* extra: about to be charged */
void tcp_memory_return(struct tcp_connection *c);             /* what is not in use any more */
static inline uint32_t tcp_send_limit(const struct tcp_connection *c)
{
	uint32_t limit = c->inet.socket.send_limit;
	return unlikely(tcp_memory_short()) ? min(limit, TCP_MEMORY_SHARE) : limit;
}
static inline bool tcp_send_memory(const struct tcp_connection *c)
{
	return c->send_charge < tcp_send_limit(c);
}
/* RFC 6528; and a start for the timestamps of that pair of hosts. */
uint32_t tcp_initial_sequence(const struct flow *f, uint32_t *timestamp_offset);

/* tcp_input.c: from IP */
void tcp_input(struct packet *p, const struct ip_info *ip);
void tcp_error(const struct ip_error *e);

/* tcp_ack.c */
/* An acceptable ACK field.  False: it acknowledges what was never sent or is too old; the segment is to be dropped. */
bool tcp_ack_input(struct tcp_connection *c, const struct tcp_segment *s);
void tcp_rtt_sample(struct tcp_connection *c, uint32_t rtt_us);

/* What one ACK told. */
struct tcp_acked {
	uint32_t acked;                   /* snd_una moved by this */
	uint32_t delivered;               /* bytes that arrived, by all this ACK tells */
	uint32_t rtt_us;                  /* of the last packet that was sent once, or 0 */
	bool duplicate;                   /* says nothing new: RFC 5681 2 */
	bool sack_news, duplicate_report; /* new SACKed data; a segment came twice (RFC 2883) */
	bool congested;                   /* ECE */
};

/* tcp_scoreboard.c */
void tcp_sack_input(struct tcp_connection *c, const struct tcp_segment *s, struct tcp_acked *a);
/* q or n bytes of it arrived for the first time we hear of. */
void tcp_delivered(
	struct tcp_connection *c, const struct tcp_queued *q, uint32_t n, struct tcp_acked *a);
void tcp_mark_lost(struct tcp_connection *c, struct tcp_queued *q);
/* The first packet, or its first segment if it is larger. */
void tcp_mark_first_lost(struct tcp_connection *c);
void tcp_mark_all_lost(struct tcp_connection *c);
void tcp_unmark_all(struct tcp_connection *c);
/* Send what is marked lost, as far as cwnd lets. */
void tcp_retransmit_lost(struct tcp_connection *c);
/* The first segment not acknowledged, or the last, again.  False: there is none, or no memory. */
bool tcp_retransmit_first(struct tcp_connection *c);
bool tcp_retransmit_last(struct tcp_connection *c);

/* tcp_recovery.c */
/* After an ACK was worked in; flight: before it. */
void tcp_recovery_input(struct tcp_connection *c, const struct tcp_segment *s, struct tcp_acked *a,
	uint32_t flight);
/* True: this ACK is of an ordinary kind, in ordinary times. */
static inline bool tcp_undisturbed(const struct tcp_connection *c, const struct tcp_acked *a)
{
	return c->recovery == TCP_OPEN && !(c->sacked | c->lost | c->probe_end) && !a->duplicate &&
	       !a->sack_news && !a->duplicate_report && !a->congested;
}
void tcp_rack_delivered(struct tcp_connection *c, const struct tcp_queued *q);
void tcp_enter_loss(struct tcp_connection *c);
void tcp_reorder_fired(struct tcp_connection *c);
void tcp_probe_fired(struct tcp_connection *c);

/* tcp_sack.c */
/* Data arrived out of order; or twice. */
void tcp_sack_note(struct tcp_connection *c, uint32_t start, uint32_t end);
void tcp_sack_note_duplicate(struct tcp_connection *c, uint32_t start, uint32_t end);
/* rcv_nxt moved; and: what was out of order is forgotten. */
void tcp_sack_advance(struct tcp_connection *c);
void tcp_sack_forget(struct tcp_connection *c);
/* Bytes of option for an ACK, and the option itself. */
uint32_t tcp_sack_space(const struct tcp_connection *c);
void tcp_sack_write(struct tcp_connection *c, uint8_t *option);
void tcp_queue_purge(struct tcp_connection *c); /* everything unsent and unacknowledged */

/* tcp_receive.c */
/* Data and FIN of an acceptable segment; takes p (data at the payload) over. */
void tcp_receive_data(struct tcp_connection *c, struct packet *p, const struct tcp_segment *s);
uint32_t tcp_select_window(struct tcp_connection *c);
uint32_t tcp_receive_limit_max(void);
/* After the program read: tell the peer if the window opened enough, or an ACK was held back. */
void tcp_reader_progress(struct tcp_connection *c);
void tcp_purge_receive(struct tcp_connection *c);
/* p leaves the receive queue: owner[1] says what it was charged. */
void tcp_uncharge_received(struct tcp_connection *c, const struct packet *p);
static inline uint32_t tcp_readable(const struct tcp_connection *c)
{
	return atomic_load_explicit(&c->rcv_end, memory_order_acquire) - c->copied_seq;
}
void tcp_quick_ack_mode(struct tcp_connection *c);

/* tcp_output.c */
#define TCP_OUTPUT_MORE 1u /* a part segment may wait for more data */
#define TCP_OUTPUT_PUSH 2u /* send part segments whatever Nagle says */
void tcp_output(struct tcp_connection *c, unsigned flags);
/* tcp_output() once this batch is over; interrupts off. */
void tcp_output_later(struct tcp_connection *c);
void tcp_output_run(struct list *link); /* from net_flush(): not locked */
void tcp_send_ack(struct tcp_connection *c);
void tcp_send_reset(struct tcp_connection *c); /* of a connection of ours */
void tcp_send_syn(struct tcp_connection *c);   /* or SYN-ACK in SYN_RECV (simultaneous open) */
void tcp_send_packet(struct tcp_connection *c, struct packet *p, uint32_t seq, uint8_t flags);
void tcp_queued_init(struct packet *p, uint32_t seq, uint32_t len, uint8_t flags);
/* A new segment past the window of congestion control, for a probe.  False: none, or no room at the peer. */
bool tcp_send_one(struct tcp_connection *c);
/* A segment that only asks for an answer: zero-window probe without data, keepalive. */
void tcp_send_probe(struct tcp_connection *c);
/* First bytes of the queue, into a window too small for them. */
bool tcp_send_partial(struct tcp_connection *c);
void tcp_queue_fin(struct tcp_connection *c);
void tcp_enqueue(struct tcp_connection *c, struct packet *p, uint32_t len, uint8_t flags);
uint32_t tcp_timestamp(struct tcp_connection *c);
/* The MSS from route, peer and options; keeps c->inet.route fresh. */
int tcp_sync_route(struct tcp_connection *c) must_check;
uint32_t tcp_segment_max(
	const struct tcp_connection *c); /* bytes one packet may carry: several MSS with TSO */
void tcp_packet_release(struct packet *p);

/* A segment that belongs to no connection object: SYN-ACKs of requests, resets, TIME_WAIT's ACKs. */
struct tcp_reply {
	struct flow flow;
	uint32_t seq, ack, window; /* window: as it goes on the wire */
	uint8_t flags, tos;
	bool has_timestamp, has_scale, sack_permitted;
	uint8_t scale;
	uint16_t mss; /* 0: none */
	uint32_t timestamp, timestamp_echo;
};
void tcp_send_reply(const struct tcp_reply *r);
void tcp_reset_segment(const struct flow *f, const struct tcp_segment *s);

/* tcp_timer.c */
void tcp_timer_init(struct tcp_connection *c);
void tcp_timer_stop_all(struct tcp_connection *c);
/* Make sure the wheel fires no later than the first deadline. */
void tcp_timer_update(struct tcp_connection *c);
void tcp_rexmit_start(
	struct tcp_connection *c); /* from now, RTO with backoff, or a probe before it */
void tcp_timeout_start(struct tcp_connection *c); /* the RTO in any case */
void tcp_reorder_start(struct tcp_connection *c, uint32_t after_us);
void tcp_rexmit_stop(struct tcp_connection *c);
void tcp_persist_start(struct tcp_connection *c);
void tcp_keepalive_reset(struct tcp_connection *c);

/* tcp_congestion.c */
void tcp_congestion_init(struct tcp_connection *c);
void tcp_idle_restart(struct tcp_connection *c);
static inline uint32_t tcp_in_flight(const struct tcp_connection *c)
{
	return c->snd_nxt - c->snd_una - c->sacked - c->lost;
}

/* tcp_request.c */
struct tcp_request;
/* Of a listener that stops.  Not locked. */
void tcp_requests_drop(struct tcp_connection *l);
/* There is room among the ready: the oldest request that waits for a place becomes a connection.  Not locked. */
void tcp_promote_waiting(struct tcp_connection *l);
/* tcp_listen.c */
int tcp_listen_start(struct tcp_connection *c, int backlog) must_check; /* not locked; may sleep */
void tcp_listen_stop(struct tcp_connection *c);                         /* not locked */
void tcp_listen_input(
	struct tcp_connection *l, struct packet *p, const struct flow *f, struct tcp_segment *s);
void tcp_request_input(struct tcp_request *r, struct packet *p, struct tcp_segment *s);
int tcp_accept(struct socket *s, int flags, uint64_t deadline_ns, struct socket **out);
void tcp_request_put(struct tcp_request *r);
struct tcp_request *tcp_request_of(struct demux_entry *e);
void tcp_request_error(struct tcp_request *r, const struct ip_error *e);
/* A connection made: process what came with the final ACK.  In tcp_input.c.  Takes p over. */
void tcp_connection_input(struct tcp_connection *c, struct packet *p, struct tcp_segment *s);

/* What a SYN and our answer agreed on. */
struct tcp_agreement {
	uint32_t iss, irs;
	uint16_t peer_mss;
	uint8_t snd_scale, rcv_scale;
	bool scale_ok, timestamps_ok, sack_ok, ecn_ok;
	uint32_t ts_recent, ts_offset;
	uint32_t rcv_wnd;
};

/* tcp_syncookie.c */
uint32_t tcp_cookie_make(const struct flow *f, uint32_t irs, uint16_t *mss);
/* The MSS a cookie carries, or 0: it is none of ours or too old. */
uint16_t tcp_cookie_check(const struct flow *f, uint32_t cookie, uint32_t irs);
/* Our timestamp of a SYN-ACK with a cookie carries what else was agreed in its low bits. */
uint32_t tcp_cookie_timestamp(uint32_t timestamp, const struct tcp_agreement *a);
void tcp_cookie_timestamp_read(uint32_t echo, struct tcp_agreement *a);

/* tcp_time_wait.c */
struct tcp_time_wait;
/* c's conversation goes on as a small object: TCP_TIME_WAIT or TCP_FIN_WAIT2; c is done. */
void tcp_time_wait_enter(struct tcp_connection *c, enum linux_tcp_state state, uint64_t timeout_ms);
/* False: a new connection may begin with this SYN; the old one is gone, s->iss_hint set. */
bool tcp_time_wait_input(struct tcp_time_wait *t, struct tcp_segment *s);
void tcp_time_wait_put(struct tcp_time_wait *t);
struct tcp_time_wait *tcp_time_wait_of(struct demux_entry *e);
enum linux_tcp_state tcp_time_wait_state(const struct tcp_time_wait *t);

/* tcp_stream.c */
long tcp_send(struct socket *s, struct socket_message *m);
long tcp_receive(struct socket *s, struct socket_message *m);
long tcp_send_pages(
	struct socket *s, struct page_cache *cache, uint64_t offset, size_t n, int flags);

/* tcp_options.c */
int tcp_set_option(struct socket *s, int level, int name, const void *value, size_t len);
int tcp_get_option(struct socket *s, int level, int name, void *value, size_t size);
