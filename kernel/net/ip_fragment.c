/*
 * Fragments of both families.  Reassembly is bounded in memory and in time and refuses overlaps (RFC 5722's answer to
 * overlap attacks, taken for IPv4 too): a datagram with an overlap is dropped whole, exact duplicates are ignored.
 */
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/checksum.h"
#include "kernel/net/ip6.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/wheel.h"

#define DATAGRAMS_MAX 64u
#define FRAGMENTS_MAX 64u /* of one datagram */
#define TIMEOUT_MS 30000u
#define DATAGRAM_MAX 65535u

struct datagram {
	struct list link;
	struct ip_fragment key; /* source, destination, id, protocol */
	uint32_t total;         /* bytes of payload, once the last fragment came; else 0 */
	uint32_t received;      /* bytes of payload */
	uint32_t charge;
	unsigned n_fragments;
	uint64_t expires_ms;
	struct list fragments; /* by offset, which stands in owner[0] */
};

static struct spinlock lock;
/* under lock: */
static struct list datagrams = LIST_INIT(datagrams); /* oldest first */
static unsigned n_datagrams;
static uint32_t bytes_held;
static struct wheel_timer expiry;

static void datagram_free(struct datagram *d)
{
	struct list *item;
	while ((item = list_pop_front(&d->fragments)))
		packet_free(list_entry(item, struct packet, link));
	list_remove(&d->link);
	n_datagrams--;
	bytes_held -= d->charge;
	heap_free(d);
}

static void expire(struct wheel_timer *t)
{
	irq_state irq = spin_lock(&lock);
	while (!list_empty(&datagrams)) {
		struct datagram *d = list_first(&datagrams, struct datagram, link);
		if (d->expires_ms > now_ms()) {
			(void)wheel_start(t, d->expires_ms);
			break;
		}
		datagram_free(d);
	}
	spin_unlock(&lock, irq);
}

static struct datagram *find(const struct ip_fragment *f)
{
	struct datagram *d = NULL;
	list_for_each (d, &datagrams, link)
		if (d->key.id == f->id && ip_equal(&d->key.source, &f->source) &&
			ip_equal(&d->key.destination, &f->destination) &&
			d->key.protocol == f->protocol)
			return d;
	return NULL;
}

static struct datagram *create(const struct ip_fragment *f)
{
	struct datagram *d = heap_zalloc(sizeof(*d));
	if (!d)
		return NULL;
	d->key = *f;
	d->expires_ms = now_ms() + TIMEOUT_MS;
	list_init(&d->fragments);
	list_push_back(&datagrams, &d->link);
	n_datagrams++;
	if (!expiry.fire)
		wheel_timer_init(&expiry, expire);
	if (!wheel_armed(&expiry))
		(void)wheel_start(&expiry, d->expires_ms);
	return d;
}

/* Put p (payload only) in its place.  -EEXIST: a duplicate; -EINVAL: the datagram is no good. */
static int insert(struct datagram *d, struct packet *p, uint32_t offset, bool last)
{
	uint32_t len = packet_length(p);
	uint32_t end = offset + len;
	struct list *before = &d->fragments;
	struct packet *other = NULL;
	if (d->total && (end > d->total || (last && end != d->total)))
		return -EINVAL;
	list_for_each (other, &d->fragments, link) {
		uint32_t other_offset = (uint32_t)other->owner[0];
		uint32_t other_end = other_offset + packet_length(other);
		if (last && other_end > end)
			return -EINVAL;
		if (other_offset == offset && other_end == end)
			return -EEXIST;
		if (other_offset < end && offset < other_end)
			return -EINVAL;
		if (other_offset < offset)
			before = &other->link;
	}
	if (++d->n_fragments > FRAGMENTS_MAX)
		return -EINVAL;
	if (last)
		d->total = end;
	p->owner[0] = offset;
	list_push_front(before, &p->link);
	d->received += len;
	d->charge += packet_charge(p);
	bytes_held += packet_charge(p);
	return 0;
}

/* All there: one packet with the first fragment's header. */
static struct packet *join(struct datagram *d)
{
	struct packet *first = list_first(&d->fragments, struct packet, link);
	uint32_t header_len = first->transport - first->network;
	struct packet *whole = packet_alloc(header_len + d->total);
	if (!whole)
		return NULL;
	whole->network = whole->start;
	whole->transport = whole->start + header_len;
	whole->len = header_len + d->total;
	memcpy(packet_data(whole), first->buffer + first->network, header_len);
	struct packet *p = NULL;
	list_for_each (p, &d->fragments, link)
		packet_read(p, 0, packet_data(whole) + header_len + p->owner[0], packet_length(p));
	return whole;
}

