/* IORING_OP_POLL_ADD: once, many times, updated, removed; on eventfd, pipe, socket, timerfd, another ring. */
#include "lib/uring.h"
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static struct io_uring_sqe *poll_add(
	struct ring *r, int fd, unsigned events, unsigned flags, uint64_t data)
{
	struct io_uring_sqe *s = ring_sqe(r, IORING_OP_POLL_ADD, fd, NULL, flags, 0, data);
	s->poll32_events = events;
	return s;
}

int main(void)
{
	struct ring r;
	ring_open(&r, 16);
	int fd = (int)must(eventfd(0, EFD_NONBLOCK)), p[2];
	must(pipe(p));
	uint64_t n;
	poll_add(&r, fd, POLLIN, 0, 1);
	show(ring_submit(&r, 0));
	show(ring_ready(&r));
	must(eventfd_write(fd, 1));
	ring_show(&r, 1);
	/* Ready already. */
	poll_add(&r, fd, POLLIN | POLLOUT, 0, 2);
	ring_do(&r, 1);
	must(read(fd, &n, 8));
	/* Each piece of news. */
	poll_add(&r, fd, POLLIN, IORING_POLL_ADD_MULTI, 3);
	show(ring_submit(&r, 0));
	for (int i = 0; i < 3; i++) {
		must(eventfd_write(fd, 1));
		ring_show(&r, 1);
		must(read(fd, &n, 8));
	}
	/* Another name. */
	struct io_uring_sqe *s = ring_sqe(
		&r, IORING_OP_POLL_REMOVE, -1, (void *)3, IORING_POLL_UPDATE_USER_DATA, 33, 4);
	(void)s;
	ring_do(&r, 1);
	must(eventfd_write(fd, 1));
	ring_show(&r, 1);
	must(read(fd, &n, 8));
	ring_sqe(&r, IORING_OP_POLL_REMOVE, -1, (void *)33, 0, 0, 5);
	ring_do(&r, 2);
	ring_sqe(&r, IORING_OP_POLL_REMOVE, -1, (void *)33, 0, 0, 6);
	ring_do(&r, 1);
	/* Hang-up comes unasked. */
	poll_add(&r, p[0], POLLPRI, 0, 7);
	show(ring_submit(&r, 0));
	close(p[1]);
	ring_show(&r, 1);
	poll_add(&r, 77, POLLIN, 0, 8);
	ring_do(&r, 1);
	int sv[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	poll_add(&r, sv[0], POLLIN | POLLRDHUP, 0, 9);
	show(ring_submit(&r, 0));
	must(shutdown(sv[1], SHUT_WR));
	ring_show(&r, 1);
	int t = (int)must(timerfd_create(CLOCK_MONOTONIC, 0));
	const struct itimerspec soon = {.it_value = {0, 20000000}};
	must(timerfd_settime(t, 0, &soon, NULL));
	poll_add(&r, t, POLLIN, 0, 10);
	ring_do(&r, 1);
	/* A ring is a file, too. */
	struct ring other;
	ring_open(&other, 4);
	poll_add(&r, other.fd, POLLIN, 0, 11);
	show(ring_submit(&r, 0));
	ring_sqe(&other, IORING_OP_NOP, 0, NULL, 0, 0, 1);
	ring_do(&other, 1);
	ring_show(&r, 1);
	/* Bad words. */
	poll_add(&r, fd, POLLIN, 0x40, 12);
	ring_do(&r, 1);
	ring_close(&other);
	ring_close(&r);
	return 0;
}
