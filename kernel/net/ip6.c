/*
 * IPv6 (RFC 8200): checks and extension headers of what arrives, headers for what leaves.  The headers of one packet
 * are few (HEADERS_MAX), must lie in its first buffer, and are read once; nothing is forwarded, no source route obeyed
 * (RFC 5095).
 */
#include "kernel/net/ip6.h"

#include "kernel/lib/string.h"
#include "kernel/net/address6.h"
#include "kernel/net/multicast.h"
#include "kernel/net/net.h"
#include "kernel/net/route.h"

#define HEADERS_MAX 8u
#define OPTION_PAD1 0u

/* Lengths right?  Cuts link padding off. */
static bool header_valid(struct packet *p)
{
	if (p->len < sizeof(struct ip6_header))
		return false;
	const struct ip6_header *h = (const struct ip6_header *)packet_data(p);
	uint32_t total = be16_to_cpu(h->payload_len) + (uint32_t)sizeof(*h);
	if (be32_to_cpu(h->flow) >> 28 != 6 || total > packet_length(p))
		return false;
	if (likely(p->n_fragments == 0 && !(p->flags & PACKET_CHAINED))) {
		p->len = total;
		return true;
	}
	return packet_length(p) == total;
}

/* RFC 4291 2.5.5.2, 2.5.3, 2.7: such an address comes from no wire. */
static bool martian(const struct netif *n, const struct ip_info *info)
{
	if (ip_is_v4(&info->source) || ip_is_v4(&info->destination) ||
		ip6_is_multicast(&info->source) || ip6_is_any(&info->destination))
		return true;
	return !(n->flags & NETIF_LOOPBACK) &&
	       (ip6_is_loopback(&info->source) || ip6_is_loopback(&info->destination));
}

static bool destination_ours(struct netif *n, struct ip_info *info)
{
	if (ip6_is_multicast(&info->destination)) {
		info->flags |= IP_NOT_UNICAST;
		return multicast6_accepts(n, &info->destination);
	}
	bool scoped = ip6_is_link_local(&info->destination);
	return address6_is_ours(
		&info->destination, scoped && !(n->flags & NETIF_LOOPBACK) ? n : NULL);
}

/* RFC 8200 4.2: what an option asks for that we do not know.  False: the packet is dropped. */
static bool options_acceptable(
	struct packet *p, const struct ip_info *info, uint32_t at, uint32_t end)
{
	const uint8_t *data = p->buffer;
	while (at < end) {
		uint8_t type = data[at];
		if (type == OPTION_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > end || at + 2 + data[at + 1] > end)
			return false;
		bool complain =
			type >> 6 == 2 || (type >> 6 == 3 && !ip6_is_multicast(&info->destination));
		/* PadN and router alert (RFC 2711) are the ones we meet. */
		if (type != 1 && type != 5 && type >> 6 != 0) {
			if (complain)
				icmp6_send_error(
					p, info, ICMP6_PARAMETER, ICMP6_OPTION, at - p->network);
			return false;
		}
		at += 2u + data[at + 1];
	}
	return true;
}

/* The fragment header at p->transport.  NULL: more are needed, or p was no good. */
static struct packet *take_fragment(struct packet *p, struct ip_info *info)
{
	struct ip6_fragment_header h;
	memcpy(&h, p->buffer + p->transport, sizeof(h));
	p->transport += (uint32_t)sizeof(h);
	info->protocol = h.next;
	/* RFC 6946: whole in one "fragment", nothing to do with others of that id. */
	if ((h.offset & cpu_to_be16(0xfff8u | IP6_MORE_FRAGMENTS)) == 0)
		return p;
	if (p->flags & PACKET_CHAINED) {
		packet_free(p);
		return NULL;
	}
	struct ip_fragment f = {
		.source = info->source,
		.destination = info->destination,
		.id = h.id,
		.protocol = h.next,
		.offset = be16_to_cpu(h.offset) & 0xfff8u,
		.last = !(h.offset & cpu_to_be16(IP6_MORE_FRAGMENTS)),
	};
	return ip_reassemble(p, &f);
}

