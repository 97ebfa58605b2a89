/*
 * IPv4 (RFC 791, RFC 1122): checks on what arrives, headers for what leaves.  Nothing is ever forwarded; options are
 * skipped, source routes refused.
 */
#include "kernel/net/ip.h"

#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/net/arp.h"
#include "kernel/net/checksum.h"
#include "kernel/net/dhcp.h"
#include "kernel/net/ethernet.h"
#include "kernel/net/ip6.h"
#include "kernel/net/multicast.h"
#include "kernel/net/net.h"

struct net_statistics net_statistics;

static _Atomic uint32_t next_id;

static inline uint16_t header_checksum(const struct ip4_header *h, unsigned len)
{
	uint32_t words[5];
	if (unlikely(len != sizeof(words)))
		return checksum_final(checksum_add(0, h, len));
	__builtin_memcpy(words, h, sizeof(words));
	return checksum_final((uint64_t)words[0] + words[1] + words[2] + words[3] + words[4]);
}

/* Are its lengths and checksum right?  Cuts link padding off. */
static bool header_valid(struct packet *p, unsigned *header_len)
{
	if (p->len < sizeof(struct ip4_header))
		return false;
	const struct ip4_header *h = (const struct ip4_header *)packet_data(p);
	*header_len = (h->version_len & 15u) * 4;
	uint32_t total = be16_to_cpu(h->total_len);
	if (h->version_len >> 4 != 4 || *header_len < sizeof(*h) || *header_len > p->len ||
		total < *header_len || total > packet_length(p))
		return false;
	if (!(p->netif->flags & NETIF_LOOPBACK) && header_checksum(h, *header_len) != 0)
		return false;
	if (likely(p->n_fragments == 0 && !(p->flags & PACKET_CHAINED))) {
		p->len = total;
		return true;
	}
	return packet_length(p) == total;
}

/* RFC 1122 3.2.1.8: source routes would make us forward. */
static bool options_acceptable(const uint8_t *option, unsigned len)
{
	for (unsigned i = 0; i < len;) {
		uint8_t type = option[i];
		if (type == 0)
			break;
		if (type == 1) {
			i++;
			continue;
		}
		if (type == 131 || type == 137 || i + 1 >= len || option[i + 1] < 2)
			return false;
		i += option[i + 1];
	}
	return true;
}

/* For us?  Sets IP_NOT_UNICAST. */
static bool destination_ours(struct netif *n, uint32_t to, uint8_t *flags)
{
	struct interface *i = netif_interface(n);
	if (likely(to == i->v4 && to != 0))
		return true;
	if (v4_is_loopback(to))
		return n->flags & NETIF_LOOPBACK;
	*flags |= IP_NOT_UNICAST;
	if (v4_is_broadcast(i, to))
		return true;
	if (v4_is_multicast(to))
		return multicast_accepts(i, to);
	*flags &= (uint8_t)~IP_NOT_UNICAST;
	/* Weak host model, as Linux: any address of the machine. */
	if (interface_of_v4(to))
		return true;
	*flags |= IP_FOR_DHCP;
	return dhcp_wants(i);
}

void ip_input(struct netif *n, struct packet *p, unsigned flags)
{
	unsigned header_len = 0;
	if (unlikely(!header_valid(p, &header_len)))
		goto bad;
	const struct ip4_header *h = (const struct ip4_header *)packet_data(p);
	struct ip_info info = {
		.source = ip_from_v4(h->source),
		.destination = ip_from_v4(h->destination),
		.protocol = h->protocol,
		.ttl = h->ttl,
		.tos = h->tos,
		.flags = (uint8_t)flags,
	};
	if (unlikely(!destination_ours(n, h->destination, &info.flags)))
		goto drop;
	/* Martians: no group as a source, nothing from 127/8 on a wire. */
	if (unlikely(v4_is_multicast(h->source) || h->source == UINT32_MAX ||
		     (v4_is_loopback(h->source) && !(n->flags & NETIF_LOOPBACK))))
		goto drop;
	if (unlikely(header_len > sizeof(*h) && !options_acceptable((const uint8_t *)(h + 1),
							header_len - (unsigned)sizeof(*h))))
		goto bad;
	p->network = p->start;
	p->transport = p->start + header_len;
	if (unlikely(h->fragment & cpu_to_be16(IP4_MORE_FRAGMENTS | IP4_FRAGMENT_MASK))) {
		if (p->flags & PACKET_CHAINED)
			goto bad;
		uint16_t field = be16_to_cpu(h->fragment);
		struct ip_fragment f = {.source = info.source,
			.destination = info.destination,
			.id = h->id,
			.protocol = h->protocol,
			.offset = (field & IP4_FRAGMENT_MASK) * 8u,
			.last = !(field & IP4_MORE_FRAGMENTS)};
		p = ip_reassemble(p, &f);
		if (!p)
			return;
	}
	ip_deliver(n, p, &info);
	return;
bad:
	count_one(ip_bad);
drop:
	packet_free(p);
}

