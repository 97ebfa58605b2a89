/* poll: every event, many descriptors, timeouts, closed and negative descriptors. */
#include "lib/check.h"

int main(void)
{
	int fd[2], many[200];
	must(pipe(fd));
	struct pollfd p[4] = {
		{fd[0], POLLIN, 0}, {fd[1], POLLOUT, 0}, {-1, POLLIN, 7}, {999, POLLIN, 0}};
	show(poll(p, 4, 0));
	printf("%#x %#x %#x %#x\n", p[0].revents, p[1].revents, p[2].revents, p[3].revents);
	must(write(fd[1], "x", 1));
	show(poll(p, 2, -1));
	printf("%#x %#x\n", p[0].revents, p[1].revents);
	close(fd[1]);
	show(poll(p, 1, 0));
	printf("%#x\n", p[0].revents);
	char c;
	must(read(fd[0], &c, 1));
	show(poll(p, 1, 0));
	printf("%#x\n", p[0].revents);
	must(pipe(fd));
	close(fd[0]);
	p[1] = (struct pollfd){fd[1], POLLOUT, 0};
	show(poll(p + 1, 1, 0));
	printf("%#x\n", p[1].revents);
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	show(poll(NULL, 0, 50));
	is(now_ns(CLOCK_MONOTONIC) - begin >= 50000000);
	struct pollfd q[100];
	for (int i = 0; i < 100; i++) {
		must(pipe(many + 2 * i));
		q[i] = (struct pollfd){many[2 * i], POLLIN, 0};
	}
	must(write(many[2 * 57 + 1], "x", 1));
	show(poll(q, 100, 1000));
	printf("%#x %#x\n", q[57].revents, q[58].revents);
	int file = must(open("f", O_RDWR | O_CREAT, 0644));
	p[0] = (struct pollfd){file, POLLIN | POLLOUT | POLLPRI, 0};
	show(poll(p, 1, 0));
	printf("%#x\n", p[0].revents);
	show(poll(wild(), 1, 0));
	return 0;
}
