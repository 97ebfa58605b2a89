/*
 * Output is ChaCha20(key, counter), RFC 8439 2.3, with a counter no two blocks share.  After every
 * request the key is replaced by a block of its own output mixed with the pool, so that what was given
 * out can not be computed from a later state.
 *
 * No locks, as any context asks: there are two keys and the number of the valid one.  One writer at a
 * time, elected by a flag, fills the other and switches; who loses the election leaves it to the
 * winner.  Readers copy and look whether the number has moved on by then.
 */
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"

#define KEY_WORDS 8
#define POOL_WORDS 8 /* of 64 bits */

static _Atomic uint32_t keys[2][KEY_WORDS];
static _Atomic uint64_t key_number; /* keys[key_number % 2] is valid */
static atomic_flag changing = ATOMIC_FLAG_INIT;
static _Atomic uint64_t counter;
static _Atomic uint64_t pool[POOL_WORDS];
static atomic_uint pool_at;

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b, *d = rotate(*d ^ *a, 16);
	*c += *d, *b = rotate(*b ^ *c, 12);
	*a += *b, *d = rotate(*d ^ *a, 8);
	*c += *d, *b = rotate(*b ^ *c, 7);
}

void random_chacha20_block(uint32_t out[16], const uint32_t in[16])
{
	uint32_t x[16];
	memcpy(x, in, sizeof(x));
	for (unsigned round = 0; round < 10; round++) {
		quarter_round(&x[0], &x[4], &x[8], &x[12]);
		quarter_round(&x[1], &x[5], &x[9], &x[13]);
		quarter_round(&x[2], &x[6], &x[10], &x[14]);
		quarter_round(&x[3], &x[7], &x[11], &x[15]);
		quarter_round(&x[0], &x[5], &x[10], &x[15]);
		quarter_round(&x[1], &x[6], &x[11], &x[12]);
		quarter_round(&x[2], &x[7], &x[8], &x[13]);
		quarter_round(&x[3], &x[4], &x[9], &x[14]);
	}
	for (unsigned i = 0; i < 16; i++)
		out[i] = x[i] + in[i];
}

static void load_key(uint32_t key[KEY_WORDS])
{
	uint64_t number;
	do {
		number = atomic_load(&key_number);
		for (unsigned i = 0; i < KEY_WORDS; i++)
			key[i] = atomic_load(&keys[number % 2][i]);
	} while (atomic_load(&key_number) != number);
}

/* The next block under the present key; domain keeps output and future keys apart. */
static void next_block(uint32_t out[16], uint32_t domain)
{
	uint64_t n = atomic_fetch_add(&counter, 1);
	uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	load_key(in + 4);
	in[12] = (uint32_t)n;
	in[13] = (uint32_t)(n >> 32);
	in[14] = domain;
	random_chacha20_block(out, in);
}

static void change_key(void)
{
	if (atomic_flag_test_and_set(&changing))
		return;
	uint32_t block[16];
	next_block(block, 1);
	uint64_t number = atomic_load(&key_number);
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		uint64_t word = atomic_load(&pool[i]);
		uint32_t mixed = block[i] ^ (uint32_t)word ^ (uint32_t)(word >> 32);
		atomic_store(&keys[(number + 1) % 2][i], mixed);
	}
	atomic_store(&key_number, number + 1);
	atomic_flag_clear(&changing);
}

/* Rotation keeps repeated equal samples from cancelling each other out. */
static void pool_add(uint64_t word)
{
	unsigned at = atomic_fetch_add(&pool_at, 1);
	_Atomic uint64_t *p = &pool[at % POOL_WORDS];
	uint64_t old = atomic_load(p);
	while (!atomic_compare_exchange_weak(p, &old, (old << 7 | old >> 57) ^ word))
		;
}

void random_mix(const void *bytes, size_t n)
{
	const char *from = bytes;
	while (n > 0) {
		uint64_t word = 0;
		size_t part = min(n, sizeof(word));
		memcpy(&word, from, part);
		pool_add(word);
		from += part;
		n -= part;
	}
	change_key();
}

void random_bytes(void *to, size_t n)
{
	uint32_t block[16];
	for (char *at = to; n > 0;) {
		size_t part = min(n, sizeof(block));
		next_block(block, 0);
		memcpy(at, block, part);
		at += part;
		n -= part;
	}
	change_key();
	/* Not left on the stack for a later leak to show; volatile, or the compiler drops it. */
	for (unsigned i = 0; i < array_size(block); i++)
		*(volatile uint32_t *)&block[i] = 0;
}

uint64_t random_u64(void)
{
	uint64_t value;
	random_bytes(&value, sizeof(value));
	return value;
}
