/* What the files of TCP (listed in tcp.h) tell each other, by file.  The connection is locked unless said otherwise. */
#pragma once

#include "kernel/net/tcp.h"
#include "kernel/net/tcp_connection.h"

/* tcp_socket.c */
struct tcp_connection *tcp_new(const struct protocol *p) must_check; /* nobody else has it yet */
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