void ip_deliver(struct netif *n, struct packet *p, struct ip_info *info)
{
	p->netif = n;
	packet_pull(p, p->transport - p->network);
	if (unlikely(p->flags & PACKET_CHAINED && info->protocol != IPPROTO_TCP)) {
		packet_free(p); /* the device said that it is TCP */
		return;
	}
	const struct ip_protocol *protocol = ip_protocol_find(info->protocol);
	if (unlikely(info->flags & IP_FOR_DHCP && info->protocol != IPPROTO_UDP)) {
		packet_free(p);
		return;
	}
	uint8_t family = ip_is_v4(&info->source) ? AF_INET : AF_INET6;
	if (likely(protocol && (!protocol->family || protocol->family == family))) {
		protocol->input(p, info);
		return;
	}
	if (!(info->flags & (IP_NOT_UNICAST | IP_LINK_GROUP)))
		icmp_send_error(p, info, ICMP_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE);
	packet_free(p);
}

int ip_transmit(struct packet *p, const struct route *r)
{
	p->netif = r->netif;
	if (likely(r->neighbour != NULL))
		return neighbour_send(r->neighbour, p);
	if (r->netif->flags & NETIF_LOOPBACK)
		return net_transmit(r->netif, p);
	if (p->buffer[p->network] >> 4 == 6) {
		uint8_t group[6] = {0x33, 0x33};
		memcpy(group + 2, p->buffer + p->network + 36, 4);
		return ethernet_output(r->netif, p, group, ETHERNET_IPV6);
	}
	if (r->kind == ROUTE_MULTICAST) {
		uint8_t to[6] = {0x01, 0x00, 0x5e};
		memcpy(to + 3, p->buffer + p->network + 17, 3);
		to[3] &= 0x7f;
		return ethernet_output(r->netif, p, to, ETHERNET_IPV4);
	}
	return ethernet_output(r->netif, p, ethernet_broadcast, ETHERNET_IPV4);
}

int ip_output(struct packet *p, const struct route *r, const struct ip_send *s)
{
	if (!ip_is_v4(&s->to))
		return ip6_output(p, r, s);
	uint32_t total = packet_length(p) + (uint32_t)sizeof(struct ip4_header);
	bool too_big = total > r->mtu && !p->gso_size;
	if (unlikely((too_big && s->dont_fragment) || total > 65535)) {
		packet_free(p);
		return -EMSGSIZE;
	}
	struct ip4_header *h = (struct ip4_header *)packet_push(p, sizeof(*h));
	h->version_len = 0x45;
	h->tos = s->tos;
	h->total_len = cpu_to_be16((uint16_t)total);
	h->id = 0; /* RFC 6864: only what may be fragmented needs one */
	h->fragment = cpu_to_be16(IP4_DONT_FRAGMENT);
	if (!s->dont_fragment) {
		uint32_t id = atomic_fetch_add_explicit(&next_id, 1, memory_order_relaxed);
		h->id = (uint16_t)(id ^
				   flow_hash(&(struct flow){.local = s->from, .remote = s->to}));
		h->fragment = 0;
	}
	h->ttl = s->ttl;
	h->protocol = s->protocol;
	h->checksum = 0;
	h->source = ip_v4(&s->from);
	h->destination = ip_v4(&s->to);
	if (!(r->netif->flags & NETIF_LOOPBACK))
		h->checksum = header_checksum(h, sizeof(*h));
	p->network = p->start;
	p->transport = p->start + (uint32_t)sizeof(*h);
	if (p->flags & PACKET_CHECKSUM_PARTIAL)
		p->checksum_start += sizeof(*h);
	if (unlikely(too_big))
		return ip_fragment_output(p, r);
	return ip_transmit(p, r);
}

bool ip_parse_sent(const uint8_t *data, size_t len, struct ip_error *e, uint8_t *protocol)
{
	const struct ip4_header *h = (const struct ip4_header *)data;
	if (len > 0 && data[0] >> 4 == 6)
		return ip6_parse_sent(data, len, e, protocol);
	if (len < sizeof(*h) || h->version_len >> 4 != 4)
		return false;
	size_t header_len = (h->version_len & 15u) * 4;
	bool first = (h->fragment & cpu_to_be16(IP4_FRAGMENT_MASK)) == 0;
	if (header_len < sizeof(*h) || header_len + 8 > len || !first)
		return false;
	const uint8_t *transport = data + header_len;
	e->flow.local = ip_from_v4(h->source);
	e->flow.remote = ip_from_v4(h->destination);
	e->flow.local_port = load_be16(transport);
	e->flow.remote_port = load_be16(transport + 2);
	e->sequence = load_be32(transport + 4);
	*protocol = h->protocol;
	return true;
}

void ip_undeliverable(struct packet *p, int err)
{
	struct ip_error e = {.err = err, .type = ICMP_UNREACHABLE, .code = 1};
	uint8_t number = 0;
	if (ip_parse_sent(packet_data(p), p->len, &e, &number)) {
		const struct ip_protocol *protocol = ip_protocol_find(number);
		e.reporter = e.flow.local;
		if (protocol && protocol->error)
			protocol->error(&e);
	}
	packet_free(p);
}
