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

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define QUARTER_ROUND(a, b, c, d)                                                                  \
	do {                                                                                       \
		a += b, d = ROTATE(d ^ a, 16);                                                     \
		c += d, b = ROTATE(b ^ c, 12);                                                     \
		a += b, d = ROTATE(d ^ a, 8);                                                      \
		c += d, b = ROTATE(b ^ c, 7);                                                      \
	} while (0)

void random_chacha20_block(uint32_t out[16], const uint32_t in[16])
{
	uint32_t x[16];
	memcpy(x, in, sizeof(x));
	for (unsigned round = 0; round < 10; round++) {
		QUARTER_ROUND(x[0], x[4], x[8], x[12]);
		QUARTER_ROUND(x[1], x[5], x[9], x[13]);
		QUARTER_ROUND(x[2], x[6], x[10], x[14]);
		QUARTER_ROUND(x[3], x[7], x[11], x[15]);
		QUARTER_ROUND(x[0], x[5], x[10], x[15]);
		QUARTER_ROUND(x[1], x[6], x[11], x[12]);
		QUARTER_ROUND(x[2], x[7], x[8], x[13]);
		QUARTER_ROUND(x[3], x[4], x[9], x[14]);
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

/* The first half of a block nobody has seen becomes the key, with the pool.  Who changes keys holds
 * `changing`. */
static void install_key(const uint32_t block[16])
{
	uint64_t number = atomic_load(&key_number);
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		uint64_t word = atomic_load(&pool[i]);
		uint32_t mixed = block[i] ^ (uint32_t)word ^ (uint32_t)(word >> 32);
		atomic_store(&keys[(number + 1) % 2][i], mixed);
	}
	atomic_store(&key_number, number + 1);
}

static void change_key(void)
{
	if (atomic_flag_test_and_set(&changing))
		return;
	uint32_t block[16];
	next_block(block, 1);
	install_key(block);
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

/* Not left on the stack for a later leak to show; volatile, or the compiler drops it. */
static void wipe(uint32_t block[16])
{
	for (unsigned i = 0; i < 16; i++)
		*(volatile uint32_t *)&block[i] = 0;
}

/* One block does for both: its first half is the next key, its second goes out. */
static bool few_bytes(void *to, size_t n)
{
	uint32_t block[16];
	if (n > sizeof(block) / 2 || atomic_flag_test_and_set(&changing))
		return false;
	next_block(block, 1);
	install_key(block);
	atomic_flag_clear(&changing);
	memcpy(to, block + KEY_WORDS, n);
	wipe(block);
	return true;
}

void random_bytes(void *to, size_t n)
{
	if (few_bytes(to, n))
		return;
	uint32_t block[16];
	for (char *at = to; n > 0;) {
		size_t part = min(n, sizeof(block));
		next_block(block, 0);
		memcpy(at, block, part);
		at += part;
		n -= part;
	}
	change_key();
	wipe(block);
}

uint64_t random_u64(void)
{
	uint64_t value;
	random_bytes(&value, sizeof(value));
	return value;
}
