/*
 * The name server of a private network, at 10.0.2.3: ARP (RFC 826) and DNS over UDP (RFC 1035).
 * NAME.mote and NAME are instances of the network; everything else is asked of this host's own
 * name server.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/loop.h"

struct private_dns;

/* send() takes a whole Ethernet frame for the network. */
struct private_dns *private_dns_open(struct loop *, const char *network,
	void (*send)(void *context, const uint8_t *frame, size_t len), void *context);

/* Every frame that may be for it: broadcast, or to its address. */
void private_dns_frame(struct private_dns *, const uint8_t *frame, size_t len);

extern const uint8_t private_dns_mac[6];
