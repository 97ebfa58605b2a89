/* ICMP (RFC 792, RFC 1122 3.2.2): answers pings, turns errors about our packets into errors of their sockets. */
#include "kernel/lib/string.h"
#include "kernel/net/checksum.h"
#include "kernel/net/ip6.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/ping.h"
#include "kernel/net/wheel.h"

#define ECHO_REPLY 0u
#define ECHO_REQUEST 8u
#define TIME_EXCEEDED 11u
#define PARAMETER_PROBLEM 12u
#define FRAGMENTATION_NEEDED 4u
#define QUOTED_MAX 548u /* of the packet complained about: RFC 1812 4.3.2.3 */
#define ERRORS_PER_SECOND 1000u

struct icmp_header {
	uint8_t type, code;
	uint16_t checksum;
	uint16_t id, sequence; /* echo; of errors the second is the MTU */
} packed;

/* Linux's icmp_err_convert: error and whether it is final, by code of "destination unreachable". */
static const struct {
	uint8_t err;
	bool hard;
} unreachable[] = {
	{ENETUNREACH, false},
	{EHOSTUNREACH, false},
	{ENOPROTOOPT, true},
	{ECONNREFUSED, true},
	{EMSGSIZE, false},
	{EOPNOTSUPP, false},
	{ENETUNREACH, true},
	{EHOSTDOWN, true},
	{ENONET, true},
	{ENETUNREACH, true},
	{EHOSTUNREACH, true},
	{ENETUNREACH, false},
	{EHOSTUNREACH, false},
	{EHOSTUNREACH, true},
	{EHOSTUNREACH, true},
	{EHOSTUNREACH, true},
};

static int reply(struct packet *p, const struct ip_info *ip)
{
	struct route route;
	int err = route_find(&ip->source, 0, &route);
	if (err < 0) {
		packet_free(p);
		return err;
	}
	struct ip_send s = {.from = ip->destination,
		.to = ip->source,
		.protocol = IPPROTO_ICMP,
		.ttl = IP_TTL_DEFAULT};
	p->flags = 0;
	err = ip_output(p, &route, &s);
	route_release(&route);
	return err;
}

static void echo(struct packet *p, const struct ip_info *ip)
{
	struct icmp_header *h = (struct icmp_header *)packet_data(p);
	h->type = ECHO_REPLY;
	h->checksum = 0;
	h->checksum = checksum_final(checksum_packet(p, 0));
	(void)reply(p, ip);
}

/* data: the start of a packet of ours, as someone on its way quotes it. */
static void error_input(
	const struct icmp_header *h, const uint8_t *data, size_t len, const struct ip_info *ip)
{
	struct ip_error e = {.type = h->type, .code = h->code, .reporter = ip->source};
	uint8_t number = 0;
	if (len == 0 || data[0] >> 4 != 4 || !ip_parse_sent(data, len, &e, &number) ||
		!address_is_local(&e.flow.local))
		return;
	if (h->type == ICMP_UNREACHABLE && h->code < array_size(unreachable)) {
		e.err = unreachable[h->code].err;
		e.hard = unreachable[h->code].hard;
		if (h->code == FRAGMENTATION_NEEDED)
			e.mtu = be16_to_cpu(h->sequence);
	} else if (h->type == TIME_EXCEEDED) {
		e.err = EHOSTUNREACH;
	} else if (h->type == PARAMETER_PROBLEM) {
		e.err = EPROTO;
		e.hard = true;
	} else {
		return;
	}
	const struct ip_protocol *protocol = ip_protocol_find(number);
	if (protocol && protocol->error)
		protocol->error(&e);
}

void icmp_input(struct packet *p, const struct ip_info *ip)
{
	struct icmp_header *h = (struct icmp_header *)packet_data(p);
	if (p->len < sizeof(*h))
		goto done;
	if (!(p->flags & PACKET_CHECKSUM_DONE) && checksum_final(checksum_packet(p, 0)) != 0)
		goto done;
	if (h->type == ECHO_REQUEST) {
		if (ip->flags & (IP_NOT_UNICAST | IP_LINK_GROUP))
			goto done;
		echo(p, ip);
		return;
	}
	if (h->type == ECHO_REPLY)
		ping_input(p, ip);
	else
		error_input(h, packet_data(p) + sizeof(*h), p->len - sizeof(*h), ip);
done:
	packet_free(p);
}

bool icmp_may_send_error(void)
{
	static _Atomic uint64_t second;
	static _Atomic unsigned sent;
	uint64_t now = clock_monotonic_ns() / NS_PER_S;
	if (atomic_exchange_explicit(&second, now, memory_order_relaxed) != now)
		atomic_store_explicit(&sent, 0, memory_order_relaxed);
	return atomic_fetch_add_explicit(&sent, 1, memory_order_relaxed) < ERRORS_PER_SECOND;
}

void icmp_send_error(struct packet *p, const struct ip_info *ip, uint8_t type, uint8_t code)
{
	if (!ip_is_v4(&ip->source)) {
		bool port = code == ICMP_PORT_UNREACHABLE;
		/* An unknown protocol: the pointer names the header field before p's, which for all but oddities is the first. */
		icmp6_send_error(p, ip, port ? ICMP6_UNREACHABLE : ICMP6_PARAMETER,
			port ? ICMP6_PORT_UNREACHABLE : ICMP6_NEXT_HEADER, port ? 0 : 6);
		return;
	}
	/* RFC 1122 3.2.2: never about a group, a broadcast, a nameless source or another error. */
	if (ip->flags & (IP_NOT_UNICAST | IP_LINK_GROUP) || ip_is_any(&ip->source) ||
		ip->protocol == IPPROTO_ICMP || !icmp_may_send_error())
		return;
	const uint8_t *quoted = p->buffer + p->network;
	uint32_t available = p->start + p->len - p->network;
	uint32_t len = min(available, QUOTED_MAX);
	struct packet *answer = packet_alloc(sizeof(struct icmp_header) + len);
	if (!answer)
		return;
	answer->len = (uint32_t)sizeof(struct icmp_header) + len;
	struct icmp_header *h = (struct icmp_header *)packet_data(answer);
	*h = (struct icmp_header){.type = type, .code = code};
	memcpy(h + 1, quoted, len);
	h->checksum = checksum_final(checksum_packet(answer, 0));
	(void)reply(answer, ip);
}
