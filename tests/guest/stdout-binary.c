/* Half a megabyte through standard output arrives unmangled, every byte value among them. */
#include "lib/check.h"

int main(void)
{
	static unsigned char buf[8192];
	unsigned seed = 1;
	for (int n = 0; n < 64; n++) {
		for (size_t i = 0; i < sizeof(buf); i++) {
			seed = seed * 1664525 + 1013904223;
			buf[i] = seed >> 24;
		}
		for (size_t at = 0; at < sizeof(buf);)
			at += must(write(1, buf + at, sizeof(buf) - at));
	}
	return 0;
}
