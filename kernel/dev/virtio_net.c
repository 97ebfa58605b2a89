/*
 * virtio network devices, virtio 1.2 5.1.  One pair of queues (VIRTIO_NET_F_MQ has its place:
 * struct nic per pair).
 *
 * Receive: the ring always holds as many buffers as were posted; a frame goes up only when its
 * replacement could be allocated, else it is dropped and its buffer posted again.  So running out
 * of memory costs frames, never the ring.  Few buffers at the start, more as bursts show that they
 * are used.
 *
 * Transmit: no interrupts as a rule; what the device has sent is freed when the next frames come,
 * or with received ones.  Only when the ring is full frames wait in a backlog, and the device is
 * asked to interrupt.
 */
#include "abi/linux/errno.h"
#include "kernel/dev/netif.h"
#include "kernel/dev/virtio.h"
#include "kernel/dev/virtio_drivers.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define QUEUE_SIZE 256u
#define RX_FIRST 16u
#define FRAME_MAX 1518u /* with a VLAN tag */
#define ETHERNET_HEADER 14u
#define ETHERTYPE 12u
#define ETHERTYPE_IPV6 0x86ddu
#define TCP_DATA_OFFSET 12u
#define BACKLOG_MAX 1024u
#define RECLAIM_AT 32u /* sent frames not freed yet */
#define MTU_MAX 9216u
#define MTU_LARGE 65536u
#define RX_LARGE                                                                                   \
	64u /* buffers: a frame of MTU_LARGE must always fit, or the device waits for ever */

struct nic {
	struct netif netif;
	struct virtio_device *device;
	unsigned header_size; /* of struct virtio_net_hdr: 10 or 12 */
	bool large_receive;   /* frames of several TCP segments come */
	bool split_header;    /* legacy without ANY_LAYOUT: the header in a piece of its own */
	/* the receive interrupt's alone: */
	struct virtqueue *rx;
	unsigned rx_posted, rx_max;
	struct spinlock tx_lock;
	/* under tx_lock: */
	struct virtqueue *tx;
	struct list backlog;
	unsigned n_backlog;
};

/* --- receive --- */

static uint8_t *rx_buffer(const struct nic *d, const struct packet *p)
{
	return p->buffer + p->start - d->header_size;
}

static int post(struct nic *d, struct packet *p)
{
	struct virtqueue_buffer b = {rx_buffer(d, p), d->header_size + FRAME_MAX};
	return virtqueue_add(d->rx, &b, 0, 1, p);
}

static void post_more(struct nic *d, unsigned up_to)
{
	for (; d->rx_posted < min(up_to, d->rx_max); d->rx_posted++) {
		struct packet *p = packet_alloc(FRAME_MAX);
		if (!p)
			return;
		if (post(d, p) < 0) {
			packet_free(p);
			return;
		}
	}
}

static void drop(struct nic *d)
{
	atomic_fetch_add_explicit(&d->netif.rx_dropped, 1, memory_order_relaxed);
}

/* Post a fresh buffer in p's place; false: p is gone, most likely posted again itself. */
static bool replace(struct nic *d, struct packet *p)
{
	struct packet *fresh = packet_alloc(FRAME_MAX);
	if (post(d, fresh ? fresh : p) == 0)
		return fresh;
	if (fresh)
		packet_free(fresh);
	packet_free(p);
	return false;
}

/* The next buffer of a frame; *lost: there is none, or it is no good. */
static struct packet *next_piece(struct nic *d, bool *lost)
{
	uint32_t written = 0;
	struct packet *p = virtqueue_take(d->rx, &written);
	bool good = p && written > 0 && written <= d->header_size + FRAME_MAX;
	if (p && !replace(d, p))
		p = NULL;
	*lost |= !p || !good;
	if (p) {
		p->start -= d->header_size; /* data from the first byte on */
		p->len = good ? written : 0;
	}
	return p;
}

/* Several TCP segments in one frame: as they are, one behind the other (PACKET_CHAINED). */
static struct packet *chain(struct nic *d, struct packet *first, unsigned n_buffers)
{
	struct packet *last = first;
	bool lost = false;
	uint64_t total = 0;
	/* All of them are taken even if one is lost: the next frame is behind them. */
	for (unsigned i = 1; i < n_buffers; i++) {
		if (!virtqueue_has_used(d->rx)) {
			lost = true;
			break;
		}
		struct packet *p = next_piece(d, &lost);
		if (!p)
			continue;
		last->flags |= PACKET_CHAINED;
		last->owner[0] = (uint64_t)p;
		last = p;
		total += p->len;
	}
	if (first->flags & PACKET_CHAINED)
		first->owner[1] = total;
	if (!lost && total < MTU_LARGE)
		return first;
	packet_free(first);
	return NULL;
}

