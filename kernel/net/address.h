/*
 * Internet addresses.  One type of 16 bytes carries both families, IPv4 as ::ffff:a.b.c.d, so that routing,
 * demultiplexing and TCP have one code path.  Bytes are in network order everywhere; ports in host order.
 */
#pragma once

#include "abi/linux/errno.h"
#include "abi/linux/in.h"
#include "abi/linux/socket.h"
#include "kernel/lib/base.h"
#include "kernel/lib/endian.h"
#include "kernel/net/socket.h"

struct ip_addr {
	union {
		uint8_t bytes[16];
		uint32_t words[4];
		uint64_t halves[2];
	};
};

/* One conversation, as the local side sees it. */
struct flow {
	struct ip_addr local, remote;
	uint16_t local_port, remote_port;
};

#define IP4(a, b, c, d) cpu_to_be32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define IP4_MAPPED_WORD cpu_to_be32(0xffffu)

static inline struct ip_addr ip_from_v4(uint32_t v4)
{
	return (struct ip_addr){.words = {0, 0, IP4_MAPPED_WORD, v4}};
}

static inline bool ip_is_v4(const struct ip_addr *a)
{
	return a->halves[0] == 0 && a->words[2] == IP4_MAPPED_WORD;
}

static inline uint32_t ip_v4(const struct ip_addr *a)
{
	return a->words[3];
}

static inline bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

/* The wildcard of either family. */
static inline bool ip_is_any(const struct ip_addr *a)
{
	return a->words[3] == 0 && a->halves[0] == 0 &&
	       (a->words[2] == 0 || a->words[2] == IP4_MAPPED_WORD);
}

static inline bool v4_is_loopback(uint32_t v4)
{
	return (v4 & IP4(255, 0, 0, 0)) == IP4(127, 0, 0, 0);
}

static inline bool v4_is_multicast(uint32_t v4)
{
	return (v4 & IP4(240, 0, 0, 0)) == IP4(224, 0, 0, 0);
}

static inline bool ip6_is_multicast(const struct ip_addr *a)
{
	return a->bytes[0] == 0xff;
}

static inline bool ip6_is_link_local(const struct ip_addr *a)
{
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static inline bool ip6_is_loopback(const struct ip_addr *a)
{
	return a->halves[0] == 0 && a->halves[1] == cpu_to_be64(1);
}

/* :: alone, not IPv4's wildcard. */
static inline bool ip6_is_any(const struct ip_addr *a)
{
	return a->halves[0] == 0 && a->halves[1] == 0;
}

/* Of either family. */
static inline bool ip_is_multicast(const struct ip_addr *a)
{
	return ip_is_v4(a) ? v4_is_multicast(a->words[3]) : ip6_is_multicast(a);
}

/* Do the first len (at most 128) bits agree? */
bool ip_prefix_equal(const struct ip_addr *a, const struct ip_addr *b, unsigned len);

/* Of a contiguous mask. */
static inline unsigned mask_length(uint32_t mask)
{
	return mask == 0 ? 0 : 32 - (unsigned)__builtin_ctz(be32_to_cpu(mask));
}

static inline bool flow_equal(const struct flow *a, const struct flow *b)
{
	return a->local_port == b->local_port && a->remote_port == b->remote_port &&
	       ip_equal(&a->remote, &b->remote) && ip_equal(&a->local, &b->local);
}

/* sockaddr_in or sockaddr_in6, as family says, to address and port.  -EINVAL: too short; -EAFNOSUPPORT: another family. */
int address_parse(
	const struct socket_address *a, int family, struct ip_addr *ip, uint16_t *port) must_check;
/* For AF_INET, ip is an IPv4 address. */
void address_format(struct socket_address *a, int family, const struct ip_addr *ip, uint16_t port);

/* Dotted decimal at *s, moving *s behind it; false: none there. */
bool v4_parse(const char **s, uint32_t *out) must_check;
#define V4_TEXT 16
void v4_text(char buf[V4_TEXT], uint32_t v4);

/* RFC 4291 2.2, without a zone; the rest as v4_parse. */
bool ip6_parse(const char **s, struct ip_addr *out) must_check;
#define IP6_TEXT 40
/* RFC 5952 4. */
void ip6_text(char buf[IP6_TEXT], const struct ip_addr *ip);

/* A hash no peer can predict: SipHash-1-3 under a secret made at start-up. */
void hash_init(void);
uint64_t hash_words(const uint64_t *words, unsigned n);
uint32_t flow_hash(const struct flow *f);
