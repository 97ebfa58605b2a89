/*
 * Routes and the addresses of interfaces.  A machine has a handful of routes, so the table is an array sorted
 * by prefix length; sockets keep what they found and look again only when `generation` moved.
 */
#include "kernel/net/route.h"

#include "kernel/lib/string.h"
#include "kernel/net/address6.h"
#include "kernel/net/arp.h"
#include "kernel/net/dhcp.h"
#include "kernel/net/ip6.h"
#include "kernel/net/nd.h"
#include "kernel/net/net.h"
#include "kernel/net/wheel.h"
#include "kernel/sched/wait.h"

#define ROUTES_MAX 32u
#define SMALL_PATHS 16u
#define MTU_MIN 552u             /* as Linux: less is a lie (RFC 1191 attack) */
#define PATH_LIFETIME_MS 600000u /* RFC 1191 6.3 */
#define WAIT_FOR_DHCP_NS (10 * NS_PER_S)
#define WAIT_FOR_ROUTER_NS NS_PER_S

static struct spinlock lock;
static _Atomic uint32_t generation = 1;
/* under lock: */
static struct route_entry routes[ROUTES_MAX];
static unsigned n_routes;

/* Destinations behind a smaller MTU. under lock: */
static struct small_path {
	struct ip_addr to;
	uint16_t mtu;
	uint64_t expires_ms;
} small_paths[SMALL_PATHS];
static unsigned next_small_path;
static atomic_bool any_small_path;

static struct wait_queue settled = {.waiters = LIST_INIT(settled.waiters)};

void routes_changed(void)
{
	atomic_fetch_add_explicit(&generation, 1, memory_order_release);
}

int route_add(uint32_t destination, uint32_t mask, uint32_t gateway, struct netif *n)
{
	int err = -ENOBUFS;
	irq_state irq = spin_lock(&lock);
	if (n_routes < ROUTES_MAX) {
		unsigned at = n_routes++;
		for (; at > 0 && be32_to_cpu(routes[at - 1].mask) < be32_to_cpu(mask); at--)
			routes[at] = routes[at - 1];
		routes[at] = (struct route_entry){destination & mask, mask, gateway, n};
		err = 0;
	}
	spin_unlock(&lock, irq);
	routes_changed();
	return err;
}

void route_drop_netif(const struct netif *n)
{
	irq_state irq = spin_lock(&lock);
	unsigned kept = 0;
	for (unsigned i = 0; i < n_routes; i++)
		if (routes[i].netif != n)
			routes[kept++] = routes[i];
	n_routes = kept;
	spin_unlock(&lock, irq);
	routes_changed();
}

bool route_at(unsigned position, struct route_entry *out)
{
	irq_state irq = spin_lock(&lock);
	bool there = position < n_routes;
	if (there)
		*out = routes[position];
	spin_unlock(&lock, irq);
	return there;
}

struct interface *interface_of_v4(uint32_t v4)
{
	if (v4_is_loopback(v4))
		return netif_interface(&loopback);
	for (struct netif *n = NULL; v4 != 0 && (n = netif_next(n));)
		if (netif_interface(n)->v4 == v4)
			return netif_interface(n);
	return NULL;
}

bool address_is_local(const struct ip_addr *a)
{
	return ip_is_v4(a) ? interface_of_v4(ip_v4(a)) != NULL : address6_is_ours(a, NULL);
}

bool v4_is_broadcast(const struct interface *i, uint32_t v4)
{
	return v4 == UINT32_MAX || (i->broadcast != 0 && v4 == i->broadcast) ||
	       (i->v4 != 0 && v4 == (i->v4 & i->mask) && ~i->mask > cpu_to_be32(1));
}

int interface_configure(struct interface *i, uint32_t v4, uint32_t mask)
{
	route_drop_netif(i->netif);
	i->v4 = v4;
	i->mask = mask;
	/* A /31 or /32 has no broadcast address (RFC 3021). */
	bool has_broadcast = v4 != 0 && be32_to_cpu(~mask) > 1;
	i->broadcast = has_broadcast ? v4 | ~mask : 0;
	routes_changed();
	if (v4 == 0 || mask == UINT32_MAX || i->netif->flags & NETIF_LOOPBACK)
		return 0;
	return route_add(v4, mask, 0, i->netif);
}

/* The interface for broadcasts and multicasts that name none. */
static struct netif *first_configured(unsigned netif_index)
{
	for (struct netif *n = NULL; (n = netif_next(n));) {
		if (netif_index ? n->index == netif_index
				: !(n->flags & NETIF_LOOPBACK) && netif_interface(n)->v4 != 0)
			return n;
	}
	return NULL;
}

static int find_local(const struct ip_addr *to, struct route *out)
{
	out->netif = &loopback;
	out->kind = ROUTE_LOCAL;
	out->source = *to;
	return 0;
}

