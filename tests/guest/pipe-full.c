/* A full pipe: what fits, EAGAIN, atomic writes of up to PIPE_BUF, poll, and a larger size. */
#include "lib/check.h"

int main(void)
{
	int fd[2];
	static char buf[70000];
	must(pipe2(fd, O_NONBLOCK));
	struct pollfd p = {fd[1], POLLOUT, 0};
	show(fcntl(fd[1], F_GETPIPE_SZ));
	show(read(fd[0], buf, 1));
	show(write(fd[1], buf, 57344));
	show(poll(&p, 1, 0));
	show(write(fd[1], buf, sizeof(buf)));
	show(write(fd[1], buf, 1));
	show(poll(&p, 1, 0));
	show(read(fd[0], buf, 100));
	show(poll(&p, 1, 0));
	show(write(fd[1], buf, 4096));
	show(read(fd[0], buf, 3996));
	show(write(fd[1], buf, 4096));
	show(fcntl(fd[1], F_SETPIPE_SZ, 1 << 20));
	show(fcntl(fd[0], F_GETPIPE_SZ));
	show(fcntl(fd[0], F_SETPIPE_SZ, 4096));
	long total = 0, n;
	while ((n = read(fd[0], buf, sizeof(buf))) > 0)
		total += n;
	printf("%ld\n", total);
	show(fcntl(fd[0], F_SETPIPE_SZ, 5000));
	show(fcntl(fd[0], F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	show(fcntl(fd[1], F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	return 0;
}
