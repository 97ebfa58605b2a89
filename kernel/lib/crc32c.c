/*
 * CRC-32C, eight bytes at a time through eight tables ("slicing").  A CRC is linear: the entry of n
 * is the XOR of the entries of n's bits, so 64 numbers are the whole table, and the compiler works
 * out the rest.
 */
#include "kernel/lib/crc32c.h"
#include "kernel/lib/endian.h"

#define BIT(n, bit, c) ((n) >> (bit)&1 ? (c) : 0u)
#define ENTRY(n, c0, c1, c2, c3, c4, c5, c6, c7)                                                   \
	(BIT(n, 0, c0) ^ BIT(n, 1, c1) ^ BIT(n, 2, c2) ^ BIT(n, 3, c3) ^ BIT(n, 4, c4) ^           \
		BIT(n, 5, c5) ^ BIT(n, 6, c6) ^ BIT(n, 7, c7))
#define ENTRY4(n, ...)                                                                             \
	ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__),           \
		ENTRY((n) + 3, __VA_ARGS__)
#define ENTRY16(n, ...)                                                                            \
	ENTRY4(n, __VA_ARGS__), ENTRY4((n) + 4, __VA_ARGS__), ENTRY4((n) + 8, __VA_ARGS__),        \
		ENTRY4((n) + 12, __VA_ARGS__)
#define ENTRY64(n, ...)                                                                            \
	ENTRY16(n, __VA_ARGS__), ENTRY16((n) + 16, __VA_ARGS__), ENTRY16((n) + 32, __VA_ARGS__),   \
		ENTRY16((n) + 48, __VA_ARGS__)
#define ROW(...)                                                                                   \
	ENTRY64(0, __VA_ARGS__), ENTRY64(64, __VA_ARGS__), ENTRY64(128, __VA_ARGS__),              \
		ENTRY64(192, __VA_ARGS__)

/* table[k][n]: what byte n contributes once k more bytes have gone by. */
static const uint32_t table[8][256] = {
	/* clang-format off */
	{ROW(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
		0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78)},
	{ROW(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
		0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9)},
	{ROW(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
		0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743)},
	{ROW(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
		0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f)},
	{ROW(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
		0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c)},
	{ROW(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
		0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6)},
	{ROW(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
		0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4)},
	{ROW(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
		0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664)},
	/* clang-format on */
};

static uint32_t add_byte(uint32_t crc, uint8_t byte)
{
	return crc >> 8 ^ table[0][(uint8_t)crc ^ byte];
}

static uint32_t add_eight(uint32_t crc, const uint8_t *p)
{
	uint32_t low = crc ^ load_le32(p), high = load_le32(p + 4);
	return table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
	       table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
	       table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	for (; n >= 8; n -= 8, p += 8)
		crc = add_eight(crc, p);
	for (; n > 0; n--)
		crc = add_byte(crc, *p++);
	return crc;
}