static int find_group(uint32_t to, enum route_kind kind, unsigned netif_index, struct route *out)
{
	struct netif *n = first_configured(netif_index);
	struct netif *at;
	for (unsigned i = 0; kind == ROUTE_BROADCAST && !netif_index && (at = netif_at(i)); i++)
		if (netif_interface(at)->broadcast == to)
			n = at;
	if (!n)
		return -ENETUNREACH;
	out->netif = n;
	out->kind = kind;
	out->source = ip_from_v4(netif_interface(n)->v4);
	return 0;
}

static bool is_subnet_broadcast(uint32_t to)
{
	for (struct netif *n = NULL; (n = netif_next(n));)
		if (to == netif_interface(n)->broadcast && to != 0)
			return true;
	return false;
}

static int find_remote(uint32_t to, unsigned netif_index, struct route *out)
{
	struct route_entry found = {.netif = NULL};
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < n_routes && !found.netif; i++)
		if ((to & routes[i].mask) == routes[i].destination &&
			(netif_index == 0 || routes[i].netif->index == netif_index))
			found = routes[i];
	spin_unlock(&lock, irq);
	if (!found.netif)
		return -ENETUNREACH;
	out->netif = found.netif;
	out->kind = ROUTE_UNICAST;
	out->source = ip_from_v4(netif_interface(found.netif)->v4);
	if (found.netif->flags & NETIF_LOOPBACK)
		return 0;
	struct ip_addr hop = ip_from_v4(found.gateway ? found.gateway : to);
	out->neighbour = neighbour_get(found.netif, &hop);
	return out->neighbour ? 0 : -ENOMEM;
}

static uint16_t path_mtu(const struct ip_addr *to, uint16_t mtu)
{
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < SMALL_PATHS; i++)
		if (ip_equal(&small_paths[i].to, to) && small_paths[i].expires_ms > now_ms())
			mtu = min(mtu, small_paths[i].mtu);
	spin_unlock(&lock, irq);
	return mtu;
}

int route_find(const struct ip_addr *to, unsigned netif_index, struct route *out)
{
	memset(out, 0, sizeof(*out));
	out->generation = generation;
	uint32_t v4 = ip_v4(to);
	int err;
	if (!ip_is_v4(to))
		err = route6_find(to, netif_index, out);
	else if (address_is_local(to))
		err = find_local(to, out);
	else if (v4_is_multicast(v4))
		err = find_group(v4, ROUTE_MULTICAST, netif_index, out);
	else if (v4 == UINT32_MAX || is_subnet_broadcast(v4))
		err = find_group(v4, ROUTE_BROADCAST, netif_index, out);
	else
		err = find_remote(v4, netif_index, out);
	if (err < 0)
		return err;
	out->mtu = out->netif->mtu;
	if (!ip_is_v4(to) && netif_interface(out->netif)->mtu6)
		out->mtu = min(out->mtu, netif_interface(out->netif)->mtu6);
	if (unlikely(any_small_path))
		out->mtu = path_mtu(to, out->mtu);
	return 0;
}

int route_find_wait(const struct ip_addr *to, unsigned netif_index, struct route *out)
{
	int err = route_find(to, netif_index, out);
	if (err != -ENETUNREACH && err != -EADDRNOTAVAIL)
		return err;
	if (!ip_is_v4(to) && nd_pending())
		(void)wait_event_interruptible(&settled, EVENTS_ALL, !nd_pending(),
			clock_monotonic_ns() + WAIT_FOR_ROUTER_NS);
	else if (ip_is_v4(to) && dhcp_pending())
		interfaces_wait();
	else
		return err;
	return route_find(to, netif_index, out);
}

void route_release(struct route *r)
{
	if (r->neighbour)
		neighbour_put(r->neighbour);
	r->neighbour = NULL;
	r->netif = NULL;
}

bool route_valid(const struct route *r)
{
	return likely(r->netif != NULL) &&
	       r->generation == atomic_load_explicit(&generation, memory_order_acquire);
}

void route_mtu_reduce(const struct ip_addr *to, uint16_t mtu)
{
	mtu = max(mtu, (uint16_t)(ip_is_v4(to) ? MTU_MIN : IP6_MTU_MIN));
	irq_state irq = spin_lock(&lock);
	struct small_path *path = NULL;
	for (unsigned i = 0; i < SMALL_PATHS; i++)
		if (ip_equal(&small_paths[i].to, to))
			path = &small_paths[i];
	if (!path)
		path = &small_paths[next_small_path++ % SMALL_PATHS];
	*path = (struct small_path){*to, mtu, now_ms() + PATH_LIFETIME_MS};
	any_small_path = true;
	spin_unlock(&lock, irq);
	routes_changed();
}

void interfaces_wait(void)
{
	if (dhcp_pending())
		(void)wait_event_interruptible(&settled, EVENTS_ALL, !dhcp_pending(),
			clock_monotonic_ns() + WAIT_FOR_DHCP_NS);
}

void interfaces_settled(void)
{
	wait_wake(&settled, EVENTS_ALL);
}
