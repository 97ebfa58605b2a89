/*
 * For the network's unit tests: a link that loses, delays, doubles and reorders, and short forms of the socket calls.
 * The loopback interface is turned into such a link, so that both ends of a conversation live in one stack; time is
 * the host port's, so a run with the same seed is the same run.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/errno.h"
#include "abi/linux/in.h"
#include "abi/linux/socket.h"
#include "abi/linux/tcp.h"
#include "kernel/arch/host/host.h"
#include "kernel/arch/timer.h"
#include "kernel/file/file.h"
#include "kernel/mem/heap.h"
#include "kernel/net/address.h"
#include "kernel/lib/log.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/socket.h"
#include "kernel/sched/thread.h"
#include "kernel/sched/timer.h"

static struct link_script {
	unsigned loss, duplicate, reorder; /* per thousand */
	unsigned loss_ppm;                 /* and per million */
	uint64_t delay_ns;
	uint64_t rate;  /* bytes a second, each way (told apart by the ports' order); 0: no limit */
	uint32_t queue; /* bytes that wait for it at most; what comes then is lost */
	uint32_t mark;  /* from this many on they are marked (ECN) if they may be; 0: never */
	uint64_t free_ns[2]; /* when the line is free again */
	uint32_t seed;
	/* Look at, and perhaps drop, each packet: true drops.  NULL: none. */
	bool (*filter)(const uint8_t *ip, uint32_t len);
	unsigned n_sent, n_lost, n_marked;
} script;

static unsigned roll(void)
{
	script.seed = script.seed * 1664525u + 1013904223u;
	return (script.seed >> 8) % 1000;
}

struct flying {
	struct timer timer;
	struct packet *packet;
};

static void arrive(struct timer *t)
{
	struct flying *f = container_of(t, struct flying, timer);
	netif_receive(&loopback, f->packet);
	netif_receive_done(&loopback);
	heap_free(f);
}

static void launch(struct packet *p, uint64_t delay_ns)
{
	struct flying *f = heap_zalloc(sizeof(*f));
	f->packet = p;
	timer_init(&f->timer, arrive);
	timer_start(&f->timer, clock_monotonic_ns() + delay_ns);
}

/* Behind those on the line already.  False: there is no room. */
static bool queue_up(uint8_t *ip, uint32_t len, uint64_t *delay_ns)
{
	if (!script.rate)
		return true;
	uint64_t now = clock_monotonic_ns();
	uint64_t *free_ns = &script.free_ns[load_be16(ip + 20) < load_be16(ip + 22)];
	*free_ns = max(*free_ns, now);
	uint64_t waiting = (*free_ns - now) * script.rate / NS_PER_S;
	if (script.queue && waiting + len > script.queue)
		return false;
	if (script.mark && waiting > script.mark && (ip[1] & 3) != 0) {
		ip[1] |= 3; /* the header's checksum is not looked at on loopback */
		script.n_marked++;
	}
	*free_ns += len * NS_PER_S / script.rate;
	*delay_ns += *free_ns - now;
	return true;
}

/* Per million. */
static unsigned roll_fine(void)
{
	script.seed = script.seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)script.seed * 1000000 >> 32);
}

static int link_transmit(struct netif *n, struct packet *p)
{
	(void)n;
	uint32_t len = packet_length(p);
	struct packet *copy = packet_copy(p, 0, len);
	assert(copy && len <= loopback.mtu);
	packet_free(p);
	script.n_sent++;
	uint64_t delay_ns = script.delay_ns;
	bool drop = !queue_up(packet_data(copy), len, &delay_ns) ||
		    roll_fine() < script.loss * 1000 + script.loss_ppm;
	if (script.filter && script.filter(packet_data(copy), len))
		drop = true;
	if (drop) {
		script.n_lost++;
		packet_free(copy);
		return 0;
	}
	if (roll() < script.duplicate)
		launch(packet_copy(copy, 0, len), delay_ns + roll() * 1000);
	launch(copy, delay_ns + (roll() < script.reorder ? script.delay_ns * 2 : 0));
	return 0;
}

static const struct netif_ops link_ops = {.transmit = link_transmit};

static inline void link_start(unsigned mtu)
{
	if (!loopback.ops)
		net_init();
	loopback.ops = &link_ops;
	loopback.mtu = (uint16_t)mtu;
	loopback.flags &= ~NETIF_CHECKSUM_TX;
	script = (struct link_script){.delay_ns = NS_PER_MS, .seed = 1};
}

static struct socket_address address(const char *dotted, uint16_t port)
{
	struct socket_address a;
	uint32_t v4 = 0;
	assert(v4_parse(&dotted, &v4));
	struct ip_addr ip = ip_from_v4(v4);
	memset(&a, 0, sizeof(a));
	address_format(&a, AF_INET, &ip, port);
	return a;
}

static inline uint16_t port_of(const struct socket_address *a)
{
	return load_be16(a->bytes + 2);
}

static inline struct file *new_socket(int type, uint32_t flags)
{
	struct file *f = NULL;
	int err = socket_create(AF_INET, type, 0, flags, &f);
	if (err < 0)
		panic("socket: %d", err);
	return f;
}

static inline int bind_to(struct file *f, const char *dotted, uint16_t port)
{
	struct socket_address a = address(dotted, port);
	return socket_bind(f, &a);
}

static inline int connect_to(struct file *f, const char *dotted, uint16_t port)
{
	struct socket_address a = address(dotted, port);
	return socket_connect(f, &a);
}

static inline long send_bytes(struct file *f, const void *data, size_t n, int flags)
{
	struct io_buffer b;
	io_buffer_kernel(&b, (void *)(uintptr_t)data, n);
	struct socket_message m = {.data = &b, .flags = flags, .deadline_ns = NO_DEADLINE};
	return socket_send(f, &m);
}

static inline long receive_bytes_of(struct file *f, void *data, size_t n, int flags)
{
	struct io_buffer b;
	io_buffer_kernel(&b, data, n);
	struct socket_message m = {.data = &b, .flags = flags, .deadline_ns = NO_DEADLINE};
	return socket_receive(f, &m);
}

static inline struct file *listen_on(uint16_t port, int backlog)
{
	struct file *f = new_socket(SOCK_STREAM, 0);
	int one = 1;
	assert(socket_set_option(f, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	assert(bind_to(f, "127.0.0.1", port) == 0);
	assert(socket_listen(f, backlog) == 0);
	return f;
}

static inline struct file *accept_from(struct file *l)
{
	struct file *f = NULL;
	struct socket_address peer;
	int err = socket_accept(l, 0, &f, &peer);
	if (err < 0)
		panic("accept: %d", err);
	return f;
}

static inline struct thread *start_thread(void (*entry)(void *), void *arg)
{
	const struct thread_request r = {
		.size = sizeof(struct thread), .name = "peer", .entry = entry, .arg = arg};
	struct thread *t = NULL;
	assert(thread_create(&r, &t) == 0);
	thread_get(t);
	thread_start(t);
	return t;
}

static inline void join_thread(struct thread *t)
{
	while (atomic_load(&t->state) != THREAD_DEAD)
		(void)thread_block(clock_monotonic_ns() + NS_PER_MS);
	thread_put(t);
}

static inline void sleep_ms(uint64_t ms)
{
	uint64_t until = clock_monotonic_ns() + ms * NS_PER_MS;
	while (clock_monotonic_ns() < until)
		(void)thread_block(until);
}
