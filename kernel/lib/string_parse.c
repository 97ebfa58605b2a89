/* The functions of string.h that are our own: cutting and reading text. */
#include "kernel/lib/string.h"

size_t string_copy(char *to, const char *from, size_t size)
{
	size_t len = strlen(from);
	size_t n = min(len, size - 1);
	memcpy(to, from, n);
	to[n] = 0;
	return len;
}

bool string_starts_with(const char *s, const char *prefix)
{
	while (*prefix != 0)
		if (*s++ != *prefix++)
			return false;
	return true;
}

/* Value of a digit in that base, or -1. */
static int digit_value(char c, unsigned base)
{
	unsigned value = 99;
	if (c >= '0' && c <= '9')
		value = (unsigned)(c - '0');
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		value = (unsigned)((c | 0x20) - 'a' + 10);
	return value < base ? (int)value : -1;
}

bool string_parse_u64(const char **s, uint64_t *out)
{
	const char *p = *s;
	unsigned base = 10;
	if (p[0] == '0' && (p[1] | 0x20) == 'x' && digit_value(p[2], 16) >= 0) {
		base = 16;
		p += 2;
	}
	if (digit_value(*p, base) < 0)
		return false;
	uint64_t value = 0;
	for (int digit; (digit = digit_value(*p, base)) >= 0; p++)
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, (unsigned)digit, &value))
			return false;
	*s = p;
	*out = value;
	return true;
}
