/* Timeouts of io_uring: alone, counting completions, absolute, removed, updated, linked; those of enter itself. */
#include "lib/uring.h"
#include <linux/time_types.h>

static struct __kernel_timespec ms(unsigned n)
{
	return (struct __kernel_timespec){n / 1000, n % 1000 * 1000000};
}

int main(void)
{
	struct ring r;
	ring_open(&r, 16);
	struct __kernel_timespec t = ms(30), far = ms(100000), bad = {0, 2000000000};
	int p[2];
	char buf[16];
	must(pipe(p));
	uint64_t before = now_ns(CLOCK_MONOTONIC);
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &t, 1, 0, 1);
	ring_do(&r, 1);
	is(now_ns(CLOCK_MONOTONIC) - before >= 30000000);
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &bad, 1, 0, 2);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &t, 2, 0, 3);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, (void *)8, 1, 0, 4);
	ring_do(&r, 1);
	/* Two completions, whatever the time. */
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &far, 1, 2, 5);
	show(ring_submit(&r, 0));
	ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, 6);
	ring_do(&r, 1);
	show(ring_ready(&r));
	ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, 7);
	ring_do(&r, 2);
	/* A time of day that has passed. */
	struct __kernel_timespec then = {0, 1};
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &then, 1, 0, 8)->timeout_flags = IORING_TIMEOUT_ABS;
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &then, 1, 0, 9)->timeout_flags =
		IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME;
	must(ring_submit(&r, 1));
	ring_show(&r, 1);
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &far, 1, 0, 10);
	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, (void *)10, 0, 0, 11);
	ring_do(&r, 2);
	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, (void *)10, 0, 0, 12);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &far, 1, 0, 13);
	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, (void *)13, 0, (uintptr_t)&t, 14)
		->timeout_flags = IORING_TIMEOUT_UPDATE;
	ring_do(&r, 2);
	/* A read that takes too long; one that does not. */
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 8, 0, 20)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_LINK_TIMEOUT, -1, &t, 1, 0, 21);
	ring_do(&r, 2);
	must(write(p[1], "x", 1));
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 1, 0, 22)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_LINK_TIMEOUT, -1, &far, 1, 0, 23);
	ring_do(&r, 2);
	ring_sqe(&r, IORING_OP_LINK_TIMEOUT, -1, &far, 1, 0, 24);
	ring_do(&r, 1);
	/* A timeout that counts as a success lets the next one begin. */
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &t, 1, 0, 25)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, 26);
	ring_do(&r, 2);
	struct io_uring_sqe *s = ring_sqe(&r, IORING_OP_TIMEOUT, -1, &t, 1, 0, 27);
	s->flags = IOSQE_IO_LINK;
	s->timeout_flags = IORING_TIMEOUT_ETIME_SUCCESS;
	ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, 28);
	ring_do(&r, 2);
	/* Waiting for completions with an end. */
	struct io_uring_getevents_arg e = {.ts = (uintptr_t)&t};
	show(syscall(SYS_io_uring_enter, r.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
		&e, sizeof(e)));
	show(syscall(SYS_io_uring_enter, r.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
		&e, 3));
	e.ts = 8;
	show(syscall(SYS_io_uring_enter, r.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
		&e, sizeof(e)));
	ring_close(&r);
	return 0;
}
