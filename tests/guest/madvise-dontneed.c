/* madvise: DONTNEED forgets private memory, and shows the file again; others are accepted. */
#include "lib/check.h"

int main(void)
{
	char *p = map_pages(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	memset(p, 'x', 8 * PAGE);
	show(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
	printf("%c %d %d %c\n", p[0], p[PAGE], p[3 * PAGE - 1], p[3 * PAGE]);
	write_file("f", "original");
	int fd = must(open("f", O_RDWR));
	char *f = (char *)must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	f[0] = 'X';
	puts(f);
	show(madvise(f, PAGE, MADV_DONTNEED));
	puts(f);
	show(madvise(p, 8 * PAGE, MADV_WILLNEED));
	show(madvise(p, 8 * PAGE, MADV_SEQUENTIAL));
	show(madvise(p, 8 * PAGE, MADV_RANDOM));
	show(madvise(p, 8 * PAGE, MADV_NORMAL));
	show(madvise(p, 4 * PAGE, MADV_FREE));
	is(p[0] == 'x' || p[0] == 0);
	show(madvise(p + 1, PAGE, MADV_DONTNEED));
	show(madvise(p, PAGE, 12345));
	show(madvise(p, 0, MADV_DONTNEED));
	must(munmap(p + 2 * PAGE, PAGE));
	show(madvise(p, 8 * PAGE, MADV_DONTNEED));
	printf("%d\n", p[7 * PAGE]);
	return 0;
}
