/* ICMP echo sockets: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), icmp(7). */
#pragma once

#include "kernel/net/ip.h"

/* An echo reply, data at the ICMP header; p stays the caller's. */
void ping_input(const struct packet *p, const struct ip_info *ip);
extern const struct protocol ping_protocol;
