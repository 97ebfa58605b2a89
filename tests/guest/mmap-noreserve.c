/* A terabyte without reservation: only what is touched takes memory. */
#include "lib/check.h"

int main(void)
{
	size_t huge = 1ul << 40;
	char *p = mmap(NULL, huge, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	is(p != MAP_FAILED);
	for (size_t at = 0; at < huge; at += huge / 16)
		p[at] = at >> 36;
	for (size_t at = 0; at < huge; at += huge / 16)
		printf("%d ", p[at]);
	printf("\n%d\n", p[huge - 1]);
	show(munmap(p, huge));
	p = mmap(NULL, huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is(p != MAP_FAILED);
	show(mprotect(p + (huge / 2), PAGE, PROT_READ | PROT_WRITE));
	p[huge / 2] = 7;
	printf("%d\n", p[huge / 2]);
	return 0;
}
