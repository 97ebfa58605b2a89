/* The machine's network as ip= or DHCP has it: addresses go to the interfaces, the rest is kept here. */
#pragma once

#include "kernel/lib/base.h"

#define NAME_SERVERS_MAX 3u
void configure_name_servers6(
	const uint8_t *addresses, size_t n); /* of 16 bytes each, in any place */
void configure_names(const uint32_t *servers, unsigned n, const char *host);
