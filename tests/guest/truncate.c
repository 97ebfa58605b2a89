/* truncate and ftruncate: growing with zeros, shrinking for good, also under a mapping. */
#include "lib/check.h"

int main(void)
{
	char buf[16] = "";
	struct stat st;
	write_file("f", "0123456789");
	show(truncate("f", 4));
	show_file("f");
	show(truncate("f", 8));
	int fd = must(open("f", O_RDWR));
	show(read(fd, buf, 16));
	printf("%.4s %d %d\n", buf, buf[4], buf[7]);
	show(ftruncate(fd, 3 * PAGE));
	char *p = (char *)must(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	p[2 * PAGE] = 'x';
	p[100] = 'y';
	show(ftruncate(fd, 50));
	show(ftruncate(fd, 3 * PAGE));
	printf("%d %d\n", p[100], p[2 * PAGE]);
	show(lseek(fd, 0, SEEK_END));
	show(ftruncate(fd, 0));
	show(lseek(fd, 0, SEEK_CUR));
	show(write(fd, "z", 1));
	must(fstat(fd, &st));
	printf("%ld\n", (long)st.st_size);
	show(ftruncate(fd, -1));
	show(truncate("absent", 0));
	must(mkdir("d", 0755));
	show(truncate("d", 0));
	show(ftruncate(must(open("f", O_RDONLY)), 0));
	int pipe_fd[2];
	must(pipe(pipe_fd));
	show(ftruncate(pipe_fd[1], 0));
	show(ftruncate(fd, 1l << 40));
	must(fstat(fd, &st));
	printf("%ld\n", (long)st.st_size);
	return 0;
}
