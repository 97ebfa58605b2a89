/* TCP's states, errors and timers as programs see them: connect, close, poll, options; expectations are Linux's. */
#include "net_link.h"

#include "kernel/mem/page.h"
#include "kernel/net/demux.h"
#include "kernel/net/tcp_internal.h"

#define expect(got, wanted)                                                                        \
	do {                                                                                       \
		long got_ = (long)(got), wanted_ = (long)(wanted);                                 \
		if (got_ != wanted_)                                                               \
			panic("%s:%d: %s is %ld, not %ld", __FILE__, __LINE__, #got, got_,         \
				wanted_);                                                          \
	} while (0)

#define IN (EPOLLIN | EPOLLRDNORM)
#define OUT (EPOLLOUT | EPOLLWRNORM)

static uint16_t port = 2000;

static enum linux_tcp_state state_of(struct file *f)
{
	struct linux_tcp_info i;
	assert(socket_get_option(f, SOL_TCP, TCP_INFO, &i, sizeof(i)) > 0);
	return i.tcpi_state;
}

static int error_of(struct file *f)
{
	int err = -1;
	assert(socket_get_option(f, SOL_SOCKET, SO_ERROR, &err, sizeof(err)) == sizeof(err));
	return err;
}

static void set_int(struct file *f, int level, int name, int x)
{
	expect(socket_set_option(f, level, name, &x, sizeof(x)), 0);
}

static int get_int(struct file *f, int level, int name)
{
	int x = -1;
	assert(socket_get_option(f, level, name, &x, sizeof(x)) == sizeof(x));
	return x;
}

static void pair(struct file **client, struct file **server)
{
	struct file *l = listen_on(++port, 8);
	*client = new_socket(SOCK_STREAM, 0);
	expect(connect_to(*client, "127.0.0.1", port), 0);
	*server = accept_from(l);
	file_put(l);
}

static void check_new_socket(void)
{
	struct file *f = new_socket(SOCK_STREAM, 0);
	char byte;
	expect(file_poll(f), OUT | EPOLLHUP);
	expect(receive_bytes_of(f, &byte, 1, 0), -ENOTCONN);
	expect(send_bytes(f, "x", 1, 0), -EPIPE);
	expect(socket_shutdown(f, SHUT_WR), -ENOTCONN);
	struct socket_address a;
	expect(socket_peer(f, &a), -ENOTCONN);
	expect(socket_name(f, &a), 0);
	expect(port_of(&a), 0);
	expect(get_int(f, SOL_SOCKET, SO_RCVBUF), 131072);
	expect(get_int(f, SOL_SOCKET, SO_SNDBUF), 16384);
	set_int(f, SOL_SOCKET, SO_RCVBUF, 1);
	expect(get_int(f, SOL_SOCKET, SO_RCVBUF), 2304);
	set_int(f, SOL_SOCKET, SO_SNDBUF, 10000000);
	expect(get_int(f, SOL_SOCKET, SO_SNDBUF), 425984);
	expect(get_int(f, SOL_TCP, TCP_KEEPIDLE), 7200);
	int x = 5;
	expect(socket_set_option(f, SOL_TCP, 99, &x, sizeof(x)), -ENOPROTOOPT);
	expect(socket_set_option(f, SOL_SOCKET, SO_REUSEADDR, &x, 1), -EINVAL);
	file_put(f);
	expect(socket_create(AF_PACKET, SOCK_STREAM, 0, 0, &f), -EAFNOSUPPORT);
	expect(socket_create(AF_INET, SOCK_STREAM, IPPROTO_UDP, 0, &f), -EPROTONOSUPPORT);
	expect(socket_create(AF_INET, SOCK_SEQPACKET, 0, 0, &f), -ESOCKTNOSUPPORT);
}

static void check_refused(void)
{
	struct file *f = new_socket(SOCK_STREAM, 0);
	expect(connect_to(f, "127.0.0.1", 9), -ECONNREFUSED);
	expect(error_of(f), 0);
	/* The same socket may try again. */
	struct file *l = listen_on(++port, 8);
	expect(connect_to(f, "127.0.0.1", port), 0);
	expect(connect_to(f, "127.0.0.1", port), -EISCONN);
	file_put(f);
	file_put(l);
}

