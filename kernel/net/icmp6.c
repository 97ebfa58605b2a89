/* ICMPv6 (RFC 4443): pings, errors both ways, and the way to neighbour discovery and listener queries. */
#include "kernel/lib/string.h"
#include "kernel/net/address6.h"
#include "kernel/net/checksum.h"
#include "kernel/net/ip6.h"
#include "kernel/net/multicast.h"
#include "kernel/net/nd.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/ping.h"

struct icmp6_header {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t data; /* id and sequence; MTU; pointer */
} packed;

int icmp6_output(struct packet *p, const struct route *r, const struct ip_send *s)
{
	struct icmp6_header *h = (struct icmp6_header *)packet_data(p);
	h->checksum = 0;
	uint64_t sum = checksum_pseudo(&s->from, &s->to, IPPROTO_ICMPV6, packet_length(p));
	h->checksum = checksum_final(sum + checksum_fold(checksum_packet(p, 0)));
	p->flags = 0;
	return ip_output(p, r, s);
}

/* To where a packet came from; takes p over. */
static void reply(struct packet *p, const struct ip_info *ip, struct netif *n)
{
	struct route r;
	bool scoped = ip6_is_link_local(&ip->source) && !(n->flags & NETIF_LOOPBACK);
	if (route_find(&ip->source, scoped ? n->index : 0, &r) < 0) {
		packet_free(p);
		return;
	}
	struct ip_send s = {.from = ip6_is_multicast(&ip->destination) ? r.source : ip->destination,
		.to = ip->source,
		.protocol = IPPROTO_ICMPV6,
		.ttl = IP_TTL_DEFAULT};
	(void)icmp6_output(p, &r, &s);
	route_release(&r);
}

/* Linux's: error and whether it is final, by code of "destination unreachable". */
static const struct {
	uint8_t err;
	bool hard;
} unreachable[] = {{ENETUNREACH, false}, {EACCES, true}, {EHOSTUNREACH, false},
	{EHOSTUNREACH, false}, {ECONNREFUSED, true}, {EACCES, true}, {EACCES, true}};

static void error_input(const struct icmp6_header *h, size_t len, const struct ip_info *ip)
{
	struct ip_error e = {.type = h->type, .code = h->code, .reporter = ip->source};
	uint8_t number = 0;
	if (!ip6_parse_sent((const uint8_t *)(h + 1), len, &e, &number) ||
		!address_is_local(&e.flow.local))
		return;
	if (h->type == ICMP6_UNREACHABLE && h->code < array_size(unreachable)) {
		e.err = unreachable[h->code].err;
		e.hard = unreachable[h->code].hard;
	} else if (h->type == ICMP6_TOO_BIG) {
		e.err = EMSGSIZE;
		e.mtu = (uint16_t)min(be32_to_cpu(h->data), 65535u);
	} else if (h->type == ICMP6_TIME_EXCEEDED) {
		e.err = EHOSTUNREACH;
	} else if (h->type == ICMP6_PARAMETER) {
		e.err = EPROTO;
		e.hard = h->code == ICMP6_NEXT_HEADER;
	} else {
		return;
	}
	const struct ip_protocol *protocol = ip_protocol_find(number);
	if (protocol && protocol->error)
		protocol->error(&e);
}

void icmp6_input(struct packet *p, const struct ip_info *ip)
{
	struct icmp6_header *h = (struct icmp6_header *)packet_data(p);
	uint32_t len = packet_length(p);
	uint64_t sum = checksum_pseudo(&ip->source, &ip->destination, IPPROTO_ICMPV6, len);
	if (p->len < sizeof(*h) ||
		(!(p->flags & PACKET_CHECKSUM_DONE) &&
			checksum_final(sum + checksum_fold(checksum_packet(p, 0))) != 0))
		goto done;
	if (h->type >= ND_ROUTER_SOLICITATION && h->type <= ND_REDIRECT) {
		nd_input(p, ip);
	} else if (h->type == ICMP6_ECHO_REQUEST) {
		if (ip6_is_any(&ip->source))
			goto done;
		h->type = ICMP6_ECHO_REPLY;
		reply(p, ip, p->netif);
		return;
	} else if (h->type == ICMP6_ECHO_REPLY) {
		ping_input(p, ip);
	} else if (h->type == ICMP6_LISTENER_QUERY) {
		multicast6_query(p, ip);
	} else if (h->type < 128) {
		error_input(h, p->len - sizeof(*h), ip);
	}
done:
	packet_free(p);
}

void icmp6_send_error(
	struct packet *p, const struct ip_info *ip, uint8_t type, uint8_t code, uint32_t pointer)
{
	/* RFC 4443 2.4 (e): not about errors, groups (but too big and unknown options) or the nameless. */
	bool to_group = ip->flags & (IP_NOT_UNICAST | IP_LINK_GROUP);
	bool excepted = type == ICMP6_TOO_BIG || (type == ICMP6_PARAMETER && code == ICMP6_OPTION);
	const uint8_t *quoted = p->buffer + p->network;
	if ((to_group && !excepted) || ip6_is_any(&ip->source) || !icmp_may_send_error())
		return;
	if (ip->protocol == IPPROTO_ICMPV6 && p->buffer[p->transport] < 128)
		return;
	uint32_t len = min(p->start + p->len - p->network,
		IP6_MTU_MIN - (uint32_t)(sizeof(struct ip6_header) + sizeof(struct icmp6_header)));
	struct packet *answer = packet_alloc(sizeof(struct icmp6_header) + len);
	if (!answer)
		return;
	answer->len = (uint32_t)sizeof(struct icmp6_header) + len;
	struct icmp6_header *h = (struct icmp6_header *)packet_data(answer);
	*h = (struct icmp6_header){.type = type, .code = code, .data = cpu_to_be32(pointer)};
	memcpy(h + 1, quoted, len);
	reply(answer, ip, p->netif);
}