/* A frame larger than one buffer (MRG_RXBUF, 5.1.6.4): made one again, by copying; rare. */
static struct packet *merge(struct nic *d, struct packet *first, unsigned n_buffers)
{
	struct packet *whole = packet_alloc(MTU_MAX + ETHERNET_HEADER);
	if (whole) {
		memcpy(packet_data(whole), packet_data(first), first->len);
		whole->len = first->len;
	}
	packet_free(first);
	for (unsigned i = 1; i < n_buffers; i++) {
		uint32_t written = 0;
		struct packet *p = virtqueue_take(d->rx, &written);
		if (!p)
			break;
		bool fits = written <= d->header_size + FRAME_MAX && whole &&
			    written <= MTU_MAX + ETHERNET_HEADER - whole->len;
		if (fits) {
			memcpy(packet_data(whole) + whole->len, rx_buffer(d, p), written);
			whole->len += written;
		} else if (whole) {
			packet_free(whole);
			whole = NULL;
		}
		if (replace(d, p))
			packet_free(p);
	}
	return whole;
}

static void receive_frame(struct nic *d, struct packet *p, uint32_t written)
{
	struct virtio_net_hdr header; /* of a short one the rest is not looked at */
	__builtin_memcpy(&header, rx_buffer(d, p), sizeof(header));
	uint32_t len = written - d->header_size; /* checked below: written is the device's word */
	bool bad = written < d->header_size + ETHERNET_HEADER || len > FRAME_MAX;
	bool several = virtio_has(d->device, VIRTIO_NET_F_MRG_RXBUF) && header.num_buffers != 1;
	if (!replace(d, p)) {
		drop(d);
		return;
	}
	if (bad) {
		packet_free(p);
		drop(d);
		return;
	}
	p->len = len;
	bool segments = header.gso_type != VIRTIO_NET_HDR_GSO_NONE && d->large_receive;
	if (several)
		p = segments ? chain(d, p, header.num_buffers) : merge(d, p, header.num_buffers);
	if (!p) {
		drop(d);
		return;
	}
	if (header.flags & (VIRTIO_NET_HDR_DATA_VALID | VIRTIO_NET_HDR_NEEDS_CSUM))
		p->flags |= PACKET_CHECKSUM_DONE;
	netif_receive(&d->netif, p);
}

static void tx_reclaim_some(struct nic *d);

static void receive(struct virtqueue *q)
{
	struct nic *d = q->owner;
	unsigned n = 0;
	do {
		uint32_t written = 0;
		struct packet *p = NULL;
		while ((p = virtqueue_take(q, &written))) {
			receive_frame(d, p, written);
			n++;
		}
		virtqueue_kick(q);
	} while (virtqueue_interrupt_after(q, 1) && !q->broken);
	if (n * 2 > d->rx_posted) {
		post_more(d, d->rx_posted * 2);
		virtqueue_kick(q);
	}
	netif_receive_done(&d->netif);
	tx_reclaim_some(d);
}

/* --- transmit --- */

/* Field by field: h may be the short one. */
static void fill_header(struct nic *d, const struct packet *p, struct virtio_net_hdr *h)
{
	bool partial = p->flags & PACKET_CHECKSUM_PARTIAL;
	h->flags = partial ? VIRTIO_NET_HDR_NEEDS_CSUM : 0;
	h->csum_start = partial ? p->checksum_start : 0;
	h->csum_offset = partial ? p->checksum_offset : 0;
	h->gso_type = VIRTIO_NET_HDR_GSO_NONE;
	h->gso_size = h->hdr_len = 0;
	if (d->header_size == sizeof(*h))
		h->num_buffers = 0;
	if (p->gso_size) {
		const uint8_t *frame = p->buffer + p->start, *tcp = frame + p->checksum_start;
		bool ipv6 = load_be16(frame + ETHERTYPE) == ETHERTYPE_IPV6;
		h->gso_type = ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		h->gso_size = p->gso_size;
		h->hdr_len = (uint16_t)(p->checksum_start + (tcp[TCP_DATA_OFFSET] >> 4) * 4);
	}
}

