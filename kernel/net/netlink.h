/* AF_NETLINK, of which NETLINK_ROUTE's questions are answered: interfaces, addresses, routes. */
#pragma once

#include "kernel/net/protocol.h"

extern const struct protocol netlink_datagram_protocol, netlink_raw_protocol;
