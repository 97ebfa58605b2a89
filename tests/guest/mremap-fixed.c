/* mremap to a given place, and what it refuses. */
#include "lib/check.h"

int main(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *target = map_pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	strcpy(p, "moved text");
	target[0] = 'T';
	target[3 * PAGE] = 'E';
	char *q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	is(q == target);
	printf("%s %c\n", target, target[3 * PAGE]);
	unsigned char vec[4];
	is(mincore(p, PAGE, vec) == -1 && errno == ENOMEM);
	show_ok(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	show_ok(mremap(target + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	show_ok(mremap(target, PAGE, 0, MREMAP_MAYMOVE));
	show_ok(mremap(target, PAGE, PAGE, MREMAP_FIXED, p));
	show_ok(mremap(target, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE));
	write_file("f", "in a file");
	int fd = must(open("f", O_RDWR));
	char *f = (char *)must(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	f = (char *)must(mremap(f, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	puts(f);
	return 0;
}
