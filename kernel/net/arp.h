/* Neighbours: hardware addresses of next hops (RFC 826, RFC 4861 7), with packets waiting for them. */
#pragma once

#include "kernel/dev/netif.h"
#include "kernel/net/address.h"

struct neighbour;

/* Counted, made if need be; NULL without memory.  Any context. */
struct neighbour *neighbour_get(struct netif *n, const struct ip_addr *ip) must_check;
void neighbour_hold(struct neighbour *n);
void neighbour_put(struct neighbour *n);
/* Send an IP packet there, taking it over; it waits while the address is asked for. -ENOBUFS. */
int neighbour_send(struct neighbour *n, struct packet *p);
/* The other side answers: what we know is right (RFC 1122 2.3.2.1). */
void neighbour_confirm(struct neighbour *n);
/* A packet of ip's owner tells its hardware address. */
#define NEIGHBOUR_ADD 1u      /* an entry is made if there is none */
#define NEIGHBOUR_OVERRIDE 2u /* in place of another one that is known */
void neighbour_learn(
	struct netif *n, const struct ip_addr *ip, const uint8_t mac[6], unsigned flags);

void arp_input(struct netif *n, struct packet *p);
/* Tell the link about our new address. */
void arp_announce(struct netif *n, uint32_t v4);

/* For /proc/net/arp: calls back per entry, under a lock. */
void neighbour_each(void (*show)(void *arg, struct netif *n, const struct ip_addr *ip,
			    const uint8_t *mac, bool valid),
	void *arg);
