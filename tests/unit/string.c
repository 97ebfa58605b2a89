/* kernel/lib/string.c and memory.c against libc's functions, and our own parsers. */
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/assert.h"

/* The kernel's functions under other names, beside libc's. */
#define memcpy k_memcpy
#define memmove k_memmove
#define memset k_memset
#define memcmp k_memcmp
#define memchr k_memchr
#define strlen k_strlen
#define strnlen k_strnlen
#define strcmp k_strcmp
#define strncmp k_strncmp
#define strchr k_strchr
#define strrchr k_strrchr
#include "kernel/lib/memory.c"
#define word string_word
#include "kernel/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void fill(uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(rand() % 7);
}

static void check_copies(void)
{
	uint8_t a[160], b[160];
	for (int round = 0; round < 20000; round++) {
		fill(a, sizeof(a));
		memcpy(b, a, sizeof(a));
		size_t to = (size_t)rand() % 60, from = (size_t)rand() % 60,
		       n = (size_t)rand() % 100;
		k_memmove(a + to, a + from, n);
		memmove(b + to, b + from, n);
		assert(memcmp(a, b, sizeof(a)) == 0);
		k_memset(a + to, 0x1a5, n);
		memset(b + to, 0x1a5, n);
		assert(memcmp(a, b, sizeof(a)) == 0);
		uint8_t c[100], d[100];
		k_memcpy(c, a + from, n);
		memcpy(d, a + from, n);
		assert(memcmp(c, d, n) == 0);
	}
}

static void check_compares(void)
{
	for (int round = 0; round < 20000; round++) {
		char a[24], b[24];
		fill((uint8_t *)a, sizeof(a));
		memcpy(b, a, sizeof(a));
		b[rand() % 24] = (char)rand();
		a[23] = b[23] = 0;
		size_t n = (size_t)rand() % 24;
		int c = rand() % 7;
		assert(sign(k_memcmp(a, b, n)) == sign(memcmp(a, b, n)));
		assert(sign(k_strcmp(a, b)) == sign(strcmp(a, b)));
		assert(sign(k_strncmp(a, b, n)) == sign(strncmp(a, b, n)));
		assert(k_memchr(a, c, n) == memchr(a, c, n));
		assert(k_strchr(a, c) == strchr(a, c) && k_strrchr(a, c) == strrchr(a, c));
		assert(k_strlen(a) == strlen(a) && k_strnlen(a, n) == strnlen(a, n));
	}
}

static void check_number(const char *text, bool ok, uint64_t value, size_t used)
{
	const char *s = text;
	uint64_t out = 77;
	assert(string_parse_u64(&s, &out) == ok);
	assert(s == text + used && out == (ok ? value : 77));
}

int main(void)
{
	check_copies();
	check_compares();
	check_number("0", true, 0, 1);
	check_number("0x", true, 0, 1);
	check_number("0x1fG", true, 0x1f, 4);
	check_number("0XfF", true, 0xff, 4);
	check_number("18446744073709551615 ", true, UINT64_MAX, 20);
	check_number("18446744073709551616", false, 0, 0);
	check_number("0x10000000000000000", false, 0, 0);
	check_number("-1", false, 0, 0);
	check_number("", false, 0, 0);
	char buf[4];
	assert(string_copy(buf, "hello", sizeof(buf)) == 5 && strcmp(buf, "hel") == 0);
	assert(string_copy(buf, "", sizeof(buf)) == 0 && buf[0] == 0);
	assert(string_starts_with("mote.env", "mote.") && !string_starts_with("mo", "mote."));
	return 0;
}
