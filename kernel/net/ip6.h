/*
 * IPv6 (RFC 8200) beside IPv4.  Transports see no difference: they get struct ip_info from ip_deliver() and send with
 * ip_output(), which come here when the addresses are not IPv4's.
 */
#pragma once

#include "kernel/net/ip.h"

struct ip6_header {
	uint32_t flow; /* version, traffic class, flow label */
	uint16_t payload_len;
	uint8_t next, hops;
	struct ip_addr source, destination;
} packed;

struct ip6_fragment_header {
	uint8_t next, reserved;
	uint16_t offset; /* in units of 8 bytes << 3, and IP6_MORE_FRAGMENTS */
	uint32_t id;
} packed;

#define IP6_MTU_MIN 1280u
#define IP6_MORE_FRAGMENTS 1u
#define IP6_HOP_BY_HOP 0u
#define IP6_ROUTING 43u
#define IP6_FRAGMENT 44u
#define IP6_NO_NEXT 59u
#define IP6_DESTINATION 60u

void ip6_input(struct netif *n, struct packet *p, unsigned flags);
int ip6_output(struct packet *p, const struct route *r, const struct ip_send *s);
/* ip_parse_sent() of IPv6. */
bool ip6_parse_sent(const uint8_t *data, size_t len, struct ip_error *e, uint8_t *protocol);
/* Fill in a header; payload_len may be 0, to be set later. */
void ip6_header_write(struct ip6_header *h, const struct ip_send *s, uint32_t payload_len);
/* kernel/net/ip_fragment.c: p from its IPv6 header on, larger than the route's MTU. */
int ip6_fragment_output(struct packet *p, const struct route *r);

/* kernel/net/icmp6.c (RFC 4443) */
#define ICMP6_UNREACHABLE 1u
#define ICMP6_TOO_BIG 2u
#define ICMP6_TIME_EXCEEDED 3u
#define ICMP6_PARAMETER 4u
#define ICMP6_ECHO_REQUEST 128u
#define ICMP6_ECHO_REPLY 129u
#define ICMP6_LISTENER_QUERY 130u
#define ICMP6_LISTENER_REPORT2 143u
#define ICMP6_PORT_UNREACHABLE 4u
#define ICMP6_HEADER_FIELD 0u
#define ICMP6_NEXT_HEADER 1u
#define ICMP6_OPTION 2u
void icmp6_input(struct packet *p, const struct ip_info *ip);
/* As icmp_send_error(); pointer: where in the packet, for ICMP6_PARAMETER. */
void icmp6_send_error(
	struct packet *p, const struct ip_info *ip, uint8_t type, uint8_t code, uint32_t pointer);
/* Put the checksum into an ICMPv6 message (p from it on) and send it along r; takes p over. */
int icmp6_output(struct packet *p, const struct route *r, const struct ip_send *s);
