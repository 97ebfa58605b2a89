/* format() against libc's snprintf(). */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/format.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-overflow"

#define CHECK(...)                                                                                 \
	do {                                                                                       \
		char ours[64], theirs[64];                                                         \
		for (size_t size = 1; size <= sizeof(ours); size += 9) {                           \
			int n = format(ours, size, __VA_ARGS__);                                   \
			int m = snprintf(theirs, size, __VA_ARGS__);                               \
			if (n != m || strcmp(ours, theirs) != 0)                                   \
				panic("line %d: '%s' (%d), not '%s' (%d)", __LINE__, ours, n,      \
					theirs, m);                                                \
		}                                                                                  \
	} while (0)

static void check_numbers(long long v)
{
	CHECK("%d|%i|%u|%x", (int)v, (int)v, (unsigned)v, (unsigned)v);
	CHECK("%lld|%llx|%llX", v, v, v);
	CHECK("%ld|%lu|%zu|%jd|%td", (long)v, (long)v, (size_t)v, (intmax_t)v, (ptrdiff_t)v);
	CHECK("%hd|%hhd|%hu|%hhx", (short)v, (signed char)v, (unsigned short)v, (unsigned char)v);
	CHECK("%5d|%-5d|%05d|%+d|% d", (int)v, (int)v, (int)v, (int)v, (int)v);
	CHECK("%#x|%#o|%#X|%o", (unsigned)v, (unsigned)v, (unsigned)v, (unsigned)v);
	CHECK("%.3d|%8.3d|%-8.3d|%08.3d|%.0d", (int)v, (int)v, (int)v, (int)v, (int)v);
	CHECK("%#010x|%#-10x|%+05d|%#.5o", (unsigned)v, (unsigned)v, (int)v, (unsigned)v);
	CHECK("%*d|%-*d|%*d|%.*d", 7, (int)v, 7, (int)v, -7, (int)v, 4, (int)v);
}

int main(void)
{
	static const long long values[] = {
		0, 1, -1, 9, 10, 255, 4096, -4096, INT_MAX, INT_MIN, LLONG_MAX, LLONG_MIN};
	for (size_t i = 0; i < array_size(values); i++)
		check_numbers(values[i]);
	CHECK("%s|%10s|%-10s|%.2s|%.*s|%s", "abc", "abc", "abc", "abc", 1, "abc", "");
	CHECK("%c%c|%3c|%-3c|%%", 'a', 'b', 'c', 'd');
	CHECK("%p", (void *)0x1234);
	CHECK("plain");
	char buf[8] = "x";
	assert(format(buf, 0, "abc") == 3 && buf[0] == 'x');
	assert(format(buf, 8, "%s", (char *)NULL) == 6 && strcmp(buf, "(null)") == 0);

	struct text t;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "%d", 123);
	text_add(&t, "%s", "4567");
	assert(strcmp(buf, "1234567") == 0 && !t.cut && t.len == 7);
	text_add(&t, "8");
	assert(strcmp(buf, "1234567") == 0 && t.cut && t.len == 7);
	return 0;
}
