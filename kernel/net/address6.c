/* IPv6 addresses of the machine, one small table for all interfaces, and the choice among them (RFC 6724). */
#include "kernel/net/address6.h"

#include "kernel/lib/string.h"
#include "kernel/net/wheel.h"

#define ADDRESSES_MAX 24u

static struct spinlock lock;
/* under lock: */
static struct address6 addresses[ADDRESSES_MAX];

static bool alive(const struct address6 *a, uint64_t now)
{
	return a->netif && (a->valid_ms == FOREVER_MS || a->valid_ms > now);
}

/* lock held. */
static struct address6 *find(const struct netif *n, const struct ip_addr *ip)
{
	uint64_t now = now_ms();
	for (unsigned i = 0; i < ADDRESSES_MAX; i++) {
		struct address6 *a = &addresses[i];
		if (a->netif && ip_equal(&a->ip, ip) && (!n || a->netif == n) && alive(a, now))
			return a;
	}
	return NULL;
}

int address6_add(const struct address6 *a, bool *fresh)
{
	int err = 0;
	irq_state irq = spin_lock(&lock);
	struct address6 *at = find(a->netif, &a->ip);
	*fresh = !at;
	for (unsigned i = 0; !at && i < ADDRESSES_MAX; i++)
		if (!alive(&addresses[i], now_ms()))
			at = &addresses[i];
	if (!at) {
		err = -ENOBUFS;
	} else if (*fresh) {
		*at = *a;
	} else {
		at->preferred_ms = a->preferred_ms;
		at->valid_ms = a->valid_ms;
	}
	spin_unlock(&lock, irq);
	if (*fresh)
		routes_changed();
	return err;
}

void address6_remove(const struct netif *n, const struct ip_addr *ip)
{
	irq_state irq = spin_lock(&lock);
	struct address6 *a = find(n, ip);
	if (a)
		a->netif = NULL;
	spin_unlock(&lock, irq);
	routes_changed();
}

bool address6_is_ours(const struct ip_addr *ip, const struct netif *n)
{
	irq_state irq = spin_lock(&lock);
	bool ours = find(n, ip);
	spin_unlock(&lock, irq);
	return ours;
}

void address6_confirm(const struct netif *n)
{
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < ADDRESSES_MAX; i++)
		if (addresses[i].netif == n)
			addresses[i].flags &= (uint8_t)~ADDRESS6_TENTATIVE;
	spin_unlock(&lock, irq);
}

bool address6_at(unsigned position, struct address6 *out)
{
	if (position >= ADDRESSES_MAX)
		return false;
	irq_state irq = spin_lock(&lock);
	*out = addresses[position];
	if (!alive(out, now_ms()))
		out->netif = NULL;
	spin_unlock(&lock, irq);
	return true;
}

bool address6_get(const struct netif *n, const struct ip_addr *ip, struct address6 *out)
{
	irq_state irq = spin_lock(&lock);
	const struct address6 *a = find(n, ip);
	if (a)
		*out = *a;
	spin_unlock(&lock, irq);
	return a != NULL;
}

static unsigned common_prefix(const struct ip_addr *a, const struct ip_addr *b)
{
	unsigned len = 0;
	while (len < 128 && ip_prefix_equal(a, b, len + 1))
		len++;
	return len;
}

/* link-local (and group of the link): 2; unique local and site-local: 5; else 14, RFC 6724 3.1. */
static unsigned scope_of(const struct ip_addr *ip)
{
	if (ip6_is_multicast(ip))
		return ip->bytes[1] & 15u;
	return ip6_is_link_local(ip) || ip6_is_loopback(ip) ? 2 : ip->bytes[0] == 0xfe ? 5 : 14;
}

/* RFC 6724 5, rules 2, 3 and 8, as one number: more is better. */
static unsigned rank(const struct address6 *a, const struct ip_addr *to, uint64_t now)
{
	unsigned wanted = scope_of(to), has = scope_of(&a->ip);
	unsigned scope = has >= wanted ? 32 - has : has; /* the smallest that reaches */
	bool preferred = a->preferred_ms == FOREVER_MS || a->preferred_ms > now;
	return 1 + scope * 512 + preferred * 256u + common_prefix(&a->ip, to);
}

bool address6_choose(const struct netif *n, const struct ip_addr *to, struct ip_addr *out)
{
	unsigned best = 0;
	uint64_t now = now_ms();
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < ADDRESSES_MAX; i++) {
		const struct address6 *a = &addresses[i];
		if (a->netif != n || !alive(a, now) || rank(a, to, now) <= best)
			continue;
		best = rank(a, to, now);
		*out = a->ip;
	}
	spin_unlock(&lock, irq);
	return best > 0;
}

bool address6_link_local(const struct netif *n, struct ip_addr *out)
{
	bool found = false;
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < ADDRESSES_MAX && !found; i++) {
		found = addresses[i].netif == n && ip6_is_link_local(&addresses[i].ip);
		if (found)
			*out = addresses[i].ip;
	}
	spin_unlock(&lock, irq);
	return found;
}

struct ip_addr ip6_solicited_group(const struct ip_addr *ip)
{
	struct ip_addr group = {.bytes = {0xff, 2, [11] = 1, [12] = 0xff}};
	memcpy(group.bytes + 13, ip->bytes + 13, 3);
	return group;
}

bool address6_solicited(const struct netif *n, const struct ip_addr *group)
{
	bool found = false;
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < ADDRESSES_MAX && !found; i++) {
		struct ip_addr its = ip6_solicited_group(&addresses[i].ip);
		found = addresses[i].netif == n && ip_equal(&its, group);
	}
	spin_unlock(&lock, irq);
	return found;
}

unsigned address6_scope(const struct ip_addr *ip)
{
	unsigned own = 0, first = 0;
	irq_state irq = spin_lock(&lock);
	for (unsigned i = 0; i < ADDRESSES_MAX; i++) {
		const struct address6 *a = &addresses[i];
		if (!a->netif || !ip6_is_link_local(&a->ip))
			continue;
		if (ip_equal(&a->ip, ip))
			own = a->netif->index;
		else if (first == 0)
			first = a->netif->index;
	}
	spin_unlock(&lock, irq);
	return own ? own : first;
}
