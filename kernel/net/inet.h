/* What TCP, UDP and ping sockets share: addresses, binding, options of level SOL_IP. */
#pragma once

#include "kernel/net/address.h"
#include "kernel/net/port.h"
#include "kernel/net/protocol.h"
#include "kernel/net/route.h"

/* struct inet_socket.ip_options */
#define INET_PKTINFO (1u << 0)
#define INET_RECVTTL (1u << 1)
#define INET_RECVTOS (1u << 2)
#define INET_RECVERR (1u << 3)
#define INET_FREEBIND (1u << 4)
#define INET_MULTICAST_LOOP (1u << 5)
#define INET_MULTICAST_ALL (1u << 6)
#define INET_BIND_NO_PORT (1u << 7)
#define INET_ORIGDSTADDR (1u << 8)
#define INET_BOUND_ADDRESS (1u << 16) /* bind(2) gave a specific address */
#define INET_BOUND_PORT (1u << 17)    /* bind(2) gave a port */

#define INET_GROUPS_MAX 20u /* net.ipv4.igmp_max_memberships */

/* struct inet6_options.flags, by their place in the table of kernel/net/inet6.c */
#define INET6_V6ONLY (1u << 0)
#define INET6_PKTINFO (1u << 1)
#define INET6_MULTICAST_LOOP (1u << 2)
#define INET6_MULTICAST_ALL (1u << 3)
#define INET6_AUTOFLOWLABEL (1u << 4)
#define INET6_RECVHOPLIMIT (1u << 5)
#define INET6_RECVTCLASS (1u << 6)
#define INET6_RECVERR (1u << 7)
#define INET6_DONTFRAG (1u << 8)

/* Level SOL_IPV6 of an AF_INET6 socket; single words. */
struct inet6_options {
	uint32_t flags;
	int16_t hops, multicast_hops; /* -1: the default */
	uint8_t tclass, mtu_discover, min_hops;
	unsigned multicast_netif;
};

struct inet_socket {
	struct socket socket;   /* first */
	struct mutex bind_lock; /* one thread at a time gives it a port */
	/* under socket.lock: */
	struct flow flow;   /* local address: any until bound or connected */
	struct route route; /* of the connected peer; check route_valid() */
	struct port_user port;
	/* options, single words: */
	uint32_t ip_options;
	uint8_t tos, ttl, mtu_discover, multicast_ttl;
	unsigned multicast_netif;
	struct inet6_options v6;
	struct inet_groups {
		unsigned n;
		struct {
			struct ip_addr group;
			struct interface *interface;
		} joined[INET_GROUPS_MAX];
	} * groups; /* under socket.lock */
};

static inline struct inet_socket *inet_of(struct socket *s)
{
	return (struct inet_socket *)s;
}

/* The wildcard of the socket's family. */
static inline struct ip_addr inet_any(const struct inet_socket *i)
{
	return i->socket.family == AF_INET6 ? (struct ip_addr){0} : ip_from_v4(0);
}

void inet_init_socket(struct inet_socket *i);
/* Port flags from the generic options. */
unsigned inet_port_flags(const struct socket *s);
/* bind(2): checks the address and takes the port.  One bind per socket: -EINVAL. */
int inet_bind(
	struct inet_socket *i, struct port_table *t, const struct socket_address *a) must_check;
/* A port of its own if it has none. */
int inet_autobind(struct inet_socket *i, struct port_table *t) must_check;
int inet_name(struct socket *s, struct socket_address *out) must_check;
/* Whom connect(2) or sendto(2) means; the wildcard is this machine. */
int inet_parse_peer(struct inet_socket *i, const struct socket_address *a, bool connecting,
	struct ip_addr *ip, uint16_t *port) must_check;
/* Levels SOL_IP and SOL_IPV6; -ENOPROTOOPT. */
int inet_set_option(
	struct inet_socket *i, int level, int name, const void *value, size_t len) must_check;
/* Options that are not the protocol's own; for a level nobody knows getsockopt(2) has another error than setsockopt(2). */
int inet_get_option(
	struct inet_socket *i, int level, int name, void *value, size_t size) must_check;
/* A group of either family, IPV6_ADD_MEMBERSHIP and its kin: -EADDRINUSE, -ENOBUFS; -EADDRNOTAVAIL. */
int inet_join_group(struct inet_socket *i, const struct ip_addr *group, struct netif *n) must_check;
int inet_leave_group(
	struct inet_socket *i, const struct ip_addr *group, struct netif *n) must_check;
void inet_leave_groups(struct inet_socket *i);
bool inet_in_group(struct inet_socket *i, const struct ip_addr *group);
/* The interface an option or control message names: by index, else by address; NULL. */
struct netif *netif_by(unsigned index, uint32_t v4);

/* kernel/net/inet6.c: the same for AF_INET6. */
void inet6_init(struct inet6_options *o);
int inet6_parse_bind(struct inet_socket *i, const struct socket_address *a, struct ip_addr *ip,
	uint16_t *port) must_check;
int inet6_parse_peer(struct inet_socket *i, const struct socket_address *a, bool connecting,
	struct ip_addr *ip, uint16_t *port) must_check;
/* The interface that a link's own address is meant on; 0: not said. */
unsigned inet6_scope(const struct socket_address *a, const struct ip_addr *ip);
int inet6_set_option(struct inet_socket *i, int name, const void *value, size_t len) must_check;
int inet6_get_option(struct inet_socket *i, int name, void *value, size_t size) must_check;
/* IPV6_MTU and IP_MTU; -ENOTCONN. */
int inet_mtu(struct inet_socket *i);
