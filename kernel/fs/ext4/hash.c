/*
 * The hashes of names in indexed directories: half an MD4, TEA, and the one of the first days; each
 * in two variants, since `char` was once signed on some machines and unsigned on others.
 */
#include "kernel/fs/ext4/ext4.h"
#include "kernel/lib/string.h"

#define END_OF_DIRECTORY 0x7fffffffu /* as a hash: stands for no name */

static int char_at(const char *name, unsigned i, bool is_unsigned)
{
	return is_unsigned ? (unsigned char)name[i] : (signed char)name[i];
}

/* Four characters a word, filled up with the length. */
static void name_to_words(
	const char *name, unsigned len, bool is_unsigned, uint32_t *words, unsigned n)
{
	uint32_t fill = len | len << 8;
	fill |= fill << 16;
	unsigned used = min(len, n * 4), at = 0;
	uint32_t word = fill;
	for (unsigned i = 0; i < used; i++) {
		word = (uint32_t)char_at(name, i, is_unsigned) + (word << 8);
		if (i % 4 == 3) {
			words[at++] = word;
			word = fill;
		}
	}
	if (at < n)
		words[at++] = word;
	while (at < n)
		words[at++] = fill;
}

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* One step of MD4: function f of the round, word x, and a rotation. */
static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
	if (round == 0)
		return d ^ (b & (c ^ d));
	if (round == 1)
		return (b & c) + ((b ^ c) & d);
	return b ^ c ^ d;
}

static void half_md4(uint32_t state[4], const uint32_t in[8])
{
	static const uint8_t order[3][8] = {
		{0, 1, 2, 3, 4, 5, 6, 7}, {1, 3, 5, 7, 0, 2, 4, 6}, {3, 7, 2, 6, 1, 5, 0, 4}};
	static const uint8_t shift[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
	static const uint32_t add[3] = {0, 0x5a827999, 0x6ed9eba1};
	uint32_t s[4] = {state[0], state[1], state[2], state[3]};
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < 8; i++) {
			/* a, d, c, b take turns */
			unsigned a = (4 - i % 4) % 4;
			uint32_t x = s[a] + in[order[round][i]] + add[round] +
				     mix(round, s[(a + 1) % 4], s[(a + 2) % 4], s[(a + 3) % 4]);
			s[a] = rotate(x, shift[round][i % 4]);
		}
	for (unsigned i = 0; i < 4; i++)
		state[i] += s[i];
}

static void tea(uint32_t state[4], const uint32_t in[4])
{
	uint32_t sum = 0, x = state[0], y = state[1];
	for (unsigned i = 0; i < 16; i++) {
		sum += 0x9e3779b9;
		x += ((y << 4) + in[0]) ^ (y + sum) ^ ((y >> 5) + in[1]);
		y += ((x << 4) + in[2]) ^ (x + sum) ^ ((x >> 5) + in[3]);
	}
	state[0] += x;
	state[1] += y;
}

static uint32_t legacy(const char *name, unsigned len, bool is_unsigned)
{
	uint32_t newer = 0x12a3fe2d, older = 0x37abe8f9;
	for (unsigned i = 0; i < len; i++) {
		uint32_t product = (uint32_t)char_at(name, i, is_unsigned) * 7152373u;
		uint32_t hash = older + (newer ^ product);
		if (hash & 0x80000000u)
			hash -= 0x7fffffff;
		older = newer;
		newer = hash;
	}
	return newer << 1;
}

bool ext4_hash(
	const char *name, unsigned len, unsigned version, const uint32_t seed[4], uint32_t *out)
{
	bool is_unsigned = version >= EXT4_HASH_UNSIGNED;
	unsigned kind = is_unsigned ? version - EXT4_HASH_UNSIGNED : version;
	uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	if (seed[0] | seed[1] | seed[2] | seed[3])
		memcpy(state, seed, sizeof(state));
	uint32_t words[8], hash = 0;
	switch (kind) {
	case EXT4_HASH_LEGACY:
		hash = legacy(name, len, is_unsigned);
		break;
	case EXT4_HASH_HALF_MD4:
		for (unsigned at = 0; at < len; at += 32) {
			name_to_words(name + at, len - at, is_unsigned, words, 8);
			half_md4(state, words);
		}
		hash = state[1];
		break;
	case EXT4_HASH_TEA:
		for (unsigned at = 0; at < len; at += 16) {
			name_to_words(name + at, len - at, is_unsigned, words, 4);
			tea(state, words);
		}
		hash = state[0];
		break;
	default:
		return false;
	}
	hash &= ~1u;
	*out = hash == END_OF_DIRECTORY << 1 ? (END_OF_DIRECTORY - 1) << 1 : hash;
	return true;
}
