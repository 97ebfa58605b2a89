/* The DHCPv4 client (RFC 2131): on timers and received packets, without a thread. */
#pragma once

#include "kernel/net/ip.h"

int dhcp_start(struct interface *i) must_check;
/* Does i wait for an answer, which may come to an address it does not have yet? */
bool dhcp_wants(const struct interface *i);
/* Is an exchange under way that will settle soon? */
bool dhcp_pending(void);
/* A UDP packet to port 68, data at the UDP payload; p stays the caller's. */
void dhcp_input(struct netif *n, const uint8_t *data, size_t len);

#define DHCP_CLIENT_PORT 68u
#define DHCP_SERVER_PORT 67u
