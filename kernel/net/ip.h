/* IPv4, and what the transports above share of both families (IPv6: kernel/net/ip6.h). */
#pragma once

#include "kernel/dev/netif.h"
#include "kernel/net/address.h"
#include "kernel/net/route.h"

struct ip4_header {
	uint8_t version_len; /* 0x45 without options */
	uint8_t tos;
	uint16_t total_len, id, fragment;
	uint8_t ttl, protocol;
	uint16_t checksum;
	uint32_t source, destination;
} packed;

#define IP4_MORE_FRAGMENTS 0x2000u
#define IP4_DONT_FRAGMENT 0x4000u
#define IP4_FRAGMENT_MASK 0x1fffu
#define IP_TTL_DEFAULT 64u
#define IP_ECT0 2u /* ECN bits of the type of service, RFC 3168 5 */
#define IP_CE 3u

/* Of a received packet. */
struct ip_info {
	struct ip_addr source, destination;
	uint8_t protocol, ttl, tos;
	uint8_t flags;
};
#define IP_LINK_GROUP 1u  /* came to a group address of the link */
#define IP_NOT_UNICAST 2u /* destination is a broadcast or multicast address */
#define IP_FOR_DHCP 4u    /* to an address we do not have (yet) */

/* A packet of ours did not arrive, as ICMP or ARP tells.  flow: as its sender sees it. */
struct ip_error {
	struct flow flow;
	int err;            /* positive errno */
	bool hard;          /* RFC 1122 4.2.3.9: protocol or port unreachable */
	uint8_t type, code; /* ICMP's */
	uint16_t mtu;       /* of "fragmentation needed", else 0 */
	uint32_t sequence;  /* first 4 bytes of the transport header after the ports */
	struct ip_addr reporter;
};

/* One line per transport: the table is in kernel/net/net.c. */
struct ip_protocol {
	uint8_t number;
	uint8_t family; /* 0: both */
	/* p: data at the transport header, p->transport set; taken over.  Interrupts off. */
	void (*input)(struct packet *p, const struct ip_info *ip);
	void (*error)(const struct ip_error *e); /* may be NULL */
};
const struct ip_protocol *ip_protocol_find(uint8_t number);

void ip_input(struct netif *n, struct packet *p, unsigned flags);
/* A whole datagram (also after reassembly). */
void ip_deliver(struct netif *n, struct packet *p, struct ip_info *info);

struct ip_send {
	struct ip_addr from, to;
	uint8_t protocol, ttl, tos;
	bool dont_fragment;
};
/* Prepend the header and send along r, taking p over; larger than the MTU: in fragments, or -EMSGSIZE. */
int ip_output(struct packet *p, const struct route *r, const struct ip_send *s);
/* The same packet, already with its IP header. */
int ip_transmit(struct packet *p, const struct route *r);
/* p (from its IP header on) could not be sent: tell its transport.  p is freed. */
void ip_undeliverable(struct packet *p, int err);
/* Read the IP header and ports of a packet that we sent out of len bytes; false: not usable. */
bool ip_parse_sent(const uint8_t *data, size_t len, struct ip_error *e, uint8_t *protocol);

/* A fragment: whose, and where in it.  offset in bytes. */
struct ip_fragment {
	struct ip_addr source, destination;
	uint32_t id, offset;
	uint8_t protocol;
	bool last;
};
/* kernel/net/ip_fragment.c.  Takes p over; returns the whole datagram when p completed it. */
struct packet *ip_reassemble(struct packet *p, const struct ip_fragment *f);
int ip_fragment_output(struct packet *p, const struct route *r);

/* kernel/net/icmp.c */
void icmp_input(struct packet *p, const struct ip_info *ip);
#define ICMP_UNREACHABLE 3u
#define ICMP_PORT_UNREACHABLE 3u
#define ICMP_PROTOCOL_UNREACHABLE 2u
/* No more than a thousand errors in a second leave the machine. */
bool icmp_may_send_error(void);
/* Answer a received packet (IP header at p->network) with an error; p stays the caller's. */
void icmp_send_error(struct packet *p, const struct ip_info *ip, uint8_t type, uint8_t code);

/* Of rare events: packets as such are counted by their interfaces. */
extern struct net_statistics {
	_Atomic uint64_t ip_bad, udp_no_port, udp_errors, udp_overflow;
	_Atomic uint64_t tcp_retransmitted, tcp_bad, tcp_resets_sent;
	_Atomic uint64_t tcp_active_opens, tcp_passive_opens, tcp_failed, tcp_resets;
	_Atomic uint64_t tcp_listen_overflows, tcp_cookies_sent;
} net_statistics;
#define count_one(field) atomic_fetch_add_explicit(&net_statistics.field, 1, memory_order_relaxed)
