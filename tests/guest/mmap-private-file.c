/* mmap of a file, private: shows the file, and what is written stays in memory. */
#include "lib/check.h"

int main(void)
{
	write_file("f", "the file's first words");
	int fd = must(open("f", O_RDWR));
	char *p = (char *)must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	printf("%s\n", p);
	is(p[100] == 0);
	memcpy(p, "MY", 2);
	printf("%s\n", p);
	show_file("f");
	show(pwrite(fd, "XX", 2, 4));
	show(munmap(p, PAGE));
	p = (char *)must(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	close(fd);
	printf("after close: %s\n", p);
	return 0;
}
