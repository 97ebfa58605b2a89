/* mmap of a file, shared: write(2) and the mapping see each other, and msync works. */
#include "lib/check.h"

int main(void)
{
	int fd = must(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	must(ftruncate(fd, 3 * PAGE));
	char *p = (char *)must(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	strcpy(p + PAGE - 2, "across");
	char buf[16] = "";
	show(pread(fd, buf, 6, PAGE - 2));
	puts(buf);
	show(pwrite(fd, "by write", 8, 2 * PAGE));
	puts(p + 2 * PAGE);
	show(msync(p, 3 * PAGE, MS_SYNC));
	show(msync(p, PAGE, MS_ASYNC));
	show(msync(p + 1, PAGE, MS_SYNC));
	char *q = (char *)must(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE));
	p[PAGE + 10] = 'Z';
	printf("second mapping: %s %c\n", q, q[10]);
	show(munmap(p, 3 * PAGE));
	printf("still: %c\n", q[10]);
	return 0;
}
