/* Most of a small machine's memory can be used, given back, and used again. */
/* test: memory=64M */
#include "lib/check.h"

int main(void)
{
	size_t size = 40ul << 20;
	for (int round = 0; round < 4; round++) {
		char *p = map_pages(size / PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
		size_t dirty = 0;
		for (size_t i = 0; i < size; i += PAGE) {
			dirty += p[i] != 0;
			p[i] = round + 1;
		}
		printf("round %d: %zu dirty\n", round, dirty);
		must(munmap(p, size));
	}
	char *p = map_pages(size / PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	for (int round = 0; round < 4; round++) {
		memset(p, 1, size);
		must(madvise(p, size, MADV_DONTNEED));
	}
	puts("madvise gives it back as well");
	return 0;
}
