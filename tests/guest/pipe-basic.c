/* Pipes: order, end of file, EPIPE, readv and writev, sizes reported by FIONREAD. */
#include "lib/check.h"
#include <sys/ioctl.h>

int main(void)
{
	int fd[2], n;
	char a[4] = "", b[8] = "";
	signal(SIGPIPE, SIG_IGN);
	show(pipe2(fd, 0x7f000000));
	show(pipe(fd));
	printf("%d %d\n", fd[0], fd[1]);
	struct iovec out[] = {{"abc", 3}, {"", 0}, {"defgh", 5}}, in[] = {{a, 3}, {b, 7}};
	show(writev(fd[1], out, 3));
	show(ioctl(fd[0], FIONREAD, &n));
	printf("%d waiting\n", n);
	show(readv(fd[0], in, 2));
	printf("%s %s\n", a, b);
	show(write(fd[0], "x", 1));
	show(read(fd[1], a, 1));
	show(lseek(fd[0], 0, SEEK_CUR));
	show(pread(fd[0], a, 1, 0));
	show(write(fd[1], "last", 4));
	show(close(fd[1]));
	show(read(fd[0], b, 2));
	show(read(fd[0], b, 8));
	show(read(fd[0], b, 8));
	must(pipe(fd));
	close(fd[0]);
	show(write(fd[1], "x", 1));
	signal(SIGPIPE, SIG_DFL);
	write(fd[1], "x", 1);
	puts("not reached");
	return 0;
}
