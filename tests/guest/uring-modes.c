/* Rings of other kinds: a submission thread, wide entries, deferred work, overflow, messages between rings, epoll. */
/* test: cpus=2 */
#include "lib/uring.h"
#include <sys/epoll.h>

static void thread_submits(void)
{
	struct ring r;
	const struct io_uring_params p = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 20};
	ring_open_with(&r, 8, &p);
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 4; i++)
			ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, i);
		atomic_fetch_add(r.sq_tail, r.pending);
		r.pending = 0;
		atomic_thread_fence(memory_order_seq_cst);
		if (*r.sq_flags & IORING_SQ_NEED_WAKEUP)
			must(ring_enter(&r, 4, 0, IORING_ENTER_SQ_WAKEUP));
		ring_show(&r, 4);
		sleep_ms(60);
	}
	/* A busy host's thread may need longer. */
	for (int i = 0; i < 100 && !(*r.sq_flags & IORING_SQ_NEED_WAKEUP); i++)
		sleep_ms(20);
	is(*r.sq_flags & IORING_SQ_NEED_WAKEUP);
	ring_close(&r);
}

static void wide(void)
{
	struct ring r;
	const struct io_uring_params p = {.flags = IORING_SETUP_SQE128 | IORING_SETUP_CQE32};
	ring_open_with(&r, 4, &p);
	for (uint64_t i = 0; i < 20; i++) {
		ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, i);
		must(ring_submit(&r, 1));
		is(ring_take(&r).user_data == i);
	}
	ring_close(&r);
}

static void deferred(void)
{
	struct ring r;
	int pipes[2];
	must(pipe(pipes));
	const struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER |
						   IORING_SETUP_DEFER_TASKRUN |
						   IORING_SETUP_TASKRUN_FLAG};
	ring_open_with(&r, 4, &p);
	ring_sqe(&r, IORING_OP_POLL_ADD, pipes[0], NULL, 0, 0, 1)->poll32_events = POLLIN;
	show(ring_submit(&r, 0));
	must(write(pipes[1], "x", 1));
	sleep_ms(20);
	/* Only when it is asked for. */
	show(ring_ready(&r));
	is(*r.sq_flags & IORING_SQ_TASKRUN);
	struct pollfd f = {r.fd, POLLIN, 0};
	show(poll(&f, 1, 0));
	show(ring_enter(&r, 0, 0, IORING_ENTER_GETEVENTS));
	show(ring_ready(&r));
	ring_show(&r, 1);
	is(!(*r.sq_flags & IORING_SQ_TASKRUN));
	ring_close(&r);
}

static void overflow(void)
{
	struct ring r;
	ring_open(&r, 4);
	for (uint64_t i = 0; i < 12; i++) {
		ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, i);
		must(ring_submit(&r, 0));
	}
	show(ring_ready(&r));
	is(*r.sq_flags & IORING_SQ_CQ_OVERFLOW);
	for (int i = 0; i < 8; i++)
		ring_take(&r);
	show(ring_enter(&r, 0, 0, IORING_ENTER_GETEVENTS));
	is(!(*r.sq_flags & IORING_SQ_CQ_OVERFLOW));
	ring_show(&r, 4);
	printf("lost %u\n", *r.cq_overflow);
	ring_close(&r);
}

static void messages(void)
{
	struct ring a, b;
	ring_open(&a, 4);
	ring_open(&b, 4);
	ring_sqe(&a, IORING_OP_MSG_RING, b.fd, NULL, 1234, 77, 1);
	ring_do(&a, 1);
	ring_show(&b, 1);
	ring_sqe(&a, IORING_OP_MSG_RING, 0, NULL, 1234, 77, 2);
	ring_do(&a, 1);
	int e = (int)must(epoll_create1(0));
	struct epoll_event event = {.events = EPOLLIN};
	must(epoll_ctl(e, EPOLL_CTL_ADD, b.fd, &event));
	show(epoll_wait(e, &event, 1, 0));
	ring_sqe(&a, IORING_OP_MSG_RING, b.fd, NULL, 5, 78, 3);
	ring_do(&a, 1);
	show(epoll_wait(e, &event, 1, 1000));
	ring_show(&b, 1);
	show(epoll_wait(e, &event, 1, 0));
	/* epoll_ctl by request. */
	int p[2];
	must(pipe(p));
	ring_sqe(&a, IORING_OP_EPOLL_CTL, e, &event, EPOLL_CTL_ADD, (uint64_t)p[0], 4);
	ring_do(&a, 1);
	must(write(p[1], "x", 1));
	show(epoll_wait(e, &event, 1, 1000));
	ring_close(&a);
	ring_close(&b);
}

static atomic_int interrupted;

static void on_alarm(int signal)
{
	interrupted++;
}

/* A signal ends the wait; submissions that were made are told first. */
static void signals(void)
{
	struct ring r;
	struct sigaction a = {.sa_handler = on_alarm};
	sigaction(SIGALRM, &a, NULL);
	ring_open(&r, 4);
	const struct itimerval soon = {.it_value = {0, 30000}};
	setitimer(ITIMER_REAL, &soon, NULL);
	show(ring_enter(&r, 0, 1, IORING_ENTER_GETEVENTS));
	is(interrupted == 1);
	ring_close(&r);
}

int main(void)
{
	thread_submits();
	wide();
	deferred();
	overflow();
	messages();
	signals();
	return 0;
}
