/* io_uring on sockets: accept, connect, send, recv, messages, provided buffers, multishot, shutdown. */
#include "lib/uring.h"
#include <arpa/inet.h>
#include <netinet/in.h>

#define GROUP 5

static char pool[8][64];

static void provide(struct ring *r, unsigned first, unsigned n, uint64_t data)
{
	struct io_uring_sqe *s = ring_sqe(
		r, IORING_OP_PROVIDE_BUFFERS, (int)n, pool[first], sizeof(pool[0]), first, data);
	s->buf_group = GROUP;
	ring_do(r, 1);
}

static struct io_uring_sqe *select_recv(struct ring *r, int fd, uint64_t data)
{
	struct io_uring_sqe *s = ring_sqe(r, IORING_OP_RECV, fd, NULL, 0, 0, data);
	s->flags = IOSQE_BUFFER_SELECT;
	s->buf_group = GROUP;
	return s;
}

/* A completion with a buffer: what is in it. */
static void show_buffer(struct ring *r)
{
	struct io_uring_cqe c = ring_take(r);
	cqe_show(&c);
	if (c.flags & IORING_CQE_F_BUFFER)
		printf("    %.*s\n", c.res, pool[c.flags >> IORING_CQE_BUFFER_SHIFT]);
}

static void pairs(struct ring *r)
{
	int sv[2];
	char buf[64];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ring_sqe(r, IORING_OP_RECV, sv[0], buf, sizeof(buf), 0, 10);
	show(ring_submit(r, 0));
	ring_sqe(r, IORING_OP_SEND, sv[1], "hello", 5, 0, 11);
	ring_do(r, 2);
	ring_sqe(r, IORING_OP_RECV, sv[0], buf, sizeof(buf), 0, 12)->msg_flags = MSG_DONTWAIT;
	ring_do(r, 1);
	/* All of it, in two pieces. */
	ring_sqe(r, IORING_OP_RECV, sv[0], buf, 10, 0, 13)->msg_flags = MSG_WAITALL;
	show(ring_submit(r, 0));
	must(write(sv[1], "12345", 5));
	show(ring_ready(r));
	must(write(sv[1], "67890", 5));
	ring_show(r, 1);
	printf("%.10s\n", buf);
	struct iovec v = {"message", 7};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	ring_sqe(r, IORING_OP_SENDMSG, sv[1], &m, 1, 0, 14);
	ring_do(r, 1);
	struct iovec w[2] = {{buf, 3}, {buf + 32, 32}};
	struct msghdr in = {.msg_iov = w, .msg_iovlen = 2};
	ring_sqe(r, IORING_OP_RECVMSG, sv[0], &in, 1, 0, 15);
	ring_do(r, 1);
	printf("%.3s|%.4s flags %d\n", buf, buf + 32, in.msg_flags);
	ring_sqe(r, IORING_OP_SEND, 1, "x", 1, 0, 16);
	ring_do(r, 1);
	/* Buffers of a group. */
	select_recv(r, sv[0], 20);
	show(ring_submit(r, 0));
	must(write(sv[1], "none", 4));
	ring_show(r, 1);
	must(read(sv[0], buf, 4));
	provide(r, 0, 4, 21);
	select_recv(r, sv[0], 22);
	show(ring_submit(r, 0));
	must(write(sv[1], "first", 5));
	show_buffer(r);
	/* As long as there are any. */
	select_recv(r, sv[0], 23)->ioprio = IORING_RECV_MULTISHOT;
	show(ring_submit(r, 0));
	for (int i = 0; i < 4; i++) {
		must(write(sv[1], &"abcd"[i], 1));
		show_buffer(r);
	}
	must(read(sv[0], buf, 1));
	provide(r, 4, 4, 24);
	select_recv(r, sv[0], 25)->ioprio = IORING_RECV_MULTISHOT;
	show(ring_submit(r, 0));
	must(write(sv[1], "last", 4));
	show_buffer(r);
	ring_sqe(r, IORING_OP_SHUTDOWN, sv[1], NULL, SHUT_WR, 0, 26);
	ring_do(r, 2);
	struct io_uring_sqe *s = ring_sqe(r, IORING_OP_REMOVE_BUFFERS, 64, NULL, 0, 0, 27);
	s->buf_group = GROUP;
	ring_do(r, 1);
	ring_sqe(r, IORING_OP_SEND, sv[1], "x", 1, 0, 28);
	ring_do(r, 1);
	close(sv[0]);
	close(sv[1]);
}

