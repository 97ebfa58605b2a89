/* Neighbour discovery and addresses by router advertisements: RFC 4861, 4862, 8106. */
#pragma once

#include "kernel/net/ip.h"

/* Give n a link-local address and ask for routers; -ENOMEM.  Once per interface. */
int nd_start(struct netif *n) must_check;
/* Is a router's first answer still likely to come? */
bool nd_pending(void);
/* An address of n's own (static or by DHCPv6) with its checks and its group: struct address6 without the flags. */
struct address6;
int nd_add_address(const struct address6 *a) must_check;

#define ND_ROUTER_SOLICITATION 133u
#define ND_ROUTER_ADVERTISEMENT 134u
#define ND_SOLICITATION 135u
#define ND_ADVERTISEMENT 136u
#define ND_REDIRECT 137u
/* ICMPv6 types 133 to 137, checksum right; p stays the caller's. */
void nd_input(struct packet *p, const struct ip_info *ip);
/* Who has ip?  mac: the one we believe has it; NULL: ask all. */
void nd_solicit(struct netif *n, const struct ip_addr *ip, const uint8_t *mac);
