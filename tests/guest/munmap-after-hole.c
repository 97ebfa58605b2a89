/* test: memory=128M */
/* A page at the start of a table of pages, behind a hole that reaches to the end of the table before, stayed mapped. */
#include "lib/check.h"

#define GB (1ul << 30)
#define MB (1ul << 20)

int main(void)
{
	char *all =
		mmap(NULL, 4 * GB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	is(all != MAP_FAILED);
	char *p = (char *)(((unsigned long)all + GB - 1) & -GB);
	munmap(all, 4 * GB);
	for (int small = 0; small < 2; small++) {
		p = mmap(p, 2 * GB, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
		is(p != MAP_FAILED);
		if (small)
			show(madvise(p, 2 * GB, MADV_NOHUGEPAGE));
		p[0] = 1;
		p[GB] = 2;          /* the first entry of a table of 2 MB pages */
		p[GB + 2 * MB] = 3; /* of a table of small pages */
		show(munmap(p, 2 * GB));
		p = mmap(p, 2 * GB, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
		printf("%d %d %d\n", p[0], p[GB], p[GB + 2 * MB]);
		show(munmap(p, 2 * GB));
	}
	return 0;
}
