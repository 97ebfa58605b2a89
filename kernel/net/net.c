/* The list of protocols, start-up, and the batches that hold the layers together. */
#include "kernel/net/net.h"

#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/address6.h"
#include "kernel/net/arp.h"
#include "kernel/net/ethernet.h"
#include "kernel/net/ip6.h"
#include "kernel/net/multicast.h"
#include "kernel/net/netlink.h"
#include "kernel/net/ping.h"
#include "kernel/net/tcp.h"
#include "kernel/net/udp.h"
#include "kernel/net/unix.h"
#include "kernel/net/wheel.h"

/* What socket(2) can make.  The first that fits a family and type is protocol 0. */
const struct protocol *const protocols[] = {
	&tcp_protocol,
	&udp_protocol,
	&tcp6_protocol,
	&udp6_protocol,
	&ping_protocol,
	&unix_stream_protocol,
	&unix_datagram_protocol,
	&unix_seqpacket_protocol,
	&netlink_datagram_protocol,
	&netlink_raw_protocol,
};
const unsigned n_protocols = array_size(protocols);

/* What IP carries. */
static const struct ip_protocol ip_protocols[] = {
	{IPPROTO_TCP, 0, tcp_input, tcp_error},
	{IPPROTO_UDP, 0, udp_input, udp_error},
	{IPPROTO_ICMP, AF_INET, icmp_input, NULL},
	{IPPROTO_ICMPV6, AF_INET6, icmp6_input, NULL},
	{IPPROTO_IGMP, AF_INET, igmp_input, NULL},
};

struct net_limits net_limits;

const struct ip_protocol *ip_protocol_find(uint8_t number)
{
	for (unsigned i = 0; i < array_size(ip_protocols); i++)
		if (ip_protocols[i].number == number)
			return &ip_protocols[i];
	return NULL;
}

/* --- batches --- */

/* Its CPU's alone, interrupts off. */
static struct batch {
	struct list outputs; /* connections to run tcp_output() on */
	uint64_t to_flush;   /* bit per netif index that transmitted */
	bool pending;        /* there is something to do at all */
	bool running;
} batches[CPU_MAX];

static struct netif *netifs[64]; /* by index */

void net_queue_output(struct list *link)
{
	struct batch *b = &batches[cpu_id()];
	if (!b->outputs.next)
		list_init(&b->outputs);
	list_push_back(&b->outputs, link);
	b->pending = true;
}

int net_transmit(struct netif *n, struct packet *p)
{
	irq_state irq = irq_save();
	struct batch *b = &batches[cpu_id()];
	b->pending = true;
	if (n->ops->flush)
		b->to_flush |= 1ull << n->index;
	int err = n->ops->transmit(n, p);
	irq_restore(irq);
	return err;
}

static bool run_outputs(struct batch *b)
{
	if (!b->outputs.next || list_empty(&b->outputs))
		return false;
	struct list *link;
	while ((link = list_pop_front(&b->outputs)))
		tcp_output_run(link);
	return true;
}

static void flush_devices(struct batch *b)
{
	for (uint64_t bits = b->to_flush; bits != 0; bits &= bits - 1) {
		struct netif *n = netifs[__builtin_ctzll(bits)];
		n->ops->flush(n);
	}
	b->to_flush = 0;
}

void net_flush(void)
{
	if (!batches[cpu_id()].pending)
		return;
	irq_state irq = irq_save();
	struct batch *b = &batches[cpu_id()];
	if (b->running) { /* the loop below, further out, sees to it */
		irq_restore(irq);
		return;
	}
	b->running = true;
	/* Loopback traffic can feed itself for a while: let interrupts in between the rounds. */
	while (run_outputs(b) || loopback_deliver()) {
		irq_restore(irq);
		irq = irq_save();
	}
	if (b->to_flush)
		flush_devices(b);
	b->pending = b->running = false;
	irq_restore(irq);
}

static void receive_local(struct netif *n, struct packet *p)
{
	if (p->len > 0 && packet_data(p)[0] >> 4 == 6)
		ip6_input(n, p, 0);
	else
		ip_input(n, p, 0);
}

void net_receive(struct netif *n, struct packet *p)
{
	if (n->flags & NETIF_LOOPBACK)
		receive_local(n, p);
	else
		ethernet_input(n, p);
}

static void receive_done(struct netif *n)
{
	(void)n;
	net_flush();
}

static void attach(struct netif *n)
{
	struct interface *i = heap_zalloc(sizeof(*i));
	if (!i)
		panic("no memory for interface %s", n->name);
	assert(n->index < array_size(netifs));
	netifs[n->index] = n;
	i->netif = n;
	n->protocol = i;
}

static const struct netif_upper upper = {
	.attach = attach, .receive = net_receive, .receive_done = receive_done};

/* A connection may fill a 32nd of the memory each way, at most what a fast and long path needs. */
static void set_limits(void)
{
	struct memory_usage usage;
	page_usage(&usage);
	uint64_t bytes = usage.total * PAGE_SIZE;
	net_limits.tcp_memory_max = max(bytes / 8, (uint64_t)256 << 10);
	net_limits.tcp_buffer_max =
		(uint32_t)max(min(bytes / 32, (uint64_t)16 << 20), (uint64_t)64 << 10);
	net_limits.time_wait_max =
		(uint32_t)max(min(bytes / 16384, (uint64_t)262144), (uint64_t)512);
	net_limits.fragments_max =
		(uint32_t)max(min(bytes / 64, (uint64_t)4 << 20), (uint64_t)128 << 10);
}

void net_init(void)
{
	hash_init();
	wheel_init();
	set_limits();
	netif_set_upper(&upper);
	loopback_init();
	(void)interface_configure(netif_interface(&loopback), IP4(127, 0, 0, 1), IP4(255, 0, 0, 0));
	struct address6 local = {.ip.bytes = {[15] = 1},
		.netif = &loopback,
		.prefix_len = 128,
		.preferred_ms = FOREVER_MS,
		.valid_ms = FOREVER_MS};
	bool fresh = false;
	(void)!address6_add(&local, &fresh);
}
