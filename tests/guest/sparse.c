/* Holes read as zeros, far writes cost little, SEEK_DATA and SEEK_HOLE find an end. */
#include "lib/check.h"

int main(void)
{
	char buf[32];
	struct stat st;
	int fd = must(open("f", O_RDWR | O_CREAT, 0644));
	show(pwrite(fd, "far", 3, 10ul << 30));
	must(fstat(fd, &st));
	printf("size %ld\n", (long)st.st_size);
	is(st.st_blocks < 1000);
	show(pread(fd, buf, 3, 5ul << 30));
	printf("%d %d %d\n", buf[0], buf[1], buf[2]);
	show(pread(fd, buf, 32, (10ul << 30) - 2));
	printf("%d %d %.3s\n", buf[0], buf[1], buf + 2);
	show(lseek(fd, 0, SEEK_HOLE));
	is(lseek(fd, 0, SEEK_DATA) <= 10l << 30);
	show(lseek(fd, 10l << 30, SEEK_DATA));
	show(lseek(fd, 10l << 30, SEEK_HOLE));
	show(lseek(fd, 11l << 30, SEEK_DATA));
	show(lseek(fd, 11l << 30, SEEK_HOLE));
	return 0;
}
