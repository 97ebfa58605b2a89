/* EPOLLEXCLUSIVE: of several epolls on one descriptor at least one wakes; its limits. */
/* test: cpus=2 */
#include "lib/check.h"
#include <sys/epoll.h>

static int fd[2];
static atomic_int ready, woken;

static void *waiter(void *unused)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	char c;
	int ep = must(epoll_create1(0));
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e));
	ready++;
	for (;;) {
		must(epoll_wait(ep, &e, 1, -1));
		ssize_t n = read(fd[0], &c, 1);
		if (n == 0)
			return NULL;
		if (n == 1)
			woken++;
	}
}

int main(void)
{
	pthread_t thread[4];
	must(pipe2(fd, O_NONBLOCK));
	for (int i = 0; i < 4; i++)
		thread[i] = start(waiter, NULL);
	while (ready < 4)
		sleep_ms(1);
	for (int i = 0; i < 50; i++) {
		must(write(fd[1], "x", 1));
		while (woken <= i)
			sleep_ms(1);
	}
	printf("%d\n", woken);
	close(fd[1]);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	int ep = must(epoll_create1(0)), p[2];
	must(pipe(p));
	struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT};
	show(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	e.events = EPOLLIN | EPOLLEXCLUSIVE;
	show(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	show(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	return 0;
}
