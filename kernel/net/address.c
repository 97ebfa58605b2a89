/* Addresses in and out of sockaddr and text, and the keyed hash over them (SipHash, Aumasson and Bernstein 2012). */
#include "kernel/net/address.h"

#include "kernel/lib/format.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/net/address6.h"

static uint64_t hash_key[2];

static int parse6(const struct socket_address *a, struct ip_addr *ip, uint16_t *port)
{
	struct linux_sockaddr_in6 in;
	if (a->len < SIN6_LEN_RFC2133)
		return -EINVAL;
	memcpy(&in, a->bytes, SIN6_LEN_RFC2133);
	if (in.sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(ip->bytes, in.sin6_addr, sizeof(ip->bytes));
	*port = be16_to_cpu(in.sin6_port);
	return 0;
}

int address_parse(const struct socket_address *a, int family, struct ip_addr *ip, uint16_t *port)
{
	if (family == AF_INET6)
		return parse6(a, ip, port);
	struct linux_sockaddr_in in;
	if (a->len < sizeof(in))
		return -EINVAL;
	memcpy(&in, a->bytes, sizeof(in));
	if (in.sin_family != AF_INET)
		return -EAFNOSUPPORT;
	*ip = ip_from_v4(in.sin_addr);
	*port = be16_to_cpu(in.sin_port);
	return 0;
}

static void format6(struct socket_address *a, const struct ip_addr *ip, uint16_t port)
{
	struct linux_sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = cpu_to_be16(port)};
	memcpy(in.sin6_addr, ip->bytes, sizeof(in.sin6_addr));
	if (!ip_is_v4(ip) && ip6_is_link_local(ip))
		in.sin6_scope_id = address6_scope(ip);
	memcpy(a->bytes, &in, sizeof(in));
	a->len = sizeof(in);
}

void address_format(struct socket_address *a, int family, const struct ip_addr *ip, uint16_t port)
{
	if (family == AF_INET6) {
		format6(a, ip, port);
		return;
	}
	struct linux_sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = cpu_to_be16(port),
		.sin_addr = ip_v4(ip),
	};
	memcpy(a->bytes, &in, sizeof(in));
	a->len = sizeof(in);
}

bool v4_parse(const char **s, uint32_t *out)
{
	const char *at = *s;
	uint32_t v4 = 0;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t byte;
		if ((i > 0 && *at++ != '.') || !string_parse_u64(&at, &byte) || byte > 255)
			return false;
		v4 = v4 << 8 | (uint32_t)byte;
	}
	*s = at;
	*out = cpu_to_be32(v4);
	return true;
}

void v4_text(char buf[V4_TEXT], uint32_t v4)
{
	const uint8_t *b = (const uint8_t *)&v4;
	format(buf, V4_TEXT, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

bool ip_prefix_equal(const struct ip_addr *a, const struct ip_addr *b, unsigned len)
{
	unsigned n = len / 8, rest = len % 8;
	if (memcmp(a->bytes, b->bytes, n) != 0)
		return false;
	return rest == 0 || (uint8_t)((a->bytes[n] ^ b->bytes[n]) >> (8 - rest)) == 0;
}

/* One to four hexadecimal digits. */
static bool parse_group(const char **s, uint16_t *out)
{
	unsigned n = 0, x = 0;
	for (; n < 4; n++, ++*s) {
		unsigned c = (uint8_t) * *s, letter = c | 32;
		if (c >= '0' && c <= '9')
			x = x << 4 | (c - '0');
		else if (letter >= 'a' && letter <= 'f')
			x = x << 4 | (letter - 'a' + 10);
		else
			break;
	}
	*out = (uint16_t)x;
	return n > 0;
}

bool ip6_parse(const char **s, struct ip_addr *out)
{
	const char *at = *s;
	unsigned n = 0, gap = 8; /* groups read; before which of them "::" stood */
	uint16_t groups[8];
	if (at[0] == ':' && at[1] != ':')
		return false;
	while (n < 8) {
		if (at[0] == ':' && at[1] == ':' && gap == 8) {
			gap = n;
			at += 2;
		} else if (n > 0 && gap != n) {
			if (at[0] != ':')
				break;
			at++;
		}
		if (!parse_group(&at, &groups[n])) {
			if (gap == n)
				break;
			return false;
		}
		n++;
	}
	if (gap == 8 ? n < 8 : n == 8)
		return false;
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < n; i++)
		store_be16(out->bytes + 2 * (i < gap ? i : i + 8 - n), groups[i]);
	*s = at;
	return true;
}

void ip6_text(char buf[IP6_TEXT], const struct ip_addr *ip)
{
	unsigned best = 8, best_len = 1, len = 0;
	for (unsigned i = 0; i < 8; i++) {
		len = load_be16(ip->bytes + 2 * i) == 0 ? len + 1 : 0;
		if (len > best_len) {
			best_len = len;
			best = i + 1 - len;
		}
	}
	struct text t;
	text_init(&t, buf, IP6_TEXT);
	for (unsigned i = 0; i < 8; i++) {
		if (i == best) {
			text_add(&t, "::");
			i += best_len - 1;
			continue;
		}
		bool separate = i > 0 && i != best + best_len;
		text_add(&t, separate ? ":%x" : "%x", load_be16(ip->bytes + 2 * i));
	}
}

void hash_init(void)
{
	random_bytes(hash_key, sizeof(hash_key));
}

static inline uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline __attribute__((always_inline)) void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t hash_words(const uint64_t *words, unsigned n)
{
	uint64_t v[4] = {
		hash_key[0] ^ 0x736f6d6570736575ull,
		hash_key[1] ^ 0x646f72616e646f6dull,
		hash_key[0] ^ 0x6c7967656e657261ull,
		hash_key[1] ^ 0x7465646279746573ull,
	};
	for (unsigned i = 0; i < n; i++) {
		v[3] ^= words[i];
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff ^ n;
	for (unsigned i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Two multiplications under the key: enough for tables, whose collisions nobody sees. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)(a ^ hash_key[0]) * (b ^ hash_key[1]);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint32_t flow_hash(const struct flow *f)
{
	uint64_t ports = (uint64_t)f->local_port << 16 | f->remote_port;
	uint64_t h;
	if (likely(ip_is_v4(&f->remote)))
		h = (uint64_t)f->local.words[3] << 32 | f->remote.words[3];
	else
		h = fold(fold(f->local.halves[0], f->local.halves[1]) ^ f->remote.halves[0],
			f->remote.halves[1]);
	return (uint32_t)fold(h, ports * 0x9e3779b97f4a7c15ull);
}
