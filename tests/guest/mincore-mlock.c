/* mincore tells touched pages, mlock brings them in, munlock and mlockall answer. */
#include "lib/check.h"

int main(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char vec[4];
	madvise(p, 4 * PAGE, MADV_NOHUGEPAGE);
	p[PAGE] = 1;
	show(mincore(p, 4 * PAGE, vec));
	printf("%d %d\n", vec[1] & 1, vec[3] & 1);
	show(mlock(p, 4 * PAGE));
	show(mincore(p, 4 * PAGE, vec));
	printf("%d %d %d %d\n", vec[0] & 1, vec[1] & 1, vec[2] & 1, vec[3] & 1);
	show(munlock(p, 4 * PAGE));
	show(mincore(p + 1, PAGE, vec));
	show(mincore(p, PAGE, NULL));
	must(munmap(p + PAGE, PAGE));
	show(mincore(p, 4 * PAGE, vec));
	show(mlock(p, 4 * PAGE));
	return 0;
}
