/* lseek: from everywhere, past the end, refusals; the offset is shared by dup. */
#include "lib/check.h"

int main(void)
{
	char c[4];
	write_file("f", "0123456789");
	int fd = must(open("f", O_RDWR)), copy = must(dup(fd)), own = must(open("f", O_RDONLY));
	show(lseek(fd, 4, SEEK_SET));
	show(lseek(copy, 0, SEEK_CUR));
	show(lseek(own, 0, SEEK_CUR));
	show(lseek(fd, -2, SEEK_CUR));
	show(lseek(fd, -3, SEEK_END));
	show(read(copy, c, 2));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, -100, SEEK_CUR));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, 100, SEEK_END));
	show(read(fd, c, 1));
	show(write(fd, "x", 1));
	show(lseek(fd, 0, SEEK_END));
	show(lseek(fd, 0, 17));
	show(lseek(fd, -1, SEEK_SET));
	show(lseek(99, 0, SEEK_SET));
	show(lseek(fd, LONG_MAX, SEEK_CUR));
	int dir = must(open(".", O_RDONLY));
	show(lseek(dir, 0, SEEK_SET));
	return 0;
}
