/*
 * memcpy, memmove, memset in portable C, eight bytes at a time.  A port that has better ones brings
 * a string.S, and the build takes that in place of this file.  x86-64 and arm64 allow unaligned words.
 */
#include "kernel/lib/string.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

/* The compiler must not turn these loops into calls of the functions they are in. */
#if defined(__clang__)
#define plain_loop
#else
#define plain_loop __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

plain_loop void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;
	const char *f = from;
	for (; n >= 8; n -= 8, t += 8, f += 8)
		*(word *)t = *(const word *)f;
	while (n--)
		*t++ = *f++;
	return to;
}

plain_loop void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;
	if ((uintptr_t)t - (uintptr_t)f >= n)
		return memcpy(to, from, n);
	for (; n >= 8; n -= 8)
		*(word *)(t + n - 8) = *(const word *)(f + n - 8);
	while (n--)
		t[n] = f[n];
	return to;
}

plain_loop void *memset(void *to, int byte, size_t n)
{
	char *t = to;
	uint64_t all = (uint8_t)byte * 0x0101010101010101ull;
	for (; n >= 8; n -= 8, t += 8)
		*(word *)t = all;
	while (n--)
		*t++ = (char)byte;
	return to;
}