/* tx_lock.  -ENOSPC: the ring is full. */
static int queue_frame(struct nic *d, struct packet *p)
{
	struct virtqueue_buffer b[PACKET_FRAGMENTS + 2];
	unsigned n = 0;
	uint8_t *header = packet_data(p) - d->header_size;
	if (d->split_header) {
		b[n++] = (struct virtqueue_buffer){header, d->header_size};
		b[n++] = (struct virtqueue_buffer){packet_data(p), p->len};
	} else {
		b[n++] = (struct virtqueue_buffer){header, d->header_size + p->len};
	}
	for (unsigned i = 0; i < p->n_fragments; i++) {
		const struct packet_fragment *f = &p->fragments[i];
		uint8_t *at = page_address(f->page);
		b[n++] = (struct virtqueue_buffer){at + f->offset, f->len};
	}
	if (n > d->tx->n_free)
		return -ENOSPC;
	fill_header(d, p, (struct virtio_net_hdr *)header);
	uint32_t len = packet_length(p);
	int err = virtqueue_add(d->tx, b, n, 0, p);
	if (err < 0)
		return err;
	atomic_fetch_add_explicit(&d->netif.tx_packets, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&d->netif.tx_bytes, len, memory_order_relaxed);
	return 0;
}

/* tx_lock.  What has been sent, onto done: freed once the lock is gone, since owners are told
 * then. */
static void reclaim(struct nic *d, struct list *done)
{
	uint32_t written = 0;
	struct packet *p = NULL;
	while ((p = virtqueue_take(d->tx, &written)))
		list_push_back(done, &p->link);
}

static void free_all(struct list *done)
{
	struct list *item = NULL;
	while ((item = list_pop_front(done)))
		packet_free(list_entry(item, struct packet, link));
}

/* tx_lock.  Move the backlog into the ring; while some is left the device must interrupt us.  True: notify it. */
static bool push_backlog(struct nic *d, struct list *done)
{
	bool due = false;
	do {
		reclaim(d, done);
		while (!list_empty(&d->backlog)) {
			struct packet *p = list_first(&d->backlog, struct packet, link);
			int err = queue_frame(d, p);
			if (err == -ENOSPC)
				break;
			list_remove(&p->link);
			d->n_backlog--;
			if (err < 0)
				list_push_back(done, &p->link);
		}
		due |= virtqueue_kick_due(d->tx);
		if (list_empty(&d->backlog)) {
			virtqueue_interrupts_off(d->tx);
			break;
		}
	} while (virtqueue_interrupt_after(d->tx, virtqueue_pending(d->tx) / 2 + 1) &&
		 !d->tx->broken);
	return due;
}

static int transmit(struct netif *n, struct packet *p)
{
	struct nic *d = n->driver;
	struct list done = LIST_INIT(done);
	int err = p->start < d->header_size ? -EINVAL : 0;
	bool due = false;
	irq_state state = spin_lock(&d->tx_lock);
	if (virtqueue_pending(d->tx) >= RECLAIM_AT)
		reclaim(d, &done);
	if (err == 0)
		err = d->n_backlog ? -ENOSPC : queue_frame(d, p);
	if (err == -ENOSPC && d->n_backlog < BACKLOG_MAX) {
		list_push_back(&d->backlog, &p->link);
		d->n_backlog++;
		due = push_backlog(d, &done);
		err = 0;
	}
	spin_unlock(&d->tx_lock, state);
	if (due)
		virtqueue_notify(d->tx);
	free_all(&done);
	if (err == 0)
		return 0;
	packet_free(p);
	atomic_fetch_add_explicit(&n->tx_dropped, 1, memory_order_relaxed);
	return -ENOBUFS;
}

static void flush(struct netif *n)
{
	struct nic *d = n->driver;
	irq_state state = spin_lock(&d->tx_lock);
	bool due = virtqueue_kick_due(d->tx);
	spin_unlock(&d->tx_lock, state);
	if (due)
		virtqueue_notify(d->tx);
}

/* The transmit interrupt: only while there is a backlog. */
static void sent(struct virtqueue *q)
{
	struct nic *d = q->owner;
	struct list done = LIST_INIT(done);
	irq_state state = spin_lock(&d->tx_lock);
	bool due = push_backlog(d, &done);
	spin_unlock(&d->tx_lock, state);
	if (due)
		virtqueue_notify(d->tx);
	free_all(&done);
}

static void tx_reclaim_some(struct nic *d)
{
	if (virtqueue_has_used(d->tx))
		sent(d->tx);
}

static const struct netif_ops nic_ops = {.transmit = transmit, .flush = flush};

/* --- set-up --- */