static void tcp(struct ring *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
			   peer;
	socklen_t len = sizeof(a);
	int listener = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	must(bind(listener, (void *)&a, sizeof(a)));
	must(getsockname(listener, (void *)&a, &len));
	must(listen(listener, 8));
	ring_sqe(r, IORING_OP_ACCEPT, listener, &peer, 0, (uintptr_t)&len, 40);
	show(ring_submit(r, 0));
	ring_sqe(r, IORING_OP_SOCKET, AF_INET, NULL, 0, SOCK_STREAM, 41);
	must(ring_submit(r, 1));
	struct io_uring_cqe c = ring_take(r);
	int client = c.res;
	is(client >= 0);
	ring_sqe(r, IORING_OP_CONNECT, client, &a, 0, sizeof(a), 42);
	must(ring_submit(r, 2));
	int server = -1;
	for (int i = 0; i < 2; i++) {
		c = ring_take(r);
		if (c.user_data == 40)
			server = c.res;
		else
			cqe_show(&c);
	}
	is(server >= 0);
	is(peer.sin_family == AF_INET && len == sizeof(peer));
	char buf[32] = "";
	ring_sqe(r, IORING_OP_RECV, server, buf, sizeof(buf), 0, 43);
	ring_sqe(r, IORING_OP_SEND_ZC, client, "zero", 4, 0, 44);
	must(ring_submit(r, 0));
	struct io_uring_cqe zero[3];
	for (int i = 0; i < 3; i++)
		zero[i] = ring_take(r);
	int notified = 0, sent = 0;
	for (int i = 0; i < 3; i++) {
		notified += zero[i].user_data == 44 && (zero[i].flags & IORING_CQE_F_NOTIF) != 0;
		sent += zero[i].user_data == 44 && zero[i].res == 4 &&
			(zero[i].flags & IORING_CQE_F_MORE) != 0;
		if (zero[i].user_data == 43)
			cqe_show(&zero[i]);
	}
	is(notified == 1 && sent == 1);
	printf("%s\n", buf);
	close(client);
	ring_sqe(r, IORING_OP_RECV, server, buf, sizeof(buf), 0, 45);
	ring_do(r, 1);
	close(server);
	/* Many connections of one request. */
	ring_sqe(r, IORING_OP_ACCEPT, listener, NULL, 0, 0, 46)->ioprio = IORING_ACCEPT_MULTISHOT;
	must(ring_submit(r, 0));
	for (int i = 0; i < 3; i++) {
		client = (int)must(socket(AF_INET, SOCK_STREAM, 0));
		must(connect(client, (void *)&a, sizeof(a)));
		c = ring_take(r);
		is(c.res >= 0 && (c.flags & IORING_CQE_F_MORE));
		close(c.res);
		close(client);
	}
	/* Nobody listens there. */
	close(listener);
	ring_sqe(r, IORING_OP_ASYNC_CANCEL, -1, (void *)46, 0, 0, 47);
	ring_do(r, 2);
	client = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	ring_sqe(r, IORING_OP_CONNECT, client, &a, 0, sizeof(a), 48);
	ring_do(r, 1);
	close(client);
}

int main(void)
{
	struct ring r;
	ring_open(&r, 16);
	pairs(&r);
	tcp(&r);
	ring_close(&r);
	return 0;
}
