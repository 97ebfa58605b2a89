/* Interfaces' addresses and the way to a destination. */
#pragma once

#include "kernel/dev/netif.h"
#include "kernel/net/address.h"

struct neighbour;
struct dhcp;
struct dhcp6;
struct nd;

/* kernel/net's side of a netif (netif.protocol).  Words in network order, 0: none. */
struct interface {
	struct netif *netif;
	_Atomic uint32_t v4, mask, broadcast;
	struct dhcp *dhcp; /* while it asks for or holds a lease */
	struct nd *nd;     /* NULL: no IPv6 beyond static addresses */
	struct dhcp6 *dhcp6;
	uint16_t mtu6; /* of IPv6, as a router says; 0: the link's */
};

static inline struct interface *netif_interface(const struct netif *n)
{
	return n->protocol;
}

enum route_kind { ROUTE_UNICAST, ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_MULTICAST };

struct route {
	struct netif *netif;
	struct neighbour *neighbour; /* counted; NULL on loopback, for broadcast and multicast */
	struct ip_addr source;       /* to be used unless the socket has its own */
	enum route_kind kind;
	uint16_t mtu;
	uint32_t generation;
};

/* netif_index: only over that interface (SO_BINDTODEVICE, IP_MULTICAST_IF); 0: any.  -ENETUNREACH, -ENOMEM.  Any context. */
int route_find(const struct ip_addr *to, unsigned netif_index, struct route *out) must_check;
/* The same for a caller that may sleep: while DHCP still asks, waits some seconds for an address. */
int route_find_wait(const struct ip_addr *to, unsigned netif_index, struct route *out) must_check;
void route_release(struct route *r);
/* Still what route_find() would say? */
bool route_valid(const struct route *r);

/* The entry of the table itself, for /proc/net/route and netlink. */
struct route_entry {
	uint32_t destination, mask, gateway; /* gateway 0: on the link */
	struct netif *netif;
};
/* -ENOBUFS: too many. */
int route_add(uint32_t destination, uint32_t mask, uint32_t gateway, struct netif *n);
void route_drop_netif(const struct netif *n);
bool route_at(unsigned position, struct route_entry *out);

/* Give an interface its address and connected route (0: take it away). */
int interface_configure(struct interface *i, uint32_t v4, uint32_t mask);
/* The interface that has this address; loopback for 127/8; NULL. */
struct interface *interface_of_v4(uint32_t v4);
/* Is it an address of ours that a socket may be bound to? */
bool address_is_local(const struct ip_addr *a);
bool v4_is_broadcast(const struct interface *i, uint32_t v4);
/* Sleep until no DHCP exchange is under way, at most some seconds. */
void interfaces_wait(void);
/* DHCP got its answer, or gave up: wake those in interfaces_wait(). */
void interfaces_settled(void);

/* Path MTU as ICMP told it (RFC 1191), and lookups of it. */
void route_mtu_reduce(const struct ip_addr *to, uint16_t mtu);
/* Addresses or routes changed: sockets look again. */
void routes_changed(void);
