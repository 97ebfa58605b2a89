/* getrandom: lengths, flags, and numbers that differ. */
#include "lib/check.h"
#include <sys/random.h>

int main(void)
{
	unsigned char a[300], b[300];
	show(getrandom(a, sizeof(a), 0));
	show(getrandom(b, sizeof(b), GRND_RANDOM | GRND_NONBLOCK));
	is(memcmp(a, b, sizeof(a)) != 0);
	int bits = 0;
	for (size_t i = 0; i < sizeof(a); i++)
		bits += __builtin_popcount(a[i]);
	is(bits > 1000 && bits < 1400);
	show(getrandom(a, 0, 0));
	show(getrandom(a, 1, 0x80));
	show(getrandom(wild(), 1, 0));
	static char large[1 << 20];
	show(getrandom(large, sizeof(large), 0));
	show(getentropy(a, 256));
	show(getentropy(large, 257));
	return 0;
}
