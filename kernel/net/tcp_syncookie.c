/*
 * SYN cookies (RFC 4987 3.6): under a flood of SYNs the answer's sequence number carries, keyed, all that a request
 * would have remembered.  Layout as Linux's: hash(flow) + peer's ISN + minute << 24 + (hash(flow, minute) + mss
 * index) in the low 24 bits.  Window scale rides in the low bits of our timestamp, which the peer echoes.
 */
#include "kernel/net/tcp_internal.h"

#define VALID_MINUTES 2u
#define LOW_BITS 0xffffffu
#define SCALE_BITS 0xfu
#define SCALE_NONE 0xfu
#define SACK_BIT 0x10u
#define TIMESTAMP_BITS 5u

static const uint16_t mss_table[] = {536, 1300, 1440, 1460, 8960, 32768, 65483};

static uint32_t cookie_hash(const struct flow *f, uint32_t minute, uint32_t purpose)
{
	uint64_t words[6] = {f->local.halves[0], f->local.halves[1], f->remote.halves[0],
		f->remote.halves[1], (uint64_t)f->local_port << 16 | f->remote_port,
		(uint64_t)minute << 32 | purpose};
	return (uint32_t)hash_words(words, array_size(words));
}

static uint32_t minute_now(void)
{
	return (uint32_t)(now_ms() / 60000);
}

uint32_t tcp_cookie_make(const struct flow *f, uint32_t irs, uint16_t *mss)
{
	uint32_t index = array_size(mss_table) - 1;
	while (index > 0 && mss_table[index] > *mss)
		index--;
	*mss = mss_table[index];
	uint32_t minute = minute_now();
	return cookie_hash(f, 0, 1) + irs + (minute << 24) +
	       ((cookie_hash(f, minute, 2) + index) & LOW_BITS);
}

uint16_t tcp_cookie_check(const struct flow *f, uint32_t cookie, uint32_t irs)
{
	cookie -= cookie_hash(f, 0, 1) + irs;
	uint32_t minute = minute_now();
	uint32_t age = (minute - (cookie >> 24)) & 0xff;
	if (age >= VALID_MINUTES)
		return 0;
	uint32_t index = (cookie - cookie_hash(f, minute - age, 2)) & LOW_BITS;
	return index < array_size(mss_table) ? mss_table[index] : 0;
}

uint32_t tcp_cookie_timestamp(uint32_t timestamp, const struct tcp_agreement *a)
{
	uint32_t bits = (a->scale_ok ? a->snd_scale : SCALE_NONE) | (a->sack_ok ? SACK_BIT : 0);
	uint32_t marked = timestamp >> TIMESTAMP_BITS << TIMESTAMP_BITS | bits;
	/* Never ahead of the clock: later segments' timestamps must not be older. */
	return seq_after(marked, timestamp) ? marked - (1u << TIMESTAMP_BITS) : marked;
}

void tcp_cookie_timestamp_read(uint32_t echo, struct tcp_agreement *a)
{
	uint32_t bits = echo & SCALE_BITS;
	a->scale_ok = bits != SCALE_NONE;
	a->sack_ok = echo & SACK_BIT;
	a->snd_scale = a->scale_ok ? (uint8_t)bits : 0;
}
