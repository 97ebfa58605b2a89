/* Byte order: disks are little-endian, the network big.  Unaligned access included. */
#pragma once

#include "kernel/lib/base.h"

static inline uint16_t swap16(uint16_t x)
{
	return __builtin_bswap16(x);
}

static inline uint32_t swap32(uint32_t x)
{
	return __builtin_bswap32(x);
}

static inline uint64_t swap64(uint64_t x)
{
	return __builtin_bswap64(x);
}

/* Every port is little-endian. */
#define le16_to_cpu(x) ((uint16_t)(x))
#define le32_to_cpu(x) ((uint32_t)(x))
#define le64_to_cpu(x) ((uint64_t)(x))
#define be16_to_cpu(x) swap16(x)
#define be32_to_cpu(x) swap32(x)
#define be64_to_cpu(x) swap64(x)
#define cpu_to_le16(x) ((uint16_t)(x))
#define cpu_to_le32(x) ((uint32_t)(x))
#define cpu_to_le64(x) ((uint64_t)(x))
#define cpu_to_be16(x) swap16(x)
#define cpu_to_be32(x) swap32(x)
#define cpu_to_be64(x) swap64(x)

static inline uint16_t load_be16(const void *p)
{
	uint16_t x;
	__builtin_memcpy(&x, p, sizeof(x));
	return swap16(x);
}

static inline uint32_t load_be32(const void *p)
{
	uint32_t x;
	__builtin_memcpy(&x, p, sizeof(x));
	return swap32(x);
}

static inline uint16_t load_le16(const void *p)
{
	uint16_t x;
	__builtin_memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint32_t load_le32(const void *p)
{
	uint32_t x;
	__builtin_memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint64_t load_le64(const void *p)
{
	uint64_t x;
	__builtin_memcpy(&x, p, sizeof(x));
	return x;
}

static inline void store_be16(void *p, uint16_t x)
{
	x = swap16(x);
	__builtin_memcpy(p, &x, sizeof(x));
}

static inline void store_be32(void *p, uint32_t x)
{
	x = swap32(x);
	__builtin_memcpy(p, &x, sizeof(x));
}
