/* Eight threads in one epoll_wait on four CPUs: every event once, by oneshot and by edge. */
/* test: cpus=4 */
#include "lib/check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { FDS = 16, EVENTS = 400 };
static int ep, fds[FDS], stop;
static atomic_long taken;

static void *worker(void *unused)
{
	struct epoll_event e;
	for (;;) {
		int n = epoll_wait(ep, &e, 1, -1);
		if (n != 1)
			continue;
		if (e.data.fd == stop)
			return NULL;
		uint64_t value = 0;
		must(read(e.data.fd, &value, 8));
		atomic_fetch_add(&taken, value);
		e.events = EPOLLIN | EPOLLONESHOT;
		must(epoll_ctl(ep, EPOLL_CTL_MOD, e.data.fd, &e));
	}
}

int main(void)
{
	pthread_t thread[8];
	ep = must(epoll_create1(0));
	for (int i = 0; i < FDS; i++) {
		fds[i] = must(eventfd(0, 0));
		struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fds[i]};
		must(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e));
	}
	for (int i = 0; i < 8; i++)
		thread[i] = start(worker, NULL);
	for (int n = 0; n < EVENTS; n++)
		for (int i = 0; i < FDS; i++)
			must(eventfd_write(fds[i], 1));
	for (int tries = 0; tries < 1000 && taken < FDS * EVENTS; tries++)
		sleep_ms(5);
	printf("%ld\n", taken);
	stop = must(eventfd(1, 0));
	struct epoll_event e = {.events = EPOLLIN, .data.fd = stop};
	must(epoll_ctl(ep, EPOLL_CTL_ADD, stop, &e));
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
