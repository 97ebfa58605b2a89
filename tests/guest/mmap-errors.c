/* mmap and munmap: what is refused, and how. */
#include "lib/check.h"

#define map(addr, len, prot, flags, fd, off)                                                       \
	show_ok(mmap((void *)(addr), len, prot, flags, fd, off))

int main(void)
{
	int fd = must(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	int reader = must(open("f", O_RDONLY));
	int writer = must(open("f", O_WRONLY));
	int dir = must(open(".", O_RDONLY));
	int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	must(ftruncate(fd, PAGE));
	map(0, 0, PROT_READ, anon, -1, 0);
	map(0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0);
	map(0, PAGE, PROT_READ, MAP_PRIVATE, 99, 0);
	map(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 1);
	map(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0);
	map(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0);
	map(0, PAGE, PROT_WRITE, MAP_SHARED, writer, 0);
	map(0, PAGE, PROT_READ, MAP_PRIVATE, dir, 0);
	map(1, PAGE, PROT_READ, anon | MAP_FIXED, -1, 0);
	map(0, 1ul << 60, PROT_READ, anon, -1, 0);
	map(0, -1ul, PROT_READ, anon, -1, 0);
	map(0x7ffffffff000ul, PAGE, PROT_READ, anon | MAP_FIXED, -1, 0);
	map(0xffff800000000000ul, PAGE, PROT_READ, anon | MAP_FIXED, -1, 0);
	char *p = map_pages(1, PROT_READ, MAP_PRIVATE);
	show(munmap(p + 1, PAGE));
	show(munmap(p, 0));
	show(munmap((void *)0xffff800000000000ul, PAGE));
	show(munmap(p, PAGE));
	show(munmap(p, PAGE));
	return 0;
}
