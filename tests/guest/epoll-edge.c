/* epoll, edge-triggered: one report for each arrival, on pipes and sockets. */
#include "lib/check.h"
#include <sys/epoll.h>

static int ep;

static void wait_now(void)
{
	struct epoll_event got[8];
	int n = epoll_wait(ep, got, 8, 0);
	printf("%d:", n);
	for (int i = 0; i < n; i++)
		printf(" %#x", got[i].events);
	puts("");
}

int main(void)
{
	int fd[2], pair[2];
	char buf[70000];
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	must(pipe(fd));
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	ep = must(epoll_create1(0));
	must(write(fd[1], "early", 5));
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e));
	wait_now();
	wait_now();
	must(write(fd[1], "more", 4));
	wait_now();
	must(read(fd[0], buf, 3));
	wait_now();
	must(write(fd[1], "more", 4));
	must(write(fd[1], "more", 4));
	wait_now();
	wait_now();
	must(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &e));
	wait_now();
	close(fd[1]);
	wait_now();
	must(epoll_ctl(ep, EPOLL_CTL_DEL, fd[0], NULL));
	e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	must(epoll_ctl(ep, EPOLL_CTL_ADD, pair[0], &e));
	wait_now();
	wait_now();
	must(write(pair[1], "x", 1));
	wait_now();
	must(read(pair[0], buf, sizeof(buf)));
	wait_now();
	must(shutdown(pair[1], SHUT_WR));
	wait_now();
	close(pair[1]);
	wait_now();
	wait_now();
	return 0;
}
