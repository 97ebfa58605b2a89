/*
 * Arriving data: cut to the window, put in order, acknowledged now or a little later, and the window that is
 * offered for more.  A window is half of the free buffer (the other half pays for descriptors and slack, as Linux's
 * tcp_adv_win_scale 1 has it) and never shrinks.
 */
#include "kernel/lib/string.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/tcp_internal.h"

#define MERGE_MAX 1024u /* payload copied behind the last packet's rather than queued by itself */

static uint32_t window_now(const struct tcp_connection *c)
{
	uint32_t end = c->rcv_wup + c->rcv_wnd;
	return seq_after(end, c->rcv_nxt) ? end - c->rcv_nxt : 0;
}

uint32_t tcp_receive_limit_max(void)
{
	return max(net_limits.tcp_buffer_max, TCP_RECEIVE_DEFAULT);
}

uint32_t tcp_select_window(struct tcp_connection *c)
{
	uint32_t limit = c->inet.socket.receive_limit;
	if (unlikely(tcp_memory_short()))
		limit = min(limit, TCP_MEMORY_SHARE);
	uint32_t free = c->receive_charge < limit ? (limit - c->receive_charge) / 2 : 0;
	uint32_t offered = window_now(c);
	uint32_t window = min(free, c->window_clamp);
	/* The silly window rule of the receiver: move the edge by a segment or half the buffer, or not at all. */
	uint32_t step = min((uint32_t)c->rcv_mss, limit / 4);
	if (window < offered + step)
		window = offered;
	window = align_up(window, 1u << c->rcv_scale);
	window = min(window, 65535u << c->rcv_scale);
	c->rcv_wup = c->rcv_nxt;
	c->rcv_wnd = window;
	return window;
}

/* --- the queue --- */

/* What p costs is noted with it: a reader trims packets. */
static void charge(struct tcp_connection *c, struct packet *p)
{
	p->owner[1] = packet_charge(p);
	c->receive_charge += (uint32_t)p->owner[1];
}

void tcp_uncharge_received(struct tcp_connection *c, const struct packet *p)
{
	c->receive_charge -= (uint32_t)p->owner[1];
}

/* Copy p's data behind the last packet's if they fit there: small segments must not cost a block each. */
static bool merge(struct tcp_connection *c, struct packet *p)
{
	if (list_empty(&c->receive_queue) || p->n_fragments > 0 || p->len > MERGE_MAX)
		return false;
	struct packet *last = list_entry(c->receive_queue.prev, struct packet, link);
	if (last->release || last->n_fragments > 0 || last->size - last->start - last->len < p->len)
		return false;
	memcpy(packet_data(last) + last->len, packet_data(p), p->len);
	/* A reader without the lock may look at len: it knows from before how much it may take. */
	last->len += p->len;
	packet_free(p);
	return true;
}

static void append(struct tcp_connection *c, struct packet *p, uint32_t len)
{
	if (!merge(c, p)) {
		charge(c, p);
		list_push_back(&c->receive_queue, &p->link);
	}
	c->rcv_nxt += len;
	c->bytes_received += len;
	/* From now on a reader, who takes no lock to look, may walk up to it. */
	atomic_store_explicit(&c->rcv_end, c->rcv_nxt, memory_order_release);
}

static uint32_t queued_seq(const struct packet *p)
{
	return (uint32_t)p->owner[0];
}

static void drop_queued(struct tcp_connection *c, struct packet *p)
{
	list_remove(&p->link);
	tcp_uncharge_received(c, p);
	packet_free(p);
}