/* One extension header; *p NULL: taken.  False: drop. */
static bool take_header(struct packet **p, struct ip_info *info, bool first)
{
	struct packet *at = *p;
	const uint8_t *h = at->buffer + at->transport;
	uint32_t left = at->start + at->len - at->transport;
	if (left < 8)
		return false;
	if (info->protocol == IP6_FRAGMENT) {
		*p = take_fragment(at, info);
		return true;
	}
	uint32_t len = (h[1] + 1u) * 8;
	if (len > left)
		return false;
	if (info->protocol == IP6_ROUTING) {
		if (h[3] != 0) { /* segments left */
			icmp6_send_error(at, info, ICMP6_PARAMETER, ICMP6_HEADER_FIELD,
				at->transport + 2 - at->network);
			return false;
		}
	} else if (info->protocol == IP6_HOP_BY_HOP && !first) {
		icmp6_send_error(at, info, ICMP6_PARAMETER, ICMP6_NEXT_HEADER, 40);
		return false;
	} else if (!options_acceptable(at, info, at->transport + 2, at->transport + len)) {
		return false;
	}
	info->protocol = h[0];
	at->transport += len;
	return true;
}

static bool is_extension(uint8_t next)
{
	return next == IP6_HOP_BY_HOP || next == IP6_ROUTING || next == IP6_FRAGMENT ||
	       next == IP6_DESTINATION;
}

void ip6_input(struct netif *n, struct packet *p, unsigned flags)
{
	if (unlikely(!header_valid(p)))
		goto bad;
	const struct ip6_header *h = (const struct ip6_header *)packet_data(p);
	struct ip_info info = {
		.source = h->source,
		.destination = h->destination,
		.protocol = h->next,
		.ttl = h->hops,
		.tos = (uint8_t)(be32_to_cpu(h->flow) >> 20),
		.flags = (uint8_t)flags,
	};
	if (unlikely(martian(n, &info) || !destination_ours(n, &info)))
		goto drop;
	p->network = p->start;
	p->transport = p->start + (uint32_t)sizeof(*h);
	for (unsigned i = 0; unlikely(is_extension(info.protocol)); i++) {
		p->netif = n;
		if (i == HEADERS_MAX || !take_header(&p, &info, i == 0))
			goto bad;
		if (!p)
			return;
	}
	if (unlikely(info.protocol == IP6_NO_NEXT))
		goto drop;
	ip_deliver(n, p, &info);
	return;
bad:
	count_one(ip_bad);
drop:
	packet_free(p);
}

void ip6_header_write(struct ip6_header *h, const struct ip_send *s, uint32_t payload_len)
{
	h->flow = cpu_to_be32(6u << 28 | (uint32_t)s->tos << 20);
	h->payload_len = cpu_to_be16((uint16_t)payload_len);
	h->next = s->protocol;
	h->hops = s->ttl;
	h->source = s->from;
	h->destination = s->to;
}

int ip6_output(struct packet *p, const struct route *r, const struct ip_send *s)
{
	uint32_t payload = packet_length(p);
	bool too_big = payload + sizeof(struct ip6_header) > r->mtu && !p->gso_size;
	if (unlikely((too_big && s->dont_fragment) || payload > 65535)) {
		packet_free(p);
		return -EMSGSIZE;
	}
	struct ip6_header *h = (struct ip6_header *)packet_push(p, sizeof(*h));
	ip6_header_write(h, s, payload);
	p->network = p->start;
	p->transport = p->start + (uint32_t)sizeof(*h);
	if (p->flags & PACKET_CHECKSUM_PARTIAL)
		p->checksum_start += sizeof(*h);
	return unlikely(too_big) ? ip6_fragment_output(p, r) : ip_transmit(p, r);
}

bool ip6_parse_sent(const uint8_t *data, size_t len, struct ip_error *e, uint8_t *protocol)
{
	struct ip6_header h;
	if (len < sizeof(h))
		return false;
	memcpy(&h, data, sizeof(h));
	size_t at = sizeof(h);
	uint8_t next = h.next;
	/* Of what we send only fragments have an extension header. */
	if (next == IP6_FRAGMENT && len >= at + sizeof(struct ip6_fragment_header)) {
		if ((load_be16(data + at + 2) & 0xfff8u) != 0)
			return false;
		next = data[at];
		at += sizeof(struct ip6_fragment_header);
	}
	e->flow.local = h.source;
	e->flow.remote = h.destination;
	if (at + 8 > len || ip_is_v4(&e->flow.local) || ip_is_v4(&e->flow.remote))
		return false;
	e->flow.local_port = load_be16(data + at);
	e->flow.remote_port = load_be16(data + at + 2);
	e->sequence = load_be32(data + at + 4);
	*protocol = next;
	return true;
}