static void read_config(struct nic *d)
{
	struct virtio_net_config config;
	memset(&config, 0, sizeof(config));
	virtio_read_config(d->device, 0, &config, sizeof(config));
	struct netif *n = &d->netif;
	if (virtio_has(d->device, VIRTIO_NET_F_MAC)) {
		memcpy(n->mac, config.mac, sizeof(n->mac));
	} else {
		random_bytes(n->mac, sizeof(n->mac));
		n->mac[0] = (n->mac[0] & 0xfc) | 2; /* locally administered, one station */
	}
	n->mtu = 1500;
	if (virtio_has(d->device, VIRTIO_NET_F_MTU) && config.mtu >= 576)
		n->mtu = min(config.mtu,
			(uint16_t)(virtio_has(d->device, VIRTIO_NET_F_MRG_RXBUF) ? MTU_MAX : 1500));
	n->link_up = !virtio_has(d->device, VIRTIO_NET_F_STATUS) ||
		     (config.status & VIRTIO_NET_S_LINK_UP);
	if (virtio_has(d->device, VIRTIO_NET_F_CSUM))
		n->flags |= NETIF_CHECKSUM_TX;
	if (virtio_has(d->device, VIRTIO_NET_F_GUEST_CSUM))
		n->flags |= NETIF_CHECKSUM_RX;
	if (virtio_has(d->device, VIRTIO_NET_F_HOST_TSO4))
		n->flags |= NETIF_TSO;
	if (virtio_has(d->device, VIRTIO_NET_F_HOST_TSO6))
		n->flags |= NETIF_TSO6;
	d->large_receive = virtio_has(d->device, VIRTIO_NET_F_GUEST_TSO4);
}

/* A sixteenth of the memory at most lies in receive buffers. */
static unsigned rx_limit(unsigned queue_size)
{
	struct memory_usage usage;
	page_usage(&usage);
	uint64_t limit = usage.total * PAGE_SIZE / 16 / 2048;
	return (unsigned)max(min(limit, (uint64_t)queue_size), (uint64_t)16);
}

static int set_up(struct nic *d)
{
	int err = virtio_queue_create(d->device, 0, QUEUE_SIZE, receive, d, &d->rx);
	if (err < 0)
		return err;
	err = virtio_queue_create(d->device, 1, QUEUE_SIZE, sent, d, &d->tx);
	if (err < 0)
		return err;
	virtqueue_interrupts_off(d->tx);
	d->rx_max = min(rx_limit(d->rx->size), d->rx->size);
	unsigned first = d->large_receive ? RX_LARGE : RX_FIRST;
	post_more(d, first);
	return d->rx_posted > 0 && (!d->large_receive || d->rx_posted == first) ? 0 : -ENOMEM;
}

/* Frames of several segments only where they fit: in mergeable buffers, enough of them. */
static uint64_t large_receive_features(struct virtio_device *v)
{
	uint64_t needed =
		VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF) | VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_CSUM);
	if ((v->transport->get_features(v, 0) & needed) != needed ||
		v->transport->queue_size_max(v, 0) < QUEUE_SIZE || rx_limit(QUEUE_SIZE) < RX_LARGE)
		return 0;
	return VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO4) | VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO6);
}

static int probe(struct virtio_device *v)
{
	int err = virtio_negotiate(v,
		large_receive_features(v) | VIRTIO_FEATURE(VIRTIO_NET_F_CSUM) |
			VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_CSUM) | VIRTIO_FEATURE(VIRTIO_NET_F_MTU) |
			VIRTIO_FEATURE(VIRTIO_NET_F_MAC) | VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO4) |
			VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO6) |
			VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF) |
			VIRTIO_FEATURE(VIRTIO_NET_F_STATUS));
	if (err < 0)
		return err;
	struct nic *d = heap_zalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->device = v;
	bool has_num_buffers = !v->legacy || virtio_has(v, VIRTIO_NET_F_MRG_RXBUF);
	d->header_size =
		has_num_buffers ? sizeof(struct virtio_net_hdr) : VIRTIO_NET_HDR_LEGACY_SIZE;
	d->split_header = v->legacy && !virtio_has(v, VIRTIO_F_ANY_LAYOUT);
	list_init(&d->backlog);
	d->netif.ops = &nic_ops;
	d->netif.driver = d;
	read_config(d);
	err = set_up(d);
	if (err < 0)
		return err; /* the device may know of the rings: all stays allocated */
	netif_register(&d->netif);
	virtio_start(v);
	virtqueue_kick(d->rx);
	return 0;
}

const struct virtio_driver virtio_net_driver = {
	.id = VIRTIO_ID_NET, .name = "virtio-net", .probe = probe};
