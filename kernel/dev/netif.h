/*
 * Network interfaces and packets: the face of the drivers towards kernel/net.
 *
 * A packet is one buffer with room before the data for headers still to come, plus optionally page
 * fragments behind it (transmit by reference, large receive).  Whoever holds the pointer owns it.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/lib/list.h"
#include "kernel/mem/page.h"

#define PACKET_HEADROOM                                                                            \
	144u /* bytes before data of a fresh packet: link, IP and TCP headers, virtio header */
#define PACKET_FRAGMENTS 17u /* 64 KB in pages */

struct packet_fragment {
	struct page *page; /* a reference */
	uint32_t offset, len;
};

#define PACKET_CHECKSUM_DONE                                                                       \
	1u /* rx: the device or a local sender vouches for the transport checksum */
#define PACKET_CHECKSUM_PARTIAL                                                                    \
	2u /* tx: the device fills it in: from checksum_start, at checksum_offset */
#define PACKET_CHAINED                                                                             \
	4u /* rx: several TCP segments in one; owner[0] is the next packet, all data, owner[1] how many \
	      bytes follow.  Only TCP ever sees one. */

struct packet {
	struct list link;
	struct netif *netif; /* received on, or to be sent through */
	uint8_t *buffer;     /* heap block or page it lives in */
	uint32_t size;       /* of buffer */
	uint32_t start, len; /* data inside buffer, without fragments */
	uint8_t flags, n_fragments;
	uint16_t gso_size; /* 0: not to be segmented; else payload bytes per segment */
	uint16_t checksum_start, checksum_offset; /* from start */
	uint32_t network, transport; /* offsets of those headers in buffer, once known */
	uint64_t owner
		[5]; /* scratch of the layer that holds it (TCP sequence numbers, source address) */
	void (*release)(struct packet
			*p); /* NULL: packet_free frees buffer; else the owner takes all back */
	struct packet_fragment fragments[PACKET_FRAGMENTS];
};

/* A packet with PACKET_HEADROOM and room for len data bytes after it (len set to 0); NULL when out
 * of memory.  Any context. */
struct packet *packet_alloc(size_t len) must_check;
void packet_free(struct packet *p);
static inline uint8_t *packet_data(struct packet *p)
{
	return p->buffer + p->start;
}
/* Make room for n bytes of header before the data; they must fit the headroom. */
static inline uint8_t *packet_push(struct packet *p, uint32_t n)
{
	assert(p->start >= n);
	p->start -= n;
	p->len += n;
	return p->buffer + p->start;
}
/* Drop n bytes of header; n <= len. */
static inline void packet_pull(struct packet *p, uint32_t n)
{
	assert(p->len >= n);
	p->start += n;
	p->len -= n;
}
/* Data plus fragments. */
static inline uint32_t packet_length(const struct packet *p)
{
	uint32_t n = p->len;
	for (unsigned i = 0; i < p->n_fragments; i++)
		n += p->fragments[i].len;
	return unlikely(p->flags & PACKET_CHAINED) ? n + (uint32_t)p->owner[1] : n;
}
/* Cut the rest of the chain off p; NULL: there is none. */
static inline struct packet *packet_unchain(struct packet *p)
{
	if (likely(!(p->flags & PACKET_CHAINED)))
		return NULL;
	struct packet *rest = (struct packet *)p->owner[0];
	p->flags &= (uint8_t)~PACKET_CHAINED;
	p->owner[0] = p->owner[1] = 0;
	return rest;
}

#define NETIF_CHECKSUM_TX 1u /* offloads of the device */
#define NETIF_CHECKSUM_RX 2u
#define NETIF_TSO 4u
#define NETIF_LOOPBACK 8u
#define NETIF_TSO6 16u

struct netif;

struct netif_ops {
	/* Send, taking the packet over.  Any context, interrupts off inside.  -ENOBUFS: queue full,
	 * the packet is freed all the same. */
	int (*transmit)(struct netif *n, struct packet *p);
	/* Tell the device about what transmit() queued: one notification for a batch.  NULL: not
	 * needed. */
	void (*flush)(struct netif *n);
};

struct netif {
	const struct netif_ops *ops;
	struct list link;
	char name[16];  /* "eth0" */
	unsigned index; /* 1 is lo */
	uint8_t mac[6];
	uint16_t mtu;
	unsigned flags; /* NETIF_* */
	bool link_up;
	void *driver;   /* the driver's */
	void *protocol; /* kernel/net's addresses */
	_Atomic uint64_t rx_packets, rx_bytes, rx_dropped, tx_packets, tx_bytes, tx_dropped;
};

/* What kernel/net hands down; set before drivers are probed. */
struct netif_upper {
	void (*attach)(struct netif *n);
	/* A frame arrived; the callee owns it.  Interrupts off, from the interrupt handler. */
	void (*receive)(struct netif *n, struct packet *p);
	/* The receive batch is over: answers collected meanwhile may go. */
	void (*receive_done)(struct netif *n);
};
void netif_set_upper(const struct netif_upper *upper);
/* For drivers: the interface exists from now on.  Gives it its index, and "ethN" if it has no
 * name. */
void netif_register(struct netif *n);
/* In order of registration; NULL beyond the last. */
struct netif *netif_at(unsigned position);
/* To walk over all: the one after n, or the first if n is NULL; NULL at the end.  Only netif.c changes the list. */
extern struct list netif_list;
static inline struct netif *netif_next(const struct netif *n)
{
	struct list *next = n ? n->link.next : netif_list.next;
	return next == &netif_list ? NULL : list_entry(next, struct netif, link);
}
/* For drivers: hand a received frame up. */
void netif_receive(struct netif *n, struct packet *p);
void netif_receive_done(struct netif *n);
