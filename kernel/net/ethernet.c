/* Ethernet: which protocol a frame goes to, and the header of those we send. */
#include "kernel/net/ethernet.h"

#include "kernel/net/arp.h"
#include "kernel/net/ip6.h"
#include "kernel/net/net.h"

const uint8_t ethernet_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

int ethernet_output(struct netif *n, struct packet *p, const uint8_t to[6], uint16_t type)
{
	struct ethernet_header *h = (struct ethernet_header *)packet_push(p, sizeof(*h));
	__builtin_memcpy(h->to, to, 6);
	__builtin_memcpy(h->from, n->mac, 6);
	h->type = cpu_to_be16(type);
	if (p->flags & PACKET_CHECKSUM_PARTIAL)
		p->checksum_start += sizeof(*h);
	return net_transmit(n, p);
}

void ethernet_input(struct netif *n, struct packet *p)
{
	if (p->len < sizeof(struct ethernet_header)) {
		packet_free(p);
		return;
	}
	const struct ethernet_header *h = (const struct ethernet_header *)packet_data(p);
	/* A promiscuous link may show us frames for others. */
	bool group = h->to[0] & 1;
	uint16_t to[3], ours[3];
	__builtin_memcpy(to, h->to, 6);
	__builtin_memcpy(ours, n->mac, 6);
	if (unlikely(!group && (to[0] != ours[0] || to[1] != ours[1] || to[2] != ours[2]))) {
		packet_free(p);
		return;
	}
	uint16_t type = be16_to_cpu(h->type);
	packet_pull(p, sizeof(*h));
	if (likely(type == ETHERNET_IPV4))
		ip_input(n, p, group ? IP_LINK_GROUP : 0);
	else if (type == ETHERNET_IPV6)
		ip6_input(n, p, group ? IP_LINK_GROUP : 0);
	else if (type == ETHERNET_ARP)
		arp_input(n, p);
	else
		packet_free(p);
}
