/* Half-closed connections: each direction ends by itself, poll tells, writing after it is EPIPE. */
#include "lib/net.h"

static void events(int fd)
{
	struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
	poll(&p, 1, 100);
	printf("events %#x\n", p.revents);
}

int main(void)
{
	int fd[2];
	char buf[16] = "";
	signal(SIGPIPE, SIG_IGN);
	tcp_pair(fd);
	events(fd[0]);
	must(write(fd[0], "request", 7));
	show(shutdown(fd[0], SHUT_WR));
	show(write(fd[0], "x", 1));
	sleep_ms(20);
	events(fd[1]);
	show(read(fd[1], buf, 16));
	show(read(fd[1], buf, 16));
	show(write(fd[1], "answer", 6));
	sleep_ms(20);
	events(fd[0]);
	show(read(fd[0], buf, 16));
	show(close(fd[1]));
	sleep_ms(20);
	show(read(fd[0], buf, 16));
	events(fd[0]);
	show(shutdown(fd[0], SHUT_RDWR));
	tcp_pair(fd);
	show(shutdown(fd[0], SHUT_RD));
	show(read(fd[0], buf, 16));
	show(write(fd[0], "out", 3));
	show(read(fd[1], buf, 16));
	show(shutdown(fd[0], 7));
	int s = must(socket(AF_INET, SOCK_STREAM, 0));
	show(shutdown(s, SHUT_RDWR));
	show(write(s, "x", 1));
	show(read(s, buf, 1));
	return 0;
}
