/* The Internet checksum, RFC 1071.  Sums are unfolded, in memory byte order: they may be added. */
#pragma once

#include "kernel/net/address.h"

struct packet;

/* Continue sum over n bytes that start at an even position of the whole. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t n);

static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffffu) + (sum >> 16);
	sum = (sum & 0xffffu) + (sum >> 16);
	return (uint16_t)sum;
}

static inline uint16_t checksum_final(uint64_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

/* Of addresses, protocol and transport length. */
uint64_t checksum_pseudo(
	const struct ip_addr *a, const struct ip_addr *b, uint8_t protocol, uint32_t len);
/* Of everything in p from offset (from the start of data) on, fragments included. */
uint64_t checksum_packet(const struct packet *p, uint32_t offset);
