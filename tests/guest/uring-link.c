/* Chains of io_uring: in order, broken, hard, drained; completions that are skipped. */
#include "lib/uring.h"

static struct io_uring_sqe *nop(struct ring *r, uint64_t data, unsigned flags)
{
	struct io_uring_sqe *s = ring_sqe(r, IORING_OP_NOP, -1, NULL, 0, 0, data);
	s->flags = (uint8_t)flags;
	return s;
}

/* In the order they come. */
static void show_in_order(struct ring *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct io_uring_cqe c = ring_take(r);
		cqe_show(&c);
	}
}

int main(void)
{
	struct ring r;
	char buf[32] = "";
	int p[2];
	ring_open(&r, 16);
	must(pipe(p));
	ring_sqe(&r, IORING_OP_WRITE, p[1], "abc", 3, 0, 1)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 3, 0, 2)->flags = IOSQE_IO_LINK;
	nop(&r, 3, 0);
	show(ring_submit(&r, 3));
	show_in_order(&r, 3);
	/* A read that is not yet possible holds the others back. */
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 3, 0, 4)->flags = IOSQE_IO_LINK;
	nop(&r, 5, 0);
	nop(&r, 6, 0);
	show(ring_submit(&r, 1));
	show_in_order(&r, 1);
	must(write(p[1], "xyz", 3));
	show_in_order(&r, 2);
	/* An error breaks a chain; a hard link holds. */
	ring_sqe(&r, IORING_OP_READ, 99, buf, 3, 0, 7)->flags = IOSQE_IO_LINK;
	nop(&r, 8, IOSQE_IO_LINK);
	nop(&r, 9, 0);
	nop(&r, 10, 0);
	show(ring_submit(&r, 4));
	ring_show(&r, 4);
	ring_sqe(&r, IORING_OP_READ, 99, buf, 3, 0, 11)->flags = IOSQE_IO_HARDLINK;
	nop(&r, 12, IOSQE_IO_LINK);
	nop(&r, 13, 0);
	show(ring_submit(&r, 3));
	show_in_order(&r, 3);
	/* Fewer bytes than asked for are a failure, too. */
	must(write(p[1], "ab", 2));
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 3, 0, 14)->flags = IOSQE_IO_LINK;
	nop(&r, 15, 0);
	show(ring_submit(&r, 2));
	show_in_order(&r, 2);
	/* A bad one in the middle: nothing of the chain begins. */
	nop(&r, 16, IOSQE_IO_LINK);
	ring_sqe(&r, 250, 0, NULL, 0, 0, 17)->flags = IOSQE_IO_LINK;
	show(ring_submit(&r, 0));
	ring_show(&r, 2);
	/* Only failures are told. */
	nop(&r, 20, IOSQE_CQE_SKIP_SUCCESS);
	ring_sqe(&r, IORING_OP_READ, 99, buf, 3, 0, 21)->flags = IOSQE_CQE_SKIP_SUCCESS;
	nop(&r, 22, 0);
	show(ring_submit(&r, 2));
	show_in_order(&r, 2);
	ring_close(&r);
	/* After all others, before all others. */
	ring_open(&r, 16);
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 1, 0, 30);
	nop(&r, 31, IOSQE_IO_DRAIN);
	nop(&r, 32, 0);
	show(ring_submit(&r, 0));
	show(ring_ready(&r));
	must(write(p[1], "z", 1));
	show_in_order(&r, 3);
	nop(&r, 33, IOSQE_IO_DRAIN);
	nop(&r, 34, IOSQE_IO_DRAIN);
	show(ring_submit(&r, 2));
	show_in_order(&r, 2);
	ring_close(&r);
	return 0;
}