static void check_nonblocking_connect(void)
{
	struct file *l = listen_on(++port, 8);
	struct file *f = new_socket(SOCK_STREAM, 04000);
	expect(connect_to(f, "127.0.0.1", port), -EINPROGRESS);
	expect(connect_to(f, "127.0.0.1", port), -EALREADY);
	expect(file_poll(f), 0);
	expect(send_bytes(f, "x", 1, 0), -EAGAIN);
	sleep_ms(10);
	expect(file_poll(f), OUT);
	expect(error_of(f), 0);
	expect(connect_to(f, "127.0.0.1", port), 0);
	expect(connect_to(f, "127.0.0.1", port), -EISCONN);
	expect(file_poll(l), IN);
	file_put(f);
	f = new_socket(SOCK_STREAM, 04000);
	expect(connect_to(f, "127.0.0.1", 9), -EINPROGRESS);
	sleep_ms(10);
	expect(file_poll(f), IN | OUT | EPOLLERR | EPOLLHUP | EPOLLRDHUP);
	expect(error_of(f), ECONNREFUSED);
	file_put(f);
	file_put(l);
}

/* --- a filter that drops by rule --- */

static unsigned drop_next, dropped;
static bool drop_all;

static bool filter(const uint8_t *ip, uint32_t len)
{
	(void)ip, (void)len;
	if (drop_next > 0) {
		drop_next--;
		dropped++;
		return true;
	}
	return drop_all;
}

static void check_syn_timeouts(void)
{
	struct file *l = listen_on(++port, 8);
	struct file *f = new_socket(SOCK_STREAM, 0);
	script.filter = filter;
	drop_next = 2; /* SYN at 0 and 1 s */
	uint64_t start = clock_monotonic_ns();
	expect(connect_to(f, "127.0.0.1", port), 0);
	expect((clock_monotonic_ns() - start) / NS_PER_S, 3);
	file_put(f);
	f = new_socket(SOCK_STREAM, 0);
	drop_all = true;
	start = clock_monotonic_ns();
	expect(connect_to(f, "127.0.0.1", port), -ETIMEDOUT);
	expect((clock_monotonic_ns() - start) / NS_PER_S, 127); /* 1+2+4+8+16+32+64 */
	drop_all = false;
	file_put(f);
	file_put(l);
}

static void check_half_close(void)
{
	struct file *a, *b;
	char buf[100];
	pair(&a, &b);
	expect(send_bytes(a, "hello", 5, 0), 5);
	expect(socket_shutdown(a, SHUT_WR), 0);
	expect(send_bytes(a, "x", 1, 0), -EPIPE);
	sleep_ms(5);
	expect(file_poll(a), OUT);
	expect(state_of(a), TCP_FIN_WAIT2);
	expect(state_of(b), TCP_CLOSE_WAIT);
	expect(file_poll(b), IN | OUT | EPOLLRDHUP);
	expect(receive_bytes_of(b, buf, sizeof(buf), 0), 5);
	expect(receive_bytes_of(b, buf, sizeof(buf), 0), 0);
	expect(receive_bytes_of(b, buf, sizeof(buf), 0), 0);
	expect(send_bytes(b, "answer", 6, 0), 6);
	expect(receive_bytes_of(a, buf, sizeof(buf), 0), 6);
	expect(socket_shutdown(b, SHUT_WR), 0);
	sleep_ms(10);
	expect(file_poll(a), IN | OUT | EPOLLRDHUP | EPOLLHUP);
	expect(file_poll(b), IN | OUT | EPOLLRDHUP | EPOLLHUP);
	expect(receive_bytes_of(a, buf, sizeof(buf), 0), 0);
	expect(state_of(a), TCP_CLOSE);
	file_put(a);
	file_put(b);
}

