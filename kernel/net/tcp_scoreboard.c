/*
 * The send queue as a scoreboard: which packets arrived (SACK, RFC 2018 and 6675), which are lost, and sending the
 * lost ones again.  A packet larger than a segment is split where the two meet, at segment borders only: a peer
 * that reports every other byte makes us hold no more than a packet for each segment.
 */
#include "kernel/lib/string.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/tcp_internal.h"

/* Another packet with n bytes of q from offset on: pages are shared, the others copied.  NULL: no memory. */
static struct packet *view(const struct tcp_queued *q, uint32_t offset, uint32_t n)
{
	const struct packet *from = tcp_packet((struct tcp_queued *)q);
	offset += q->skip;
	uint32_t linear = offset < q->linear ? min(n, q->linear - offset) : 0;
	struct packet *p = packet_alloc(linear);
	if (!p)
		return NULL;
	memcpy(packet_data(p), from->buffer + q->payload + offset, linear);
	p->len = linear;
	n -= linear;
	offset = offset > q->linear ? offset - q->linear : 0;
	for (unsigned i = 0; n > 0; i++) {
		const struct packet_fragment *f = &from->fragments[i];
		assert(i < from->n_fragments);
		if (offset >= f->len) {
			offset -= f->len;
			continue;
		}
		uint32_t len = min(n, f->len - offset);
		page_get(f->page);
		p->fragments[p->n_fragments++] =
			(struct packet_fragment){f->page, f->offset + offset, len};
		n -= len;
		offset = 0;
	}
	return p;
}

/* One part of q, in front of it. */
static struct tcp_queued *part(struct tcp_connection *c, struct tcp_queued *q, struct packet *p,
	uint32_t offset, uint32_t n)
{
	struct tcp_queued *fresh = tcp_queued(p);
	uint8_t flags = q->flags;
	if (offset + n < q->len)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	tcp_queued_init(p, q->seq + offset, n, flags);
	fresh->sent_us = q->sent_us;
	c->send_charge += packet_charge(p);
	list_push_back(&q->link, &fresh->link);
	return fresh;
}

/* Put two in q's place, the first with n bytes, 0 < n < q->len; the first.  NULL: no memory, nothing happened. */
static struct tcp_queued *split(struct tcp_connection *c, struct tcp_queued *q, uint32_t n)
{
	struct packet *first = view(q, 0, n), *second = view(q, n, q->len - n);
	if (!first || !second) {
		if (first)
			packet_free(first);
		if (second)
			packet_free(second);
		return NULL;
	}
	struct tcp_queued *fresh = part(c, q, first, 0, n);
	(void)part(c, q, second, n, q->len - n);
	list_remove(&q->link);
	c->send_charge -= packet_charge(tcp_packet(q));
	packet_free(tcp_packet(q)); /* the device may still hold it */
	return fresh;
}

static struct tcp_queued *next_of(const struct tcp_queued *q)
{
	return list_entry(q->link.next, struct tcp_queued, link);
}

/* --- what arrived --- */

void tcp_delivered(
	struct tcp_connection *c, const struct tcp_queued *q, uint32_t n, struct tcp_acked *a)
{
	a->delivered += n;
	if (!(q->flags & TCP_QUEUED_AGAIN))
		a->rtt_us = max(tcp_now_us(c) - q->sent_us, 1u);
	if (c->sack_ok)
		tcp_rack_delivered(c, q);
}

static void mark_sacked(
	struct tcp_connection *c, struct tcp_queued *q, uint32_t high, struct tcp_acked *a)
{
	uint32_t n = tcp_queued_len(q);
	if (q->flags & TCP_QUEUED_LOST)
		c->lost -= n;
	/* Below what had arrived before, though sent only once: the network changes the order. */
	if (!(q->flags & TCP_QUEUED_AGAIN) && c->sacked > 0 && seq_before(q->seq + n, high)) {
		c->reordering_seen = true;
		c->reorderings++;
	}
	if (c->sacked == 0 || seq_after(q->seq + n, c->sack_high))
		c->sack_high = q->seq + n;
	q->flags = (uint8_t)((q->flags & ~TCP_QUEUED_LOST) | TCP_QUEUED_SACKED);
	c->sacked += n;
	a->sack_news = true;
	tcp_delivered(c, q, n, a);
}

