/* Reads and writes at offsets leave the file's own offset alone; vectors; odd lengths. */
#include "lib/check.h"

int main(void)
{
	char a[8] = "", b[8] = "";
	int fd = must(open("f", O_RDWR | O_CREAT, 0644));
	show(pwrite(fd, "0123456789", 10, 5));
	show(lseek(fd, 0, SEEK_CUR));
	show(pread(fd, a, 4, 8));
	puts(a);
	show(pread(fd, a, 4, 13));
	show(pread(fd, a, 4, 15));
	show(pread(fd, a, 4, 1000));
	show(pread(fd, a, 4, -1));
	show(pwrite(fd, a, 4, -1));
	struct iovec v[3] = {{a, 3}, {NULL, 0}, {b, 4}};
	show(preadv(fd, v, 3, 5));
	printf("%.3s %s\n", a, b);
	show(pwritev(fd, v, 3, 20));
	show(readv(fd, v, 0));
	show(syscall(SYS_readv, fd, v, -1));
	show(syscall(SYS_readv, fd, v, 1025));
	v[1] = (struct iovec){wild(), 5};
	show(lseek(fd, 5, SEEK_SET));
	show(readv(fd, v, 3));
	v[1] = (struct iovec){a, -1ul};
	show(readv(fd, v, 3));
	show(read(fd, wild(), 4));
	show(read(fd, wild(), 0));
	show(write(fd, wild(), 4));
	show(preadv2(fd, v, 1, 5, 0));
	show(preadv2(fd, v, 1, 5, 0x4000));
	show(lseek(fd, 0, SEEK_END));
	return 0;
}
