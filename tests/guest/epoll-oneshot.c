/* EPOLLONESHOT disarms after one report; MOD arms it again. */
#include "lib/check.h"
#include <sys/epoll.h>

int main(void)
{
	int fd[2];
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = 1}, got;
	must(pipe(fd));
	int ep = must(epoll_create1(0));
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e));
	must(write(fd[1], "x", 1));
	show(epoll_wait(ep, &got, 1, 0));
	show(epoll_wait(ep, &got, 1, 0));
	must(write(fd[1], "y", 1));
	show(epoll_wait(ep, &got, 1, 20));
	e.data.u32 = 2;
	must(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &e));
	show(epoll_wait(ep, &got, 1, 0));
	printf("%u\n", got.data.u32);
	close(fd[1]);
	show(epoll_wait(ep, &got, 1, 20));
	return 0;
}
