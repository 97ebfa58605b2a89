/* IPv4 multicast membership (RFC 1112) and its reports (IGMPv2, RFC 2236). */
#pragma once

#include "kernel/net/ip.h"

/* Counted per interface. -ENOBUFS: too many groups. */
int multicast_join(struct interface *i, uint32_t group) must_check;
int multicast_leave(struct interface *i, uint32_t group); /* -EADDRNOTAVAIL */
bool multicast_accepts(const struct interface *i, uint32_t group);
void igmp_input(struct packet *p, const struct ip_info *ip);

/* kernel/net/multicast6.c: the same of IPv6 (MLDv2, RFC 3810). */
int multicast6_join(struct netif *n, const struct ip_addr *group) must_check;
int multicast6_leave(struct netif *n, const struct ip_addr *group);
bool multicast6_accepts(const struct netif *n, const struct ip_addr *group);
/* Tell routers and switches about a group that an address of ours implies. */
void multicast6_report(struct netif *n, const struct ip_addr *group);
void multicast6_query(struct packet *p, const struct ip_info *ip);
