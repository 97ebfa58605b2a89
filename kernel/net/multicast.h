/* IPv4 multicast membership (RFC 1112) and its reports (IGMPv2, RFC 2236). */
#pragma once

#include "kernel/net/ip.h"

/* Counted per interface. -ENOBUFS: too many groups. */
int multicast_join(struct interface *i, uint32_t group) must_check;
int multicast_leave(struct interface *i, uint32_t group); /* -EADDRNOTAVAIL */
bool multicast_accepts(const struct interface *i, uint32_t group);
void igmp_input(struct packet *p, const struct ip_info *ip);
