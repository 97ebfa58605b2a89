/* Cancelling in io_uring: by number, by file, all, in vain; by the ring's end, execve; requests outlive their thread. */
/* test: cpus=2 */
#include "lib/uring.h"
#include <linux/time_types.h>

static void read_pipe(struct ring *r, int fd, uint64_t data)
{
	static char buf[64];
	ring_sqe(r, IORING_OP_READ, fd, buf, sizeof(buf), 0, data);
}

static void cancel(struct ring *r, int fd, uint64_t what, unsigned flags, uint64_t data)
{
	ring_sqe(r, IORING_OP_ASYNC_CANCEL, fd, (void *)what, 0, 0, data)->cancel_flags = flags;
}

struct submitter {
	struct ring *r;
	int fd;
};

static void *submit_and_leave(void *arg)
{
	struct submitter *s = arg;
	read_pipe(s->r, s->fd, 40);
	must(ring_submit(s->r, 0));
	return NULL;
}

int main(int argc, char **argv)
{
	struct ring r;
	int p[2], q[2];
	if (argc > 1) {
		printf("again\n");
		return 0;
	}
	ring_open(&r, 16);
	must(pipe(p));
	must(pipe(q));
	read_pipe(&r, p[0], 1);
	cancel(&r, -1, 1, 0, 2);
	ring_do(&r, 2);
	cancel(&r, -1, 1, 0, 3);
	ring_do(&r, 1);
	read_pipe(&r, p[0], 4);
	read_pipe(&r, p[0], 4);
	read_pipe(&r, q[0], 5);
	show(ring_submit(&r, 0));
	cancel(&r, -1, 4, IORING_ASYNC_CANCEL_ALL, 6);
	ring_do(&r, 3);
	cancel(&r, q[0], 0, IORING_ASYNC_CANCEL_FD, 7);
	ring_do(&r, 2);
	read_pipe(&r, p[0], 8);
	read_pipe(&r, q[0], 9);
	cancel(&r, -1, 0, IORING_ASYNC_CANCEL_ANY, 10);
	ring_do(&r, 3);
	cancel(&r, -1, 0, 1u << 20, 11);
	ring_do(&r, 1);
	/* Of a chain, what has not begun fails with it. */
	ring_sqe(&r, IORING_OP_POLL_ADD, p[0], NULL, 0, 0, 12)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, 13);
	cancel(&r, -1, 12, 0, 14);
	ring_do(&r, 3);
	struct __kernel_timespec t = {100, 0};
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &t, 1, 0, 15);
	cancel(&r, -1, 15, 0, 16);
	ring_do(&r, 2);
	/* At once, from outside. */
	read_pipe(&r, p[0], 17);
	show(ring_submit(&r, 0));
	struct io_uring_sync_cancel_reg c = {.addr = 17, .fd = -1, .timeout = {-1, -1}};
	show(ring_register(&r, IORING_REGISTER_SYNC_CANCEL, &c, 1));
	show(ring_register(&r, IORING_REGISTER_SYNC_CANCEL, &c, 1));
	ring_show(&r, 1);
	/* What a thread asked for outlives it. */
	struct submitter s = {&r, p[0]};
	pthread_join(start(submit_and_leave, &s), NULL);
	show(ring_ready(&r));
	must(write(p[1], "x", 1));
	/* Linux says either, by how far the thread's end has come. */
	int res = ring_take(&r).res;
	is(res == 1 || res == -ECANCELED);
	/* The ring goes with requests under way, and what they held is free. */
	read_pipe(&r, p[0], 18);
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &t, 1, 0, 19);
	ring_sqe(&r, IORING_OP_POLL_ADD, r.fd, NULL, 0, 0, 20)->poll32_events = POLLPRI;
	show(ring_submit(&r, 0));
	ring_close(&r);
	close(p[0]);
	sleep_ms(50);
	signal(SIGPIPE, SIG_IGN);
	show(write(p[1], "x", 1));
	/* Another program begins while requests wait. */
	ring_open(&r, 16);
	read_pipe(&r, q[0], 21);
	ring_sqe(&r, IORING_OP_TIMEOUT, -1, &t, 1, 0, 22);
	show(ring_submit(&r, 0));
	fcntl(r.fd, F_SETFD, 0);
	char *const arguments[] = {argv[0], "again", NULL};
	execv("/proc/self/exe", arguments);
	must(-1);
	return 1;
}
