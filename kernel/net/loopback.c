/*
 * The loopback interface.  Packets wait on a list of the CPU that sent them until net_flush() hands them to
 * ip_input(): never from inside transmit(), whose caller holds a connection's lock.  Checksums are neither made
 * nor checked.
 */
#include "abi/linux/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/net/net.h"

#define MTU 65535u /* what an IP packet can say; Linux's 65536 is never reached either */
#define QUEUE_MAX 4096u

struct netif loopback;

struct queue {
	struct list packets;
	unsigned n;
};
/* Its CPU's alone, interrupts off. */
static struct queue queues[CPU_MAX];

/* A second descriptor for a packet that its sender keeps (for retransmission): it can stand in a receive queue. */
struct shared_packet {
	struct packet packet; /* first */
	struct packet *original;
};

static void shared_release(struct packet *p)
{
	struct shared_packet *s = (struct shared_packet *)p;
	packet_free(s->original);
	heap_free(s);
}

static struct packet *share(struct packet *original)
{
	struct shared_packet *s = heap_alloc(sizeof(*s));
	if (!s)
		return NULL;
	memcpy(&s->packet, original, sizeof(s->packet));
	s->packet.release = shared_release;
	s->original = original;
	return &s->packet;
}

static int loopback_transmit(struct netif *n, struct packet *p)
{
	uint32_t len = packet_length(p);
	if (p->release) {
		struct packet *second = share(p);
		if (!second) {
			packet_free(p);
			return -ENOBUFS;
		}
		p = second;
	}
	p->flags = PACKET_CHECKSUM_DONE;
	irq_state irq = irq_save();
	struct queue *q = &queues[cpu_id()];
	bool room = q->n < QUEUE_MAX;
	if (room) {
		if (!q->packets.next)
			list_init(&q->packets);
		list_push_back(&q->packets, &p->link);
		q->n++;
	}
	irq_restore(irq);
	if (!room) {
		packet_free(p);
		atomic_fetch_add_explicit(&n->tx_dropped, 1, memory_order_relaxed);
		return -ENOBUFS;
	}
	atomic_fetch_add_explicit(&n->tx_packets, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&n->tx_bytes, len, memory_order_relaxed);
	return 0;
}

bool loopback_deliver(void)
{
	struct queue *q = &queues[cpu_id()];
	if (q->n == 0)
		return false;
	/* Only what is there now: answers to it are the next round's. */
	for (unsigned n = q->n; n > 0; n--) {
		struct list *item = list_pop_front(&q->packets);
		q->n--;
		netif_receive(&loopback, list_entry(item, struct packet, link));
	}
	return true;
}

static const struct netif_ops ops = {.transmit = loopback_transmit};

void loopback_init(void)
{
	loopback.ops = &ops;
	memcpy(loopback.name, "lo", 3);
	loopback.mtu = MTU;
	loopback.flags = NETIF_LOOPBACK | NETIF_CHECKSUM_TX | NETIF_CHECKSUM_RX;
	loopback.link_up = true;
	netif_register(&loopback);
}