/* lock held.  Takes p over. */
static struct packet *reassemble(struct packet *p, const struct ip_fragment *f)
{
	uint32_t offset = f->offset;
	bool last = f->last;
	uint32_t len = packet_length(p) - (p->transport - p->network);
	struct packet *whole = NULL;
	struct datagram *d = find(f);
	if (len == 0 || (!last && len % 8 != 0) ||
		offset + len >
			DATAGRAM_MAX - (ip_is_v4(&f->source) ? sizeof(struct ip4_header) : 0))
		goto drop;
	while (!d && n_datagrams > 0 &&
		(n_datagrams >= DATAGRAMS_MAX ||
			bytes_held + packet_charge(p) > net_limits.fragments_max))
		datagram_free(list_first(&datagrams, struct datagram, link));
	if (!d)
		d = create(f);
	if (!d || bytes_held + packet_charge(p) > net_limits.fragments_max)
		goto drop;
	packet_pull(p, p->transport - p->network);
	int err = insert(d, p, offset, last);
	if (err < 0) {
		if (err == -EINVAL)
			datagram_free(d);
		goto drop;
	}
	if (d->total && d->received == d->total) {
		whole = join(d);
		datagram_free(d);
	}
	return whole;
drop:
	packet_free(p);
	return NULL;
}

struct packet *ip_reassemble(struct packet *p, const struct ip_fragment *f)
{
	irq_state irq = spin_lock(&lock);
	struct packet *whole = reassemble(p, f);
	spin_unlock(&lock, irq);
	return whole;
}

/* The device can not sum over fragments: do it here. */
static void finish_checksum(struct packet *p)
{
	if (!(p->flags & PACKET_CHECKSUM_PARTIAL))
		return;
	uint16_t sum = checksum_final(checksum_packet(p, p->checksum_start));
	memcpy(packet_data(p) + p->checksum_start + p->checksum_offset, &sum, sizeof(sum));
	p->flags &= (uint8_t)~PACKET_CHECKSUM_PARTIAL;
}

int ip_fragment_output(struct packet *p, const struct route *r)
{
	finish_checksum(p);
	struct ip4_header h;
	memcpy(&h, packet_data(p), sizeof(h));
	uint32_t payload = packet_length(p) - (uint32_t)sizeof(h);
	uint32_t step = (r->mtu - (uint32_t)sizeof(h)) & ~7u;
	int err = 0;
	for (uint32_t offset = 0; offset < payload && err == 0; offset += step) {
		uint32_t len = min(step, payload - offset);
		bool last = offset + len == payload;
		struct packet *part = packet_copy(p, (uint32_t)sizeof(h) + offset, len);
		if (!part) {
			err = -ENOMEM;
			break;
		}
		h.total_len = cpu_to_be16((uint16_t)(len + sizeof(h)));
		h.fragment = cpu_to_be16((uint16_t)(offset / 8 | (last ? 0 : IP4_MORE_FRAGMENTS)));
		h.checksum = 0;
		h.checksum = checksum_final(checksum_add(0, &h, sizeof(h)));
		memcpy(packet_push(part, sizeof(h)), &h, sizeof(h));
		part->network = part->start;
		err = ip_transmit(part, r);
	}
	packet_free(p);
	return err;
}

int ip6_fragment_output(struct packet *p, const struct route *r)
{
	finish_checksum(p);
	struct {
		struct ip6_header ip;
		struct ip6_fragment_header fragment;
	} packed h;
	memcpy(&h.ip, packet_data(p), sizeof(h.ip));
	h.fragment = (struct ip6_fragment_header){.next = h.ip.next, .id = (uint32_t)random_u64()};
	h.ip.next = IP6_FRAGMENT;
	uint32_t payload = packet_length(p) - (uint32_t)sizeof(h.ip);
	uint32_t step = (r->mtu - (uint32_t)sizeof(h)) & ~7u;
	int err = 0;
	for (uint32_t offset = 0; offset < payload && err == 0; offset += step) {
		uint32_t len = min(step, payload - offset);
		bool last = offset + len == payload;
		struct packet *part = packet_copy(p, (uint32_t)sizeof(h.ip) + offset, len);
		if (!part) {
			err = -ENOMEM;
			break;
		}
		h.ip.payload_len = cpu_to_be16((uint16_t)(len + sizeof(h.fragment)));
		h.fragment.offset =
			cpu_to_be16((uint16_t)(offset | (last ? 0 : IP6_MORE_FRAGMENTS)));
		memcpy(packet_push(part, sizeof(h)), &h, sizeof(h));
		part->network = part->start;
		err = ip_transmit(part, r);
	}
	packet_free(p);
	return err;
}
