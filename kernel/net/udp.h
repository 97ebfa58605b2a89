/* UDP (RFC 768), and the queue of received datagrams that ping sockets share. */
#pragma once

#include "kernel/net/inet.h"
#include "kernel/net/ip.h"

struct datagram_socket {
	struct inet_socket inet; /* first */
	/* under inet.socket.lock: */
	struct list received; /* packets: data at the payload, IP header at packet.network */
	struct list errors;   /* IP_RECVERR: struct datagram_error */
	unsigned n_errors;
	uint32_t charge;  /* memory of received */
	uint32_t dropped; /* SO_RXQ_OVFL */
};

static inline struct datagram_socket *datagram_of(struct socket *s)
{
	return (struct datagram_socket *)s;
}

extern const struct protocol udp_protocol, udp6_protocol;
void udp_input(struct packet *p, const struct ip_info *ip);
void udp_error(const struct ip_error *e);

/* kernel/net/datagram.c: common to UDP and ping sockets. */
void datagram_init(struct datagram_socket *d);
/* Queue a packet for the program; takes p over.  False: no room, dropped. */
bool datagram_deliver(struct datagram_socket *d, struct packet *p);
long datagram_receive(struct socket *s, struct socket_message *m);
unsigned datagram_poll(struct socket *s);
int datagram_shutdown(struct socket *s, int how);
int datagram_peer(struct socket *s, struct socket_address *out);
void datagram_report(struct datagram_socket *d, const struct ip_error *e);
void datagram_purge(struct datagram_socket *d);
/* connect(2): remember the peer and its route. */
int datagram_connect(
	struct datagram_socket *d, struct port_table *t, const struct socket_address *a) must_check;
/* Where a message goes: its name, else the peer; source and route with IP_PKTINFO considered. */
struct datagram_target {
	struct ip_addr from, to;
	uint16_t port;
	uint8_t ttl, tos;
	int16_t hops;       /* of IPv6, as a control message says; -1: the socket's */
	uint8_t tclass;     /* of IPv6; ttl and tos become what holds for the packet */
	struct route route; /* to be released */
};
int datagram_target(struct datagram_socket *d, struct socket_message *m,
	struct datagram_target *out) must_check;
