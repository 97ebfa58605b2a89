/* Ten thousand small mappings with holes, unmapped in another order. */
#include "lib/check.h"

enum { N = 10000 };
static char *page[N];

int main(void)
{
	unsigned seed = 1, wrong = 0;
	for (int i = 0; i < N; i++) {
		page[i] = map_pages(
			1 + i % 3, i % 2 ? PROT_READ | PROT_WRITE : PROT_READ, MAP_PRIVATE);
		if (i % 2)
			*(int *)page[i] = i;
	}
	for (int n = 0; n < N; n++) {
		seed = seed * 1664525 + 1013904223;
		int i = seed % N;
		while (!page[i])
			i = (i + 1) % N;
		wrong += *(int *)page[i] != (i % 2 ? i : 0);
		wrong += munmap(page[i], (1 + i % 3) * PAGE) != 0;
		page[i] = NULL;
	}
	printf("%u wrong\n", wrong);
	return 0;
}
