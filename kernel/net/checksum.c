/* The Internet checksum over memory and over packets with fragments. */
#include "kernel/net/checksum.h"

#include "kernel/dev/netif.h"
#include "kernel/lib/string.h"

static inline uint64_t load_u64(const uint8_t *at)
{
	uint64_t x;
	memcpy(&x, at, sizeof(x));
	return x;
}

static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;
	return sum + (sum < a);
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *at = data;
	for (; n >= 32; n -= 32, at += 32) {
		sum = add_carry(sum, load_u64(at));
		sum = add_carry(sum, load_u64(at + 8));
		sum = add_carry(sum, load_u64(at + 16));
		sum = add_carry(sum, load_u64(at + 24));
	}
	for (; n >= 8; n -= 8, at += 8)
		sum = add_carry(sum, load_u64(at));
	if (n > 0) {
		uint64_t rest = 0;
		memcpy(&rest, at, n);
		sum = add_carry(sum, rest);
	}
	return sum;
}

uint64_t checksum_pseudo(
	const struct ip_addr *a, const struct ip_addr *b, uint8_t protocol, uint32_t len)
{
	uint64_t sum = (uint64_t)cpu_to_be32(len) + cpu_to_be32((uint32_t)protocol);
	if (ip_is_v4(a))
		return sum + a->words[3] + b->words[3];
	sum = checksum_add(sum, a->bytes, 16);
	return checksum_add(sum, b->bytes, 16);
}

uint64_t checksum_packet(const struct packet *p, uint32_t offset)
{
	uint64_t sum = checksum_add(0, p->buffer + p->start + offset, p->len - offset);
	bool odd = (p->len - offset) & 1;
	for (unsigned i = 0; i < p->n_fragments; i++) {
		const struct packet_fragment *f = &p->fragments[i];
		const uint8_t *data = (const uint8_t *)page_address(f->page) + f->offset;
		uint16_t part = checksum_fold(checksum_add(0, data, f->len));
		sum = add_carry(sum, odd ? swap16(part) : part); /* RFC 1071 2(B) */
		odd ^= f->len & 1;
	}
	return sum;
}
