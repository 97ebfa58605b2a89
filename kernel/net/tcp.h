/*
 * TCP: RFC 9293, with RFC 5681 and 6582 (congestion, recovery), 6298 (timer), 7323 (scaling, timestamps), 5961
 * (blind attacks), 6528 (initial sequence), 4987 (SYN cookies).
 *
 *     tcp_input.c       the state machine for arriving segments
 *     tcp_ack.c         what an acknowledgement does to the send queue, RTT, loss recovery
 *     tcp_receive.c     arriving data: order, window, when to acknowledge
 *     tcp_output.c      what may be sent now, headers
 *     tcp_timer.c       retransmission, probes, delayed ACK, keepalive
 *     tcp_memory.c      what all of them may hold
 *     tcp_congestion.c  how fast (one table per algorithm)
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

struct tcp_header {
	uint16_t source, destination;
	uint32_t seq, ack;
	uint8_t offset, flags;
	uint16_t window, checksum, urgent;
} packed;

#define TCP_HEADER 20u
#define TCP_TIMESTAMP_SPACE 12u /* the option, padded */
#define TCP_MSS_DEFAULT 536u
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

/* A received segment's header in host order. */
struct tcp_segment {
	uint32_t seq, ack, end; /* end: after data, SYN and FIN */
	uint32_t window;        /* as on the wire */
	uint32_t len;           /* of data */
	uint8_t flags;
	bool has_timestamp, has_scale, sack_permitted;
	uint8_t scale;
	uint16_t mss; /* 0: option absent */
	uint32_t timestamp, timestamp_echo;
	uint32_t iss_hint; /* a connection in TIME_WAIT gave way: begin above it; 0: none */
};

/*
 * A packet of the send queue: this stands in packet.owner.  While the device has the packet, its data must stay: two
 * hold it, and whoever is last frees it.  A retransmission is always a fresh copy.
 */
struct tcp_queued {
	struct list link;
	uint32_t seq, len; /* of data; a FIN comes on top */
	uint32_t sent_us;  /* low bits of the monotonic clock */
	uint16_t payload;  /* where data start in the buffer */
	_Atomic uint8_t holders;
	uint8_t flags; /* TCP_FIN, TCP_PSH, and: */
};
#define TCP_QUEUED_AGAIN 0x80u /* retransmitted: no RTT sample (Karn) */
_Static_assert(
	sizeof(struct tcp_queued) <= sizeof(((struct packet *)0)->owner), "lives in packet.owner");

static inline struct tcp_queued *tcp_queued(struct packet *p)
{
	return (struct tcp_queued *)p->owner;
}
static inline struct packet *tcp_packet(struct tcp_queued *q)
{
	return container_of((uint64_t(*)[4])q, struct packet, owner);
}

struct tcp_connection;

/* Congestion control: windows are in bytes.  Called with the connection's lock held. */
struct tcp_congestion_ops {
	const char *name;
	void (*init)(struct tcp_connection *c);
	/* New data were acknowledged outside of recovery: grow cwnd. */
	void (*acked)(struct tcp_connection *c, uint32_t n_bytes);
	/* A loss: the new ssthresh, with flight bytes outstanding. */
	uint32_t (*threshold)(struct tcp_connection *c, uint32_t flight);
	/* Retransmission timeout; after *threshold. NULL: nothing of its own. */
	void (*timeout)(struct tcp_connection *c);
};
const struct tcp_congestion_ops *tcp_congestion_find(const char *name, size_t len);
const struct tcp_congestion_ops *tcp_congestion_default(void);

enum tcp_recovery {
	TCP_OPEN,
	TCP_RECOVERY, /* fast recovery until `recover` is acknowledged (RFC 6582) */
	TCP_LOSS, /* after a timeout: everything up to `recover` is sent again from snd_una on */
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
	bool scale_ok, timestamps_ok;
	bool nodelay, cork, fin_queued, no_space;
	uint32_t not_sent_low_water;

	/* congestion and loss */
	const struct tcp_congestion_ops *congestion;
	enum tcp_recovery recovery;
	uint32_t cwnd, ssthresh, recover, rexmit_nxt;
	uint32_t cwnd_bytes; /* acknowledged towards the next growth */
	uint64_t congestion_state[4];
	unsigned duplicate_acks;
	uint32_t undo_cwnd;
	uint64_t last_send_ms;

	/* round trip, in us; shifted as RFC 6298's example code */
	uint32_t srtt_us8, rttvar_us4, min_rtt_us;
	uint32_t rto_ms;
	uint32_t syn_sent_us;
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
	bool persist; /* rexmit_ms is the zero-window probe's */
	unsigned keepalive_probes;
	uint32_t keepalive_idle_s, keepalive_interval_s, keepalive_count;
	uint32_t user_timeout_ms, syn_retries, defer_accept_s;
	int linger2_s, fastopen_queue;

	/* statistics for TCP_INFO */
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retransmitted;
	uint32_t segments_in, segments_out, data_segments_in, data_segments_out, total_retransmits;
	uint32_t out_of_order_segments;
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
/* One segment (at most) from seq on, again. False: nothing there. */
bool tcp_retransmit(struct tcp_connection *c, uint32_t seq);
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
	bool has_timestamp, has_scale;
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
void tcp_rexmit_start(struct tcp_connection *c); /* from now, RTO with backoff */
void tcp_rexmit_stop(struct tcp_connection *c);
void tcp_persist_start(struct tcp_connection *c);
void tcp_keepalive_reset(struct tcp_connection *c);

/* tcp_congestion.c */
void tcp_congestion_init(struct tcp_connection *c);
void tcp_enter_recovery(struct tcp_connection *c);
void tcp_enter_loss(struct tcp_connection *c);
void tcp_idle_restart(struct tcp_connection *c);
static inline uint32_t tcp_in_flight(const struct tcp_connection *c)
{
	/* After a timeout what was sent before counts as gone until it is sent again. */
	return (c->recovery == TCP_LOSS && seq_before(c->rexmit_nxt, c->snd_nxt) ? c->rexmit_nxt
										 : c->snd_nxt) -
	       c->snd_una;
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
	bool scale_ok, timestamps_ok;
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