/* Keep p, which starts at seq, until what is missing before it comes. */
static void insert_out_of_order(struct tcp_connection *c, struct packet *p, uint32_t seq)
{
	uint32_t end = seq + packet_length(p);
	struct list *after = c->out_of_order.prev;
	/* Mostly it belongs at the end. */
	while (after != &c->out_of_order &&
		seq_after(queued_seq(list_entry(after, struct packet, link)), seq))
		after = after->prev;
	if (after != &c->out_of_order) {
		struct packet *before = list_entry(after, struct packet, link);
		uint32_t before_end = queued_seq(before) + packet_length(before);
		if (!seq_after(end, before_end)) {
			tcp_sack_note_duplicate(c, seq, end);
			packet_free(p); /* all of it is here already */
			return;
		}
		if (seq_after(before_end, seq)) {
			tcp_sack_note_duplicate(c, seq, before_end);
			packet_trim_front(p, before_end - seq);
			seq = before_end;
		}
	}
	p->owner[0] = seq;
	list_push_front(after, &p->link);
	charge(c, p);
	c->out_of_order_segments++;
	tcp_sack_note(c, seq, end);
	/* Those behind that p covers go; the first partly covered one loses p's end instead. */
	while (p->link.next != &c->out_of_order) {
		struct packet *next = list_entry(p->link.next, struct packet, link);
		if (!seq_before(queued_seq(next), end))
			break;
		if (seq_after(queued_seq(next) + packet_length(next), end)) {
			packet_trim_back(p, queued_seq(next) - seq);
			break;
		}
		drop_queued(c, next);
	}
}

/* Move what the new edge reaches into order. */
static void pull_out_of_order(struct tcp_connection *c)
{
	while (!list_empty(&c->out_of_order)) {
		struct packet *p = list_first(&c->out_of_order, struct packet, link);
		if (seq_after(queued_seq(p), c->rcv_nxt))
			return;
		uint32_t end = queued_seq(p) + packet_length(p);
		uint32_t known = c->rcv_nxt - queued_seq(p);
		if (!seq_after(end, c->rcv_nxt)) {
			drop_queued(c, p);
			continue;
		}
		list_remove(&p->link);
		tcp_uncharge_received(c, p);
		packet_trim_front(p, known);
		append(c, p, end - c->rcv_nxt);
	}
}

/* More in memory than twice the limit can only be what came out of order, or many tiny segments. */
static bool memory_for(struct tcp_connection *c, const struct packet *p)
{
	uint64_t limit = 2ull * c->inet.socket.receive_limit;
	while (unlikely(c->receive_charge + packet_charge(p) > limit) &&
		!list_empty(&c->out_of_order)) {
		drop_queued(c, list_entry(c->out_of_order.prev, struct packet, link));
		tcp_sack_forget(c); /* RFC 2018 8 allows it, in need */
	}
	return c->receive_charge + packet_charge(p) <= limit &&
	       tcp_memory_reserve(c, packet_charge(p));
}

void tcp_purge_receive(struct tcp_connection *c)
{
	struct list *item;
	while ((item = list_pop_front(&c->receive_queue)))
		packet_free(list_entry(item, struct packet, link));
	while ((item = list_pop_front(&c->out_of_order)))
		packet_free(list_entry(item, struct packet, link));
	c->receive_charge = 0;
	tcp_sack_forget(c);
	tcp_memory_return(c);
}

/* --- when to acknowledge --- */

void tcp_quick_ack_mode(struct tcp_connection *c)
{
	c->quick_acks = TCP_QUICK_ACKS;
	c->pingpong = false;
}

static void schedule_ack(struct tcp_connection *c, uint32_t len)
{
	if (len >= c->rcv_mss)
		c->rcv_mss = (uint16_t)min(len, 65535u);
	bool second = c->rcv_nxt - c->rcv_wup > c->rcv_mss;
	bool quick = c->quick_acks > 0 && !c->pingpong;
	if (second || quick || !list_empty(&c->out_of_order) || c->fin_known) {
		c->ack_now = true;
	} else if (!c->ack_delayed) {
		c->ack_delayed = true;
		c->delayed_ack_ms = tcp_now_ms(c) + TCP_DELAYED_ACK_MS;
	}
}

static void grow_receive_limit(struct tcp_connection *c)
{
	struct socket *s = &c->inet.socket;
	uint64_t now = c->last_data_ms; /* exact enough, and no clock to read */
	uint64_t rtt_ms = max(c->srtt_us8 / 8000, 1u);
	if (now - c->space_ms < rtt_ms)
		return;
	uint32_t copied = c->copied_seq - c->space_copied_seq;
	if (copied > c->space_bytes && !socket_option(s, OPTION_RECEIVE_LIMIT_SET)) {
		/* The sender may double each round trip; half the buffer is the window. */
		uint64_t wanted = 4ull * copied + 32ull * c->rcv_mss;
		if (wanted > s->receive_limit)
			s->receive_limit = (uint32_t)min(wanted, (uint64_t)tcp_receive_limit_max());
		c->window_clamp = max(c->window_clamp, s->receive_limit);
		c->space_bytes = copied;
	}
	c->space_copied_seq = c->copied_seq;
	c->space_ms = now;
}

