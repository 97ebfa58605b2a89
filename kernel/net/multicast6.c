/* Who joined which IPv6 group on which interface, and telling the link's routers (MLDv2, RFC 3810; any source only). */
#include "kernel/lib/string.h"
#include "kernel/net/address6.h"
#include "kernel/net/checksum.h"
#include "kernel/net/ethernet.h"
#include "kernel/net/ip6.h"
#include "kernel/net/multicast.h"
#include "kernel/net/net.h"

#define MEMBERSHIPS_MAX 32u
#define MODE_IS_EXCLUDE 2u
#define CHANGE_TO_INCLUDE 3u
#define CHANGE_TO_EXCLUDE 4u

static struct membership6 {
	struct netif *netif;
	struct ip_addr group;
	unsigned n; /* joined so many times; 0: free */
} memberships[MEMBERSHIPS_MAX];
static struct spinlock lock; /* guards memberships */

/* One record behind the header of a report, RFC 3810 5.2. */
struct report {
	uint8_t hop_by_hop[8]; /* with the router alert that RFC 3810 5 demands */
	uint8_t type, code;
	uint16_t checksum, reserved, n_records;
	uint8_t record_type, aux_len;
	uint16_t n_sources;
	struct ip_addr group;
} packed;
#define REPORT_START offsetof(struct report, type)

static void send(struct netif *n, const struct ip_addr *group, uint8_t record_type)
{
	static const struct ip_addr routers = {.bytes = {0xff, 2, [15] = 0x16}};
	struct ip_addr from = {0}; /* RFC 3590: until there is an address */
	if (n->flags & NETIF_LOOPBACK || (group->bytes[1] & 15) < 2)
		return;
	(void)address6_link_local(n, &from);
	struct packet *p = packet_alloc(sizeof(struct report));
	if (!p)
		return;
	struct report *r = (struct report *)packet_data(p);
	*r = (struct report){.hop_by_hop = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0},
		.type = ICMP6_LISTENER_REPORT2,
		.n_records = cpu_to_be16(1),
		.record_type = record_type,
		.group = *group};
	uint32_t len = sizeof(*r) - REPORT_START;
	uint64_t sum = checksum_pseudo(&from, &routers, IPPROTO_ICMPV6, len);
	r->checksum = checksum_final(checksum_add(sum, &r->type, len));
	p->len = sizeof(*r);
	struct ip_send s = {.from = from, .to = routers, .protocol = IP6_HOP_BY_HOP, .ttl = 1};
	struct route route = {.netif = n, .kind = ROUTE_MULTICAST, .mtu = n->mtu};
	(void)ip6_output(p, &route, &s);
}

void multicast6_report(struct netif *n, const struct ip_addr *group)
{
	send(n, group, CHANGE_TO_EXCLUDE);
}

/* lock held. */
static struct membership6 *find(const struct netif *n, const struct ip_addr *group)
{
	for (unsigned at = 0; at < MEMBERSHIPS_MAX; at++) {
		struct membership6 *m = &memberships[at];
		if (m->n > 0 && m->netif == n && ip_equal(&m->group, group))
			return m;
	}
	return NULL;
}

int multicast6_join(struct netif *n, const struct ip_addr *group)
{
	bool fresh = false;
	irq_state irq = spin_lock(&lock);
	struct membership6 *m = find(n, group);
	for (unsigned at = 0; !m && at < MEMBERSHIPS_MAX; at++) {
		if (memberships[at].n == 0) {
			m = &memberships[at];
			*m = (struct membership6){n, *group, 0};
			fresh = true;
		}
	}
	if (m)
		m->n++;
	spin_unlock(&lock, irq);
	if (fresh)
		send(n, group, CHANGE_TO_EXCLUDE);
	return m ? 0 : -ENOBUFS;
}

int multicast6_leave(struct netif *n, const struct ip_addr *group)
{
	irq_state irq = spin_lock(&lock);
	struct membership6 *m = find(n, group);
	bool last = m && --m->n == 0;
	spin_unlock(&lock, irq);
	if (last)
		send(n, group, CHANGE_TO_INCLUDE);
	return m ? 0 : -EADDRNOTAVAIL;
}

bool multicast6_accepts(const struct netif *n, const struct ip_addr *group)
{
	static const struct ip_addr all_here = {.bytes = {0xff, 1, [15] = 1}},
				    all_nodes = {.bytes = {0xff, 2, [15] = 1}};
	if (ip_equal(group, &all_nodes) || ip_equal(group, &all_here) ||
		address6_solicited(n, group))
		return true;
	irq_state irq = spin_lock(&lock);
	bool joined = find(n, group);
	spin_unlock(&lock, irq);
	return joined;
}

/* Answered at once, as IGMP's. */
void multicast6_query(struct packet *p, const struct ip_info *ip)
{
	struct netif *n = p->netif;
	struct ip_addr asked, groups[MEMBERSHIPS_MAX];
	unsigned n_groups = 0;
	/* RFC 3810 6.2: from this link. */
	if (p->len < 24 || ip->ttl != 1 || !ip6_is_link_local(&ip->source))
		return;
	memcpy(&asked, packet_data(p) + 8, sizeof(asked));
	irq_state irq = spin_lock(&lock);
	for (unsigned at = 0; at < MEMBERSHIPS_MAX; at++) {
		const struct membership6 *m = &memberships[at];
		if (m->n > 0 && m->netif == n &&
			(ip6_is_any(&asked) || ip_equal(&asked, &m->group)))
			groups[n_groups++] = m->group;
	}
	spin_unlock(&lock, irq);
	for (unsigned at = 0; at < n_groups; at++)
		send(n, &groups[at], MODE_IS_EXCLUDE);
	struct address6 a;
	for (unsigned at = 0; address6_at(at, &a); at++) {
		struct ip_addr group = ip6_solicited_group(&a.ip);
		if (a.netif == n && (ip6_is_any(&asked) || ip_equal(&asked, &group)))
			send(n, &group, MODE_IS_EXCLUDE);
	}
}