/* The part of q within [start, end), cut out at segment borders.  NULL: less than a segment, or no memory. */
static struct tcp_queued *cut_out(
	struct tcp_connection *c, struct tcp_queued *q, uint32_t start, uint32_t end)
{
	uint32_t before =
		seq_after(start, q->seq) ? div_round_up(start - q->seq, c->mss) * c->mss : 0;
	uint32_t keep = min(end - q->seq, q->len);
	if (keep < q->len)
		keep -= keep % c->mss;
	if (seq_before(end, q->seq + tcp_queued_len(q)) && keep == q->len && q->flags & TCP_FIN)
		return NULL; /* all but the FIN: wait for it */
	if (before >= keep && !(before == 0 && q->len == 0))
		return NULL;
	if (before > 0) {
		q = split(c, q, before);
		if (!q)
			return NULL;
		q = next_of(q);
	}
	return keep - before < q->len ? split(c, q, keep - before) : q;
}

static void sack_block(
	struct tcp_connection *c, struct tcp_block b, uint32_t high, struct tcp_acked *a)
{
	for (struct list *at = c->unacked.next; at != &c->unacked; at = at->next) {
		struct tcp_queued *q = list_entry(at, struct tcp_queued, link);
		if (!seq_before(q->seq, b.end))
			return;
		if (q->flags & TCP_QUEUED_SACKED || !seq_after(q->seq + tcp_queued_len(q), b.start))
			continue;
		struct list *previous = at->prev;
		bool whole = !seq_before(q->seq, b.start) &&
			     !seq_after(q->seq + tcp_queued_len(q), b.end);
		struct tcp_queued *inside = whole ? q : cut_out(c, q, b.start, b.end);
		if (inside)
			mark_sacked(c, inside, high, a);
		/* q may be gone; what came in its place starts behind `previous`. */
		at = inside ? &inside->link : previous->next;
	}
}

/* RFC 2883 4: the first block is below the ACK or within the second. */
static bool reports_duplicate(const struct tcp_segment *s)
{
	const struct tcp_block *b = s->sacks;
	if (!seq_after(b[0].end, s->ack))
		return true;
	return s->n_sacks > 1 && !seq_before(b[0].start, b[1].start) &&
	       !seq_after(b[0].end, b[1].end);
}

void tcp_sack_input(struct tcp_connection *c, const struct tcp_segment *s, struct tcp_acked *a)
{
	uint32_t high = c->sack_high;
	unsigned i = 0;
	if (reports_duplicate(s)) {
		/* Believed only of what may have been sent (RFC 8985 6.2 step 4 builds on it). */
		a->duplicate_report = seq_after(s->sacks[0].end, c->snd_una - c->max_window) &&
				      !seq_after(s->sacks[0].end, c->snd_nxt);
		c->duplicates_reported += a->duplicate_report;
		i = 1;
	}
	for (; i < s->n_sacks; i++) {
		struct tcp_block b = s->sacks[i];
		if (!seq_before(b.start, b.end) || seq_before(b.start, c->snd_una) ||
			seq_after(b.end, c->snd_nxt))
			continue;
		sack_block(c, b, high, a);
	}
}

/* --- what is lost --- */

void tcp_mark_lost(struct tcp_connection *c, struct tcp_queued *q)
{
	if (q->flags & (TCP_QUEUED_LOST | TCP_QUEUED_SACKED))
		return;
	q->flags |= TCP_QUEUED_LOST;
	c->lost += tcp_queued_len(q);
}

void tcp_mark_first_lost(struct tcp_connection *c)
{
	if (list_empty(&c->unacked))
		return;
	struct tcp_queued *q = list_first(&c->unacked, struct tcp_queued, link);
	if (q->len > c->mss && !(q->flags & TCP_QUEUED_LOST))
		q = split(c, q, c->mss);
	if (q)
		tcp_mark_lost(c, q);
	/* Without SACK what duplicate ACKs made us guess must leave room for it. */
	if (!c->sack_ok)
		c->sacked = min(c->sacked, c->snd_nxt - c->snd_una - c->lost);
}

