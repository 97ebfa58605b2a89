/* epoll, level-triggered: reports until drained; data comes back; ctl refuses nonsense. */
#include "lib/check.h"
#include <sys/epoll.h>

int main(void)
{
	int fd[2], other[2];
	char c;
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0}, got[4];
	must(pipe(fd));
	must(pipe(other));
	int ep = must(epoll_create1(EPOLL_CLOEXEC));
	show(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e));
	show(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e));
	show(epoll_wait(ep, got, 4, 0));
	must(write(fd[1], "ab", 2));
	for (int i = 0; i < 3; i++) {
		show(epoll_wait(ep, got, 4, 1000));
		printf("%#x %lx\n", got[0].events, (unsigned long)got[0].data.u64);
		if (i)
			must(read(fd[0], &c, 1));
	}
	show(epoll_wait(ep, got, 4, 0));
	e.events = EPOLLOUT;
	e.data.fd = 5;
	show(epoll_ctl(ep, EPOLL_CTL_ADD, other[1], &e));
	must(write(fd[1], "c", 1));
	show(epoll_wait(ep, got, 4, 0));
	show(epoll_wait(ep, got, 1, 0));
	e.events = 0;
	show(epoll_ctl(ep, EPOLL_CTL_MOD, other[1], &e));
	show(epoll_wait(ep, got, 4, 0));
	close(other[0]);
	show(epoll_wait(ep, got, 4, 0));
	show(epoll_ctl(ep, EPOLL_CTL_DEL, other[1], NULL));
	show(epoll_ctl(ep, EPOLL_CTL_DEL, other[1], NULL));
	show(epoll_ctl(ep, EPOLL_CTL_MOD, other[1], &e));
	show(epoll_ctl(ep, EPOLL_CTL_ADD, 999, &e));
	show(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e));
	show(epoll_ctl(ep, EPOLL_CTL_ADD, must(open("f", O_CREAT | O_RDWR, 0600)), &e));
	show(epoll_ctl(fd[0], EPOLL_CTL_ADD, fd[1], &e));
	show(epoll_ctl(ep, 9, fd[1], &e));
	show(epoll_ctl(ep, EPOLL_CTL_ADD, fd[1], NULL));
	show(epoll_wait(ep, got, 0, 0));
	show(epoll_wait(fd[0], got, 1, 0));
	show(epoll_wait(ep, wild(), 1, 0));
	show(epoll_create(0));
	show(epoll_create1(1));
	close(fd[1]);
	must(read(fd[0], &c, 1));
	show(epoll_wait(ep, got, 4, 0));
	printf("%#x\n", got[0].events);
	close(fd[0]);
	show(epoll_wait(ep, got, 4, 0));
	return 0;
}