static void check_resets(void)
{
	struct file *a, *b;
	char buf[10];
	pair(&a, &b);
	expect(send_bytes(a, "unread", 6, 0), 6);
	expect(send_bytes(b, "12345", 5, 0), 5);
	sleep_ms(5);
	file_put(b); /* unread data: a reset */
	sleep_ms(5);
	expect(file_poll(a), IN | OUT | EPOLLERR | EPOLLHUP | EPOLLRDHUP);
	expect(receive_bytes_of(a, buf, 2, 0), 2); /* what came before is still there */
	expect(receive_bytes_of(a, buf, 10, 0), 3);
	expect(receive_bytes_of(a, buf, 10, 0), -ECONNRESET);
	expect(receive_bytes_of(a, buf, 10, 0), 0);
	expect(send_bytes(a, "x", 1, 0), -EPIPE);
	file_put(a);

	pair(&a, &b);
	struct linux_linger hard = {1, 0};
	expect(socket_set_option(a, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	file_put(a);
	sleep_ms(5);
	expect(receive_bytes_of(b, buf, 10, 0), -ECONNRESET);
	file_put(b);

	/* Data for a closed socket. */
	pair(&a, &b);
	file_put(b);
	sleep_ms(5);
	expect(file_poll(a), IN | OUT | EPOLLRDHUP);
	expect(send_bytes(a, "x", 1, 0), 1);
	sleep_ms(5);
	/* Linux: EPIPE, for the FIN came first. */
	expect(error_of(a), EPIPE);
	expect(send_bytes(a, "x", 1, 0), -EPIPE);
	file_put(a);
}

static void check_zero_window(void)
{
	struct file *a, *b;
	static char big[100000];
	pair(&a, &b);
	set_int(b, SOL_SOCKET, SO_RCVBUF, 4096);
	long sent = 0, n;
	while ((n = send_bytes(a, big, sizeof(big), MSG_DONTWAIT)) > 0)
		sent += n;
	expect(n, -EAGAIN);
	sleep_ms(5000);
	while ((n = send_bytes(a, big, sizeof(big), MSG_DONTWAIT)) > 0)
		sent += n;
	expect(file_poll(a), 0);
	/* The reader makes room, and the window update is lost: a probe finds out. */
	long got = 0;
	script.filter = filter;
	drop_next = 1;
	dropped = 0;
	while (got < sent) {
		n = receive_bytes_of(b, big, sizeof(big), 0);
		assert(n > 0);
		got += n;
	}
	expect(got, sent);
	expect(dropped, 1);
	sleep_ms(10);
	expect(file_poll(a), OUT);
	file_put(a);
	file_put(b);
}

static void check_dead_peer(void)
{
	struct file *a, *b;
	char buf[10];
	pair(&a, &b);
	set_int(a, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(a, SOL_TCP, TCP_KEEPIDLE, 10);
	set_int(a, SOL_TCP, TCP_KEEPINTVL, 5);
	set_int(a, SOL_TCP, TCP_KEEPCNT, 3);
	sleep_ms(60000);
	expect(state_of(a), TCP_ESTABLISHED);
	script.filter = filter;
	drop_all = true;
	uint64_t start = clock_monotonic_ns();
	expect(receive_bytes_of(a, buf, 10, 0), -ETIMEDOUT);
	uint64_t seconds = (clock_monotonic_ns() - start) / NS_PER_S;
	if (seconds < 15 || seconds > 25)
		panic("the keepalive took %lu s", seconds);
	drop_all = false;
	file_put(a);
	file_put(b);

	pair(&a, &b);
	set_int(a, SOL_TCP, TCP_USER_TIMEOUT, 5000);
	drop_all = true;
	expect(send_bytes(a, "x", 1, 0), 1);
	start = clock_monotonic_ns();
	expect(receive_bytes_of(a, buf, 10, 0), -ETIMEDOUT);
	seconds = (clock_monotonic_ns() - start) / NS_PER_S;
	if (seconds < 3 || seconds > 8)
		panic("the user timeout took %lu s", seconds);
	drop_all = false;
	file_put(a);
	file_put(b);

	pair(&a, &b);
	drop_all = true;
	expect(send_bytes(a, "x", 1, 0), 1);
	start = clock_monotonic_ns();
	expect(receive_bytes_of(a, buf, 10, 0), -ETIMEDOUT);
	seconds = (clock_monotonic_ns() - start) / NS_PER_S;
	if (seconds < 800 || seconds > 1100) /* Linux: 924 s */
		panic("giving up took %lu s", seconds);
	drop_all = false;
	file_put(a);
	file_put(b);
}

static void check_backlog(void)
{
	struct file *l = listen_on(++port, 1);
	struct file *clients[4];
	for (int i = 0; i < 4; i++) {
		clients[i] = new_socket(SOCK_STREAM, 04000);
		expect(connect_to(clients[i], "127.0.0.1", port), -EINPROGRESS);
		sleep_ms(10);
	}
	/* Linux: backlog + 1 are established, the next SYNs get no answer. */
	expect(state_of(clients[0]), TCP_ESTABLISHED);
	expect(state_of(clients[1]), TCP_ESTABLISHED);
	expect(state_of(clients[2]), TCP_SYN_SENT);
	for (int i = 0; i < 4; i++)
		file_put(accept_from(l));
	for (int i = 0; i < 4; i++)
		file_put(clients[i]);
	file_put(l);
}

static void check_cookies(void)
{
	struct file *l = listen_on(++port, 36);
	struct file *clients[40];
	char buf[10];
	/* More at once than there may be requests. */
	script.delay_ns = 50 * NS_PER_MS;
	uint64_t before = net_statistics.tcp_cookies_sent;
	for (int i = 0; i < 40; i++) {
		clients[i] = new_socket(SOCK_STREAM, 04000);
		expect(connect_to(clients[i], "127.0.0.1", port), -EINPROGRESS);
	}
	sleep_ms(120);
	assert(net_statistics.tcp_cookies_sent > before);
	script.delay_ns = NS_PER_MS;
	unsigned done = 0;
	for (int round = 0; round < 200 && done < 40; round++) {
		while (file_poll(l) & EPOLLIN) {
			struct file *s = accept_from(l);
			expect(send_bytes(s, "hi", 2, 0), 2);
			file_put(s);
			done++;
		}
		sleep_ms(500);
	}
	unsigned served = 0;
	for (int i = 0; i < 40; i++) {
		served += receive_bytes_of(clients[i], buf, 10, 0) == 2;
		file_put(clients[i]);
	}
	printf("cookies: %u accepted, %u of 40 served, %lu cookies\n", done, served,
		(unsigned long)(net_statistics.tcp_cookies_sent - before));
	assert(served >= 36);
	file_put(l);
}

static void check_simultaneous(void)
{
	struct file *a = new_socket(SOCK_STREAM, 04000), *b = new_socket(SOCK_STREAM, 04000);
	char buf[10];
	expect(bind_to(a, "127.0.0.1", 5000), 0);
	expect(bind_to(b, "127.0.0.1", 5001), 0);
	expect(connect_to(a, "127.0.0.1", 5001), -EINPROGRESS);
	expect(connect_to(b, "127.0.0.1", 5000), -EINPROGRESS);
	sleep_ms(20);
	expect(state_of(a), TCP_ESTABLISHED);
	expect(state_of(b), TCP_ESTABLISHED);
	expect(send_bytes(a, "ping", 4, 0), 4);
	sleep_ms(5);
	expect(receive_bytes_of(b, buf, 10, 0), 4);
	/* Both close at once: CLOSING, then TIME_WAIT on both sides. */
	expect(socket_shutdown(a, SHUT_WR), 0);
	expect(socket_shutdown(b, SHUT_WR), 0);
	sleep_ms(20);
	unsigned counts[3];
	demux_count(counts);
	assert(counts[DEMUX_TIME_WAIT] >= 2);
	file_put(a);
	file_put(b);
}

static void check_time_wait(void)
{
	struct file *l = listen_on(++port, 4);
	for (int i = 0; i < 3; i++) {
		/* The client closes first and has TIME_WAIT; then the same port is used again at once. */
		struct file *c = new_socket(SOCK_STREAM, 0);
		set_int(c, SOL_SOCKET, SO_REUSEADDR, 1);
		expect(bind_to(c, "127.0.0.1", 6000), 0);
		int err = connect_to(c, "127.0.0.1", port);
		if (i > 0) {
			expect(err, -EADDRNOTAVAIL);
			file_put(c);
			sleep_ms(61000);
			continue;
		}
		expect(err, 0);
		struct file *s = accept_from(l);
		file_put(c);
		sleep_ms(5);
		file_put(s);
		sleep_ms(20);
		unsigned counts[3];
		demux_count(counts);
		assert(counts[DEMUX_TIME_WAIT] >= 1);
		break;
	}
	/* The server may be started again although conversations are in TIME_WAIT. */
	file_put(l);
	l = listen_on(port, 4);
	file_put(l);
}

static void check_flags(void)
{
	struct file *a, *b;
	char buf[100];
	pair(&a, &b);
	expect(send_bytes(a, "abcdefghij", 10, 0), 10);
	sleep_ms(5);
	expect(receive_bytes_of(b, buf, 4, MSG_PEEK), 4);
	expect(memcmp(buf, "abcd", 4), 0);
	expect(receive_bytes_of(b, buf, 4, MSG_TRUNC), 4);
	expect(receive_bytes_of(b, buf, 100, MSG_PEEK), 6);
	expect(memcmp(buf, "efghij", 6), 0);
	expect(receive_bytes_of(b, buf, 100, MSG_DONTWAIT), 6);
	expect(receive_bytes_of(b, buf, 100, MSG_DONTWAIT), -EAGAIN);
	expect(receive_bytes_of(b, buf, 0, 0), 0);
	int n = -1;
	expect(file_poll(b), OUT);
	/* MSG_MORE and TCP_CORK: one segment. */
	unsigned before = script.n_sent;
	expect(send_bytes(a, "one ", 4, MSG_MORE), 4);
	expect(send_bytes(a, "two ", 4, MSG_MORE), 4);
	expect(script.n_sent, before);
	expect(send_bytes(a, "three", 5, 0), 5);
	expect(script.n_sent, before + 1);
	expect(receive_bytes_of(b, buf, 13, MSG_WAITALL), 13);
	sleep_ms(100);
	set_int(a, SOL_TCP, TCP_CORK, 1);
	before = script.n_sent;
	expect(send_bytes(a, "corked", 6, 0), 6);
	expect(script.n_sent, before);
	sleep_ms(400); /* not for ever */
	expect(receive_bytes_of(b, buf, 100, MSG_DONTWAIT), 6);
	expect(send_bytes(a, "corked", 6, 0), 6);
	set_int(a, SOL_TCP, TCP_CORK, 0);
	sleep_ms(5);
	expect(receive_bytes_of(b, buf, 100, MSG_DONTWAIT), 6);
	/* Nagle: the second small write waits for the first's ACK; with TCP_NODELAY it does not. */
	sleep_ms(100);
	before = script.n_sent;
	expect(send_bytes(a, "1", 1, 0), 1);
	expect(send_bytes(a, "2", 1, 0), 1);
	expect(script.n_sent, before + 1);
	sleep_ms(300);
	expect(receive_bytes_of(b, buf, 100, 0), 2);
	set_int(a, SOL_TCP, TCP_NODELAY, 1);
	before = script.n_sent;
	expect(send_bytes(a, "1", 1, 0), 1);
	expect(send_bytes(a, "2", 1, 0), 1);
	expect(script.n_sent, before + 2);
	sleep_ms(300);
	(void)n;
	set_int(b, SOL_SOCKET, SO_RCVLOWAT, 5);
	expect(file_poll(b), OUT);
	expect(send_bytes(a, "345", 3, 0), 3);
	sleep_ms(50);
	expect(file_poll(b), OUT | IN);
	struct linux_sock_timeval t = {2, 500000};
	expect(socket_set_option(a, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)), 0);
	uint64_t start = clock_monotonic_ns();
	expect(receive_bytes_of(a, buf, 1, 0), -EAGAIN);
	expect((clock_monotonic_ns() - start) / NS_PER_MS, 2500);
	file_put(a);
	file_put(b);
}

static void check_ports(void)
{
	struct file *a = new_socket(SOCK_STREAM, 0), *b = new_socket(SOCK_STREAM, 0);
	expect(bind_to(a, "127.0.0.1", 7000), 0);
	expect(bind_to(a, "127.0.0.1", 7001), -EINVAL);
	expect(bind_to(b, "127.0.0.1", 7000), -EADDRINUSE);
	expect(bind_to(b, "0.0.0.0", 7000), -EADDRINUSE);
	expect(bind_to(b, "127.0.0.2", 7000), 0);
	file_put(b);
	b = new_socket(SOCK_STREAM, 0);
	expect(bind_to(b, "10.9.8.7", 7000), -EADDRNOTAVAIL);
	file_put(b);
	set_int(a, SOL_SOCKET, SO_REUSEADDR, 1);
	b = new_socket(SOCK_STREAM, 0);
	set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
	expect(bind_to(b, "127.0.0.1", 7000), 0);
	expect(socket_listen(a, 5), 0);
	expect(socket_listen(b, 5), -EADDRINUSE);
	file_put(b);
	file_put(a);
	/* SO_REUSEPORT: both listen, and both get some. */
	struct file *l[2];
	for (int i = 0; i < 2; i++) {
		l[i] = new_socket(SOCK_STREAM, 04000);
		set_int(l[i], SOL_SOCKET, SO_REUSEPORT, 1);
		expect(bind_to(l[i], "0.0.0.0", 7002), 0);
		expect(socket_listen(l[i], 100), 0);
	}
	struct file *c[40];
	for (int i = 0; i < 40; i++) {
		c[i] = new_socket(SOCK_STREAM, 0);
		expect(connect_to(c[i], "127.0.0.1", 7002), 0);
	}
	sleep_ms(10);
	unsigned n[2] = {0, 0};
	for (int i = 0; i < 2; i++) {
		struct file *s = NULL;
		while (socket_accept(l[i], 0, &s, NULL) == 0) {
			n[i]++;
			file_put(s);
		}
		file_put(l[i]);
	}
	expect(n[0] + n[1], 40);
	assert(n[0] > 5 && n[1] > 5);
	for (int i = 0; i < 40; i++)
		file_put(c[i]);
	/* Automatic ports differ. */
	struct socket_address name;
	a = new_socket(SOCK_STREAM, 0);
	expect(bind_to(a, "127.0.0.1", 0), 0);
	expect(socket_name(a, &name), 0);
	assert(port_of(&name) >= 32768 && port_of(&name) <= 60999);
	file_put(a);
}

static void check_deferred_accept(void)
{
	struct file *l = listen_on(++port, 4);
	set_int(l, SOL_TCP, TCP_DEFER_ACCEPT, 5);
	struct file *c = new_socket(SOCK_STREAM, 0);
	expect(connect_to(c, "127.0.0.1", port), 0);
	sleep_ms(500);
	expect(file_poll(l), 0);
	expect(send_bytes(c, "data", 4, 0), 4);
	sleep_ms(10);
	expect(file_poll(l), IN);
	struct file *s = accept_from(l);
	expect(file_poll(s), IN | OUT);
	file_put(s);
	file_put(c);
	c = new_socket(SOCK_STREAM, 0);
	expect(connect_to(c, "127.0.0.1", port), 0);
	sleep_ms(20000);
	expect(file_poll(l), IN); /* in the end without data */
	file_put(accept_from(l));
	file_put(c);
	file_put(l);
}

/* --- segments from nowhere --- */

struct tcp_fields {
	uint32_t seq, ack, timestamp;
	uint8_t flags;
};

/* Forge a segment of the conversation whose server side is f. */
static void inject(struct file *f, struct tcp_fields fields)
{
	struct tcp_connection *c = f->object;
	struct packet *p = packet_alloc(100);
	p->len = 20 + 32;
	memset(packet_data(p), 0, p->len);
	struct ip4_header *h = (struct ip4_header *)packet_data(p);
	*h = (struct ip4_header){.version_len = 0x45,
		.total_len = cpu_to_be16(52),
		.ttl = 64,
		.protocol = 6,
		.source = ip_v4(&c->inet.flow.remote),
		.destination = ip_v4(&c->inet.flow.local)};
	struct tcp_header *t = (struct tcp_header *)(h + 1);
	*t = (struct tcp_header){.source = cpu_to_be16(c->inet.flow.remote_port),
		.destination = cpu_to_be16(c->inet.flow.local_port),
		.seq = cpu_to_be32(fields.seq),
		.ack = cpu_to_be32(fields.ack),
		.offset = 0x80,
		.flags = fields.flags,
		.window = 0xffff};
	uint8_t *o = (uint8_t *)(t + 1);
	store_be32(o, 0x0101080a);
	store_be32(o + 4, fields.timestamp);
	p->flags = PACKET_CHECKSUM_DONE;
	netif_receive(&loopback, p);
	netif_receive_done(&loopback);
}

static void check_blind_attacks(void)
{
	struct file *a, *b;
	pair(&a, &b);
	sleep_ms(1000);
	struct tcp_connection *c = b->object;
	uint32_t t = c->ts_recent;
	unsigned before = script.n_sent;
	inject(b, (struct tcp_fields){
			  c->rcv_nxt + 100, 0, t, TCP_RST}); /* in the window, not exact */
	expect(state_of(b), TCP_ESTABLISHED);
	expect(script.n_sent, before + 1); /* challenged */
	inject(b, (struct tcp_fields){c->rcv_nxt + 100, 0, t, TCP_RST});
	expect(script.n_sent, before + 1); /* not again so soon */
	sleep_ms(1000);
	inject(b, (struct tcp_fields){c->rcv_nxt, 0, t, TCP_SYN});
	expect(state_of(b), TCP_ESTABLISHED);
	sleep_ms(1000);
	inject(b, (struct tcp_fields){
			  c->rcv_nxt, c->snd_nxt + 1000, t, TCP_ACK}); /* of what was never sent */
	expect(state_of(b), TCP_ESTABLISHED);
	sleep_ms(1000);
	inject(b, (struct tcp_fields){
			  c->rcv_nxt, c->snd_nxt, t - 100000, TCP_ACK | TCP_FIN}); /* PAWS */
	expect(state_of(b), TCP_ESTABLISHED);
	sleep_ms(10);
	inject(b, (struct tcp_fields){c->rcv_nxt, 0, t, TCP_RST});
	expect(state_of(b), TCP_CLOSE);
	expect(error_of(b), ECONNRESET);
	file_put(a);
	file_put(b);
}

static void check_listener_closed(void)
{
	struct file *l = listen_on(++port, 4);
	struct file *c = new_socket(SOCK_STREAM, 0);
	char byte;
	expect(connect_to(c, "127.0.0.1", port), 0);
	sleep_ms(5);
	file_put(l); /* nobody accepted */
	sleep_ms(5);
	expect(receive_bytes_of(c, &byte, 1, 0), -ECONNRESET);
	file_put(c);
	l = listen_on(++port, 4);
	expect(socket_shutdown(l, SHUT_RDWR), 0);
	struct file *s = NULL;
	expect(socket_accept(l, 0, &s, NULL), -EINVAL);
	file_put(l);
}

/* A hundred peers that send to a program which does not read: the queues of all stay within their share. */
static void check_flood(void)
{
	enum { N = 100 };
	static struct file *a[N], *b[N];
	static char data[100000];
	struct memory_usage before, after;
	page_usage(&before);
	for (int i = 0; i < N; i++)
		pair(&a[i], &b[i]);
	long sent[N] = {0}, n = 0;
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < N; i++)
			while ((n = send_bytes(a[i], data, sizeof(data), MSG_DONTWAIT)) > 0)
				sent[i] += n;
		sleep_ms(100);
	}
	page_usage(&after);
	uint64_t held = (before.free - after.free) * PAGE_SIZE;
	uint64_t shares = 2ull * N * (TCP_MEMORY_SHARE + 70000);
	if (held > net_limits.tcp_memory_max + shares)
		panic("%lu bytes are held, at most %lu may be", held,
			net_limits.tcp_memory_max + shares);
	/* All of it arrives once somebody reads. */
	for (int i = 0; i < N; i++) {
		long got = 0;
		while (got < sent[i] && (n = receive_bytes_of(b[i], data, sizeof(data), 0)) > 0)
			got += n;
		expect(got, sent[i]);
		file_put(a[i]);
		file_put(b[i]);
	}
}

