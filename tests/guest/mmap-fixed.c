/* MAP_FIXED replaces, MAP_FIXED_NOREPLACE refuses, a hint is only a hint. */
#include "lib/check.h"

int main(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	memset(p, 'a', 4 * PAGE);
	char *q = mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	is(q == p + PAGE);
	printf("%d %d %d\n", p[0], p[PAGE], p[2 * PAGE]);
	q = mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	is(q == MAP_FAILED && errno == EEXIST);
	show(munmap(p + 2 * PAGE, PAGE));
	q = mmap(p + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		-1, 0);
	is(q == p + 2 * PAGE);
	q = mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is(q != MAP_FAILED && q != p);
	printf("untouched: %d\n", p[0]);
	return 0;
}