void tcp_reader_progress(struct tcp_connection *c)
{
	if (c->state == TCP_CLOSE || c->state == TCP_LISTEN || c->state == TCP_SYN_SENT)
		return;
	grow_receive_limit(c);
	/* Not a conversation of turns, all read: the peer may wait for the ACK of what it pushed. */
	bool owed = c->ack_delayed && !c->pingpong && tcp_readable(c) == 0;
	uint32_t offered = window_now(c);
	uint32_t limit = c->inet.socket.receive_limit;
	uint32_t free = c->receive_charge < limit ? (limit - c->receive_charge) / 2 : 0;
	free = min(free, c->window_clamp);
	bool opened = free >= 2 * offered &&
		      free >= offered + min((uint32_t)c->rcv_mss, limit / 4) &&
		      !(c->inet.socket.shutdown & SHUTDOWN_RECEIVE);
	if (owed || opened)
		tcp_send_ack(c);
}

/* --- a segment --- */

/* Cut to what is new and inside the window.  False: nothing is left. */
static bool trim(
	struct tcp_connection *c, struct packet *p, uint32_t *seq, uint32_t *len, bool *fin)
{
	if (seq_before(*seq, c->rcv_nxt)) {
		uint32_t known = c->rcv_nxt - *seq;
		if (known > *len || (known == *len && !*fin))
			return false;
		packet_trim_front(p, known);
		*seq += known;
		*len -= known;
	}
	uint32_t room = c->rcv_wup + c->rcv_wnd - *seq;
	if ((int32_t)room < 0)
		room = 0;
	if (*len > room) {
		packet_trim_back(p, room);
		*len = room;
		*fin = false;
	}
	return *len > 0 || *fin;
}

static uint32_t min_seq(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? a : b;
}

/* RFC 3168 6.1.3: echo what the network marked, at once, until the sender has lowered its window. */
static void note_congestion(struct tcp_connection *c, const struct tcp_segment *s)
{
	if (s->flags & TCP_CWR)
		c->ecn_echo = false;
	if (s->congested && s->len > 0) {
		c->ecn_echo = true;
		c->ack_now = true;
	}
}

static void in_order(struct tcp_connection *c, struct packet *p, uint32_t len)
{
	if (len > 0)
		append(c, p, len);
	else
		packet_free(p);
	if (unlikely(!list_empty(&c->out_of_order))) {
		pull_out_of_order(c);
		tcp_sack_advance(c);
	}
	if (c->fin_known && c->rcv_nxt == c->fin_seq) {
		c->fin_received = true;
		c->rcv_nxt++;
	}
	if (tcp_readable(c) >= (uint32_t)c->inet.socket.low_water)
		c->wake |= EPOLLIN | EPOLLRDNORM;
}

void tcp_receive_data(struct tcp_connection *c, struct packet *p, const struct tcp_segment *s)
{
	uint32_t seq = s->seq, len = s->len;
	bool fin = s->flags & TCP_FIN;
	if (unlikely(c->ecn_ok))
		note_congestion(c, s);
	if (!trim(c, p, &seq, &len, &fin)) {
		if (seq_before(s->seq, c->rcv_nxt))
			tcp_sack_note_duplicate(c, s->seq, min_seq(s->seq + s->len, c->rcv_nxt));
		tcp_quick_ack_mode(c);
		c->ack_now = true;
		packet_free(p);
		return;
	}
	if (len > 0 && !memory_for(c, p)) {
		c->ack_now = true;
		packet_free(p);
		return;
	}
	if (len > 0)
		c->data_segments_in++;
	c->last_data_ms = tcp_now_ms(c);
	if (fin && !c->fin_known) {
		c->fin_known = true;
		c->fin_seq = seq + len;
	}
	if (likely(seq == c->rcv_nxt)) {
		in_order(c, p, len);
		schedule_ack(c, len);
		return;
	}
	if (len > 0)
		insert_out_of_order(c, p, seq);
	else
		packet_free(p);
	/* Each one is told at once: the peer counts duplicate ACKs (RFC 5681 4.2). */
	tcp_quick_ack_mode(c);
	tcp_send_ack(c);
}
