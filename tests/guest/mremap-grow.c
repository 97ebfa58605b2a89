/* mremap: growing keeps the contents, in place or moved; shrinking frees the end. */
#include "lib/check.h"

int main(void)
{
	char *p = map_pages(64, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	must(munmap(p + 4 * PAGE, 60 * PAGE));
	for (int i = 0; i < 4; i++)
		p[i * PAGE] = i + 1;
	char *q = mremap(p, 4 * PAGE, 8 * PAGE, 0);
	is(q == p);
	printf("%d %d %d %d %d %d\n", q[0], q[PAGE], q[2 * PAGE], q[3 * PAGE], q[4 * PAGE],
		q[7 * PAGE]);
	char *wall =
		mmap(p + 8 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	is(wall == p + 8 * PAGE);
	is(mremap(p, 8 * PAGE, 9 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
	q = mremap(p, 8 * PAGE, 5000 * PAGE, MREMAP_MAYMOVE);
	is(q != MAP_FAILED && q != p);
	printf("%d %d %d %d %d %d\n", q[0], q[PAGE], q[2 * PAGE], q[3 * PAGE], q[4 * PAGE],
		q[4999 * PAGE]);
	p = mremap(q, 5000 * PAGE, 2 * PAGE, 0);
	is(p == q);
	unsigned char vec[1];
	is(mincore(q + 2 * PAGE, PAGE, vec) == -1 && errno == ENOMEM);
	printf("%d %d\n", p[0], p[PAGE]);
	return 0;
}
