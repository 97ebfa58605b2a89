/*
 * Local ports: who is bound to which, may another be, which socket is a packet without a conversation for.
 * One table each for TCP and UDP: a two-level array indexed by the port number, so that nothing is searched however
 * many ports are in use.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/lib/list.h"
#include "kernel/net/address.h"

struct port;

#define PORT_REUSE_ADDR 1u
#define PORT_REUSE_PORT 2u
#define PORT_LISTENING 4u /* TCP in LISTEN, any UDP socket: takes what has no conversation */
#define PORT_V6ONLY 16u   /* the wildcard :: is not for IPv4 (IPV6_V6ONLY) */
#define PORT_AUTOMATIC 8u /* chosen by connect(2) or for an accepted connection */

/* Embedded in what is bound.  All under the port table's lock while port is not NULL. */
struct port_user {
	struct list link;
	struct port *port;
	struct ip_addr
		ip; /* local address; 0.0.0.0 is any of IPv4, :: any of both families unless PORT_V6ONLY */
	unsigned netif_index;
	unsigned flags;
	struct flow *peer;                 /* UDP: of a connected socket; else NULL */
	void (*hold)(struct port_user *u); /* make a reference for who found it */
};

#define PORT_STRIPES 16u
struct port_table {
	struct spinlock locks[PORT_STRIPES]; /* of the ports with that low nibble */
	struct spinlock growth;
	struct port **_Atomic blocks[256];
	bool listening_shares; /* UDP: PORT_REUSE_ADDR lets two take the same address */
};

/* u->ip, netif_index, flags are set.  number 0: choose one.  -EADDRINUSE, -ENOMEM.  *number: which it is. */
int port_bind(struct port_table *t, struct port_user *u, uint16_t *number) must_check;
/* Join without a check of conflicts: a port taken by connect(2) or accept(2), whose conversation is unique. */
int port_join(struct port_table *t, struct port_user *u, uint16_t number) must_check;
void port_release(struct port_table *t, struct port_user *u);
/* listen(2): check for another listener, then take packets. -EADDRINUSE. */
int port_listen(struct port_table *t, struct port_user *u) must_check;
void port_unlisten(struct port_table *t, struct port_user *u);
/* Change what a bound user is (SO_REUSEADDR, its address): no check of conflicts. */
void port_change(struct port_table *t, struct port_user *u, const struct ip_addr *ip,
	struct flow *peer, unsigned flags);
/* Is someone bound there by bind(2)?  Then connect(2) does not choose it. */
bool port_reserved(struct port_table *t, uint16_t number);
/* The best user for a packet: held, or NULL.  hash spreads over a SO_REUSEPORT group. */
struct port_user *port_find(
	struct port_table *t, const struct flow *f, unsigned netif_index, uint32_t hash);
/* All that take a broadcast or multicast: one after another, *after counted on; NULL at the end.  Each is held. */
unsigned port_find_all(struct port_table *t, const struct flow *f, unsigned netif_index,
	struct port_user **out, unsigned n);

#define PORT_FIRST_EPHEMERAL 32768u /* net.ipv4.ip_local_port_range */
#define PORT_LAST_EPHEMERAL 60999u

/* Every user of every port, under the lock of its port. */
void port_each(struct port_table *t, void (*each)(void *arg, struct port_user *u, uint16_t number),
	void *arg);
uint16_t port_number(const struct port_user *u);
