/* IPv6 routes: few, so an array; the longest prefix wins, among equals the first (a default router stays the one). */
#include "kernel/lib/string.h"
#include "kernel/net/address6.h"
#include "kernel/net/arp.h"
#include "kernel/net/net.h"
#include "kernel/net/wheel.h"

#define ROUTES_MAX 24u

static struct spinlock lock;
/* under lock: */
static struct route6_entry routes[ROUTES_MAX]; /* netif NULL: free */

static bool alive(const struct route6_entry *r, uint64_t now)
{
	return r->netif && (r->expires_ms == FOREVER_MS || r->expires_ms > now);
}

static bool same(const struct route6_entry *a, const struct route6_entry *b)
{
	return a->netif == b->netif && a->prefix_len == b->prefix_len &&
	       ip_equal(&a->destination, &b->destination) && ip_equal(&a->gateway, &b->gateway);
}

int route6_add(const struct route6_entry *r)
{
	struct route6_entry *at = NULL;
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < ROUTES_MAX && !at; i++)
		if (same(&routes[i], r))
			at = &routes[i];
	for (unsigned i = 0; i < ROUTES_MAX && !at && r->expires_ms != 0; i++)
		if (!alive(&routes[i], now_ms()))
			at = &routes[i];
	bool moved = at && (!same(at, r) || r->expires_ms == 0 || !alive(at, now_ms()));
	if (at)
		*at = *r;
	if (at && r->expires_ms == 0)
		at->netif = NULL;
	spin_unlock(&lock, irq);
	if (moved)
		routes_changed();
	return at || r->expires_ms == 0 ? 0 : -ENOBUFS;
}

bool route6_at(unsigned position, struct route6_entry *out)
{
	if (position >= ROUTES_MAX)
		return false;
	irq_state irq = spin_lock(&lock);
	*out = routes[position];
	if (!alive(out, now_ms()))
		out->netif = NULL;
	spin_unlock(&lock, irq);
	return true;
}

static bool lookup(const struct ip_addr *to, unsigned netif_index, struct route6_entry *out)
{
	int best = -1;
	uint64_t now = now_ms();
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < ROUTES_MAX; i++) {
		const struct route6_entry *r = &routes[i];
		if (!alive(r, now) || (netif_index && r->netif->index != netif_index) ||
			r->prefix_len <= best ||
			!ip_prefix_equal(&r->destination, to, r->prefix_len))
			continue;
		best = r->prefix_len;
		*out = *r;
	}
	spin_unlock(&lock, irq);
	return best >= 0;
}

/* Of the link's own addresses and groups: the interface asked for, else the first that has an address. */
static struct netif *link_netif(unsigned netif_index)
{
	struct ip_addr ignored;
	struct netif *n;
	for (unsigned i = 0; (n = netif_at(i)); i++)
		if (netif_index ? n->index == netif_index
				: !(n->flags & NETIF_LOOPBACK) && address6_link_local(n, &ignored))
			return n;
	return NULL;
}

static int find_on_link(const struct ip_addr *to, unsigned netif_index, struct route *out)
{
	out->netif = link_netif(netif_index);
	if (!out->netif || !address6_choose(out->netif, to, &out->source))
		return -ENETUNREACH;
	out->kind = ip6_is_multicast(to) ? ROUTE_MULTICAST : ROUTE_UNICAST;
	if (out->kind == ROUTE_MULTICAST || out->netif->flags & NETIF_LOOPBACK)
		return 0;
	out->neighbour = neighbour_get(out->netif, to);
	return out->neighbour ? 0 : -ENOMEM;
}

int route6_find(const struct ip_addr *to, unsigned netif_index, struct route *out)
{
	struct route6_entry r = {.netif = NULL};
	if (address6_is_ours(to, NULL)) {
		out->netif = &loopback;
		out->kind = ROUTE_LOCAL;
		out->source = *to;
		return 0;
	}
	if (ip6_is_multicast(to) || ip6_is_link_local(to))
		return find_on_link(to, netif_index, out);
	if (!lookup(to, netif_index, &r))
		return -ENETUNREACH;
	if (!address6_choose(r.netif, to, &out->source))
		return -EADDRNOTAVAIL;
	out->netif = r.netif;
	out->kind = ROUTE_UNICAST;
	out->neighbour = neighbour_get(r.netif, ip6_is_any(&r.gateway) ? to : &r.gateway);
	return out->neighbour ? 0 : -ENOMEM;
}