static void reset_link(void)
{
	link_start(1500);
	drop_next = 0;
	drop_all = false;
}

static uint64_t heap_used(void)
{
	struct memory_usage u;
	sleep_ms(300000);
	page_usage(&u);
	return u.heap;
}

static void everything(void *arg)
{
	(void)arg;
	static const struct {
		const char *name;
		void (*check)(void);
	} checks[] = {
		{"new socket", check_new_socket},
		{"refused", check_refused},
		{"nonblocking connect", check_nonblocking_connect},
		{"SYN timeouts", check_syn_timeouts},
		{"half close", check_half_close},
		{"resets", check_resets},
		{"zero window", check_zero_window},
		{"dead peer", check_dead_peer},
		{"backlog", check_backlog},
		{"cookies", check_cookies},
		{"simultaneous", check_simultaneous},
		{"TIME_WAIT", check_time_wait},
		{"flags", check_flags},
		{"ports", check_ports},
		{"deferred accept", check_deferred_accept},
		{"blind attacks", check_blind_attacks},
		{"listener closed", check_listener_closed},
		{"flood", check_flood},
	};
	for (unsigned i = 0; i < array_size(checks); i++) {
		/* Again and again it must leave as much memory (tables may have grown at first). */
		uint64_t used[4];
		for (int round = 0; round < 4; round++) {
			reset_link();
			checks[i].check();
			reset_link();
			used[round] = heap_used();
		}
		printf("%-20s ok, %lu pages of heap, then %+ld, %+ld, %+ld\n", checks[i].name,
			used[0], (long)(used[1] - used[0]), (long)(used[2] - used[1]),
			(long)(used[3] - used[2]));
	}
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	host_run(everything, NULL);
	return 0;
}
