/* Ethernet II frames. */
#pragma once

#include "kernel/dev/netif.h"
#include "kernel/lib/endian.h"

#define ETHERNET_IPV4 0x0800u
#define ETHERNET_ARP 0x0806u
#define ETHERNET_IPV6 0x86ddu

struct ethernet_header {
	uint8_t to[6], from[6];
	uint16_t type;
} packed;

extern const uint8_t ethernet_broadcast[6];

/* Prepend the header and transmit; takes p over. */
int ethernet_output(struct netif *n, struct packet *p, const uint8_t to[6], uint16_t type);
void ethernet_input(struct netif *n, struct packet *p);
