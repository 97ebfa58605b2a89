/* Who joined which IPv4 group on which interface, and telling the link's routers (IGMPv2, RFC 2236). */
#include "kernel/net/multicast.h"

#include "kernel/lib/string.h"
#include "kernel/net/checksum.h"
#include "kernel/net/net.h"

#define MEMBERSHIPS_MAX 64u
#define ALL_HOSTS IP4(224, 0, 0, 1)
#define ALL_ROUTERS IP4(224, 0, 0, 2)
#define IGMP_QUERY 0x11u
#define IGMP_REPORT 0x16u
#define IGMP_LEAVE 0x17u

static struct membership {
	struct interface *interface;
	uint32_t group;
	unsigned n; /* joined so many times; 0: free */
} memberships[MEMBERSHIPS_MAX];
static struct spinlock lock; /* guards memberships */

struct igmp_message {
	uint8_t type, max_response;
	uint16_t checksum;
	uint32_t group;
} packed;

static struct membership *find(const struct interface *i, uint32_t group)
{
	for (unsigned at = 0; at < MEMBERSHIPS_MAX; at++) {
		struct membership *m = &memberships[at];
		if (m->n > 0 && m->interface == i && m->group == group)
			return m;
	}
	return NULL;
}

static void send(struct interface *i, uint8_t type, uint32_t group, uint32_t to)
{
	if (i->netif->flags & NETIF_LOOPBACK || group == ALL_HOSTS)
		return;
	struct packet *p = packet_alloc(sizeof(struct igmp_message));
	if (!p)
		return;
	struct igmp_message *m = (struct igmp_message *)packet_data(p);
	*m = (struct igmp_message){.type = type, .group = group};
	m->checksum = checksum_final(checksum_add(0, m, sizeof(*m)));
	p->len = sizeof(*m);
	struct ip_send s = {.from = ip_from_v4(i->v4),
		.to = ip_from_v4(to),
		.protocol = IPPROTO_IGMP,
		.ttl = 1,
		.tos = 0xc0};
	struct route r = {.netif = i->netif, .kind = ROUTE_MULTICAST, .mtu = i->netif->mtu};
	(void)ip_output(p, &r, &s);
}

int multicast_join(struct interface *i, uint32_t group)
{
	bool fresh = false;
	irq_state irq = spin_lock(&lock);
	struct membership *m = find(i, group);
	for (unsigned at = 0; !m && at < MEMBERSHIPS_MAX; at++) {
		if (memberships[at].n == 0) {
			m = &memberships[at];
			*m = (struct membership){i, group, 0};
			fresh = true;
		}
	}
	if (m)
		m->n++;
	spin_unlock(&lock, irq);
	if (fresh)
		send(i, IGMP_REPORT, group, group);
	return m ? 0 : -ENOBUFS;
}

int multicast_leave(struct interface *i, uint32_t group)
{
	irq_state irq = spin_lock(&lock);
	struct membership *m = find(i, group);
	bool last = m && --m->n == 0;
	spin_unlock(&lock, irq);
	if (last)
		send(i, IGMP_LEAVE, group, ALL_ROUTERS);
	return m ? 0 : -EADDRNOTAVAIL;
}

bool multicast_accepts(const struct interface *i, uint32_t group)
{
	if (group == ALL_HOSTS)
		return true;
	irq_state irq = spin_lock(&lock);
	bool joined = find(i, group);
	spin_unlock(&lock, irq);
	return joined;
}

/* Answered at once: with one machine behind the link's port there is nothing to spread over time. */
void igmp_input(struct packet *p, const struct ip_info *ip)
{
	(void)ip;
	struct interface *i = netif_interface(p->netif);
	const struct igmp_message *m = (const struct igmp_message *)packet_data(p);
	uint32_t groups[MEMBERSHIPS_MAX];
	unsigned n = 0;
	if (p->len < sizeof(*m) || m->type != IGMP_QUERY ||
		checksum_final(checksum_add(0, m, p->len)) != 0)
		goto done;
	irq_state irq = spin_lock(&lock);
	for (unsigned at = 0; at < MEMBERSHIPS_MAX; at++) {
		const struct membership *known = &memberships[at];
		if (known->n > 0 && known->interface == i &&
			(m->group == 0 || m->group == known->group))
			groups[n++] = known->group;
	}
	spin_unlock(&lock, irq);
	for (unsigned at = 0; at < n; at++)
		send(i, IGMP_REPORT, groups[at], groups[at]);
done:
	packet_free(p);
}
