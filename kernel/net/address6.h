/* The IPv6 addresses of this machine (RFC 4862's states), which of them to use (RFC 6724), and the way to others. */
#pragma once

#include "kernel/net/route.h"

#define ADDRESS6_TENTATIVE 1u /* duplicate detection runs; used all the same (RFC 4429) */
#define ADDRESS6_AUTOMATIC 2u /* by SLAAC or DHCPv6: with lifetimes */
#define ADDRESS6_NO_PREFIX 4u /* no route to its prefix comes with it */

#define FOREVER_MS UINT64_MAX

struct address6 {
	struct ip_addr ip;
	struct netif *netif; /* NULL: a free entry */
	uint8_t prefix_len, flags;
	uint64_t preferred_ms, valid_ms; /* until when, of now_ms() */
};

/* Add or renew.  *fresh: it was not there.  -ENOBUFS: too many. */
int address6_add(const struct address6 *a, bool *fresh) must_check;
void address6_remove(const struct netif *n, const struct ip_addr *ip);
/* netif NULL: of any interface. */
bool address6_is_ours(const struct ip_addr *ip, const struct netif *n);
/* Duplicate detection of n's addresses is over. */
void address6_confirm(const struct netif *n);
/* Copy of entry `position`; false beyond the last.  Free ones have no netif. */
bool address6_at(unsigned position, struct address6 *out);
bool address6_get(const struct netif *n, const struct ip_addr *ip, struct address6 *out);
/* The source for a packet over n to `to`; false: n has none that fits. */
bool address6_choose(const struct netif *n, const struct ip_addr *to, struct ip_addr *out);
/* n's link-local address. */
bool address6_link_local(const struct netif *n, struct ip_addr *out);
/* The interface a link-local address means: whose it is, else the first that has one itself; 0: none. */
unsigned address6_scope(const struct ip_addr *ip);
/* Is `group` the solicited-node group of an address of n (RFC 4291 2.7.1)? */
bool address6_solicited(const struct netif *n, const struct ip_addr *group);
struct ip_addr ip6_solicited_group(const struct ip_addr *ip);

struct route6_entry {
	struct ip_addr destination, gateway; /* gateway ::, on the link */
	struct netif *netif;
	uint64_t expires_ms;          /* FOREVER_MS: never */
	uint8_t prefix_len, protocol; /* RTPROT_ */
};
/* Add, or renew the lifetime of, a route; expires_ms 0 takes it away.  -ENOBUFS. */
int route6_add(const struct route6_entry *r);
bool route6_at(unsigned position, struct route6_entry *out);
/* route_find() of an address that is not IPv4's. */
int route6_find(const struct ip_addr *to, unsigned netif_index, struct route *out) must_check;
