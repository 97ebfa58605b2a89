/* An epoll inside an epoll and inside poll; a loop of them is refused. */
#include "lib/check.h"
#include <sys/epoll.h>

int main(void)
{
	int fd[2];
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = 1}, got[2];
	must(pipe(fd));
	int inner = must(epoll_create1(0)), outer = must(epoll_create1(0));
	must(epoll_ctl(inner, EPOLL_CTL_ADD, fd[0], &e));
	e.data.u32 = 2;
	must(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &e));
	struct pollfd p = {outer, POLLIN, 0};
	show(epoll_wait(outer, got, 2, 0));
	show(poll(&p, 1, 0));
	must(write(fd[1], "x", 1));
	show(poll(&p, 1, 1000));
	show(epoll_wait(outer, got, 2, 1000));
	printf("%u\n", got[0].data.u32);
	show(epoll_wait(inner, got, 2, 0));
	printf("%u\n", got[0].data.u32);
	char c;
	must(read(fd[0], &c, 1));
	show(epoll_wait(outer, got, 2, 0));
	show(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &e));
	return 0;
}