void tcp_unmark_all(struct tcp_connection *c)
{
	struct tcp_queued *q;
	list_for_each (q, &c->unacked, link)
		q->flags &= (uint8_t)~TCP_QUEUED_LOST;
	c->lost = 0;
}

void tcp_mark_all_lost(struct tcp_connection *c)
{
	struct tcp_queued *q;
	if (list_empty(&c->unacked))
		return;
	/* The first SACKed and still not acknowledged: the peer took its word back (RFC 2018 8). */
	bool reneged = list_first(&c->unacked, struct tcp_queued, link)->flags & TCP_QUEUED_SACKED;
	if (!c->sack_ok || reneged)
		c->sacked = 0;
	list_for_each (q, &c->unacked, link) {
		if (reneged)
			q->flags &= (uint8_t)~TCP_QUEUED_SACKED;
		tcp_mark_lost(c, q);
	}
}

/* --- sending again --- */

/* q as it is, in one packet. */
static bool retransmit(struct tcp_connection *c, struct tcp_queued *q)
{
	struct packet *p = view(q, 0, q->len);
	if (!p)
		return false;
	if (!c->undo_stamped) {
		c->undo_stamped = true;
		c->undo_stamp = tcp_timestamp(c);
	}
	uint32_t segments = q->len > c->mss ? div_round_up(q->len, c->mss) : 1;
	if (q->flags & TCP_QUEUED_LOST) {
		q->flags &= (uint8_t)~TCP_QUEUED_LOST;
		c->lost -= tcp_queued_len(q);
	}
	q->flags |= TCP_QUEUED_AGAIN;
	q->sent_us = tcp_now_us(c);
	if (q->len > c->mss)
		p->gso_size = c->mss;
	c->undo_retransmits += (int)segments;
	c->prr_out += q->len;
	c->total_retransmits += segments;
	c->bytes_retransmitted += q->len;
	count_one(tcp_retransmitted);
	tcp_send_packet(c, p, q->seq, (uint8_t)(TCP_ACK | (q->flags & (TCP_FIN | TCP_PSH))));
	return true;
}

/* At most `room` bytes of q, but a segment in any case. */
static bool retransmit_part(struct tcp_connection *c, struct tcp_queued *q, uint32_t room)
{
	uint32_t n = max(min(room, tcp_segment_max(c)) / c->mss, 1u) * c->mss;
	if (q->len > n)
		q = split(c, q, n);
	return q && retransmit(c, q);
}

void tcp_retransmit_lost(struct tcp_connection *c)
{
	struct list *at = c->unacked.next;
	while (c->lost > 0 && at != &c->unacked) {
		struct tcp_queued *q = list_entry(at, struct tcp_queued, link);
		if (!(q->flags & TCP_QUEUED_LOST)) {
			at = at->next;
			continue;
		}
		uint32_t flight = tcp_in_flight(c);
		struct list *previous = at->prev;
		if (flight >= c->cwnd || seq_after(q->seq, c->snd_una + c->snd_wnd) ||
			!retransmit_part(c, q, c->cwnd - flight))
			return;
		at = previous->next;
	}
}

bool tcp_retransmit_first(struct tcp_connection *c)
{
	return !list_empty(&c->unacked) &&
	       retransmit_part(c, list_first(&c->unacked, struct tcp_queued, link), c->mss);
}

bool tcp_retransmit_last(struct tcp_connection *c)
{
	if (list_empty(&c->unacked))
		return false;
	struct tcp_queued *q = list_entry(c->unacked.prev, struct tcp_queued, link);
	if (q->len > c->mss) {
		q = split(c, q, (q->len - 1) / c->mss * c->mss);
		q = q ? next_of(q) : NULL;
	}
	return q && retransmit(c, q);
}
