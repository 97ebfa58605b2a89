/*
 * virtio rings and the network driver, with a device played by the test: one that keeps the rules,
 * and one that keeps none.
 */
#include "tests/unit/virtio_fake.h"

#include "kernel/dev/virtio_net.c"
#include "kernel/net/payload.h"

const struct virtio_driver *const virtio_drivers[] = {&virtio_net_driver, NULL};

static struct nic *nic;

/* Frame number n, of len bytes, into the posted buffer; num_buffers as told. */
static void put_frame(
	struct virtqueue *rx, uint16_t head, unsigned n, unsigned len, unsigned buffers)
{
	const struct virtq_desc *desc = &rx->desc[head];
	assert(desc->flags == VIRTQ_DESC_WRITE && desc->len >= len + sizeof(struct virtio_net_hdr));
	uint8_t *to = phys_to_virt((phys_addr){desc->addr});
	struct virtio_net_hdr h = {.num_buffers = (uint16_t)buffers,
		.gso_type = nic->large_receive ? n % 2 : VIRTIO_NET_HDR_GSO_NONE};
	memcpy(to, &h, sizeof(h));
	memset(to + sizeof(h), (int)(n & 0xff), len);
}

/* --- above the driver --- */

static unsigned n_received, last_len;
static uint8_t last_byte;

static void upper_attach(struct netif *n)
{
	nic = n->driver;
}

static void upper_receive(struct netif *n, struct packet *p)
{
	(void)n;
	n_received++;
	last_len = packet_length(p);
	assert(p->len >= 14 && p->start + p->len <= p->size);
	packet_read(p, last_len - 1, &last_byte, 1);
	packet_free(p);
}

static void upper_done(struct netif *n)
{
	n->ops->flush(n);
}

static const struct netif_upper test_upper = {upper_attach, upper_receive, upper_done};

static struct virtio_device *start(void)
{
	static const struct virtio_net_config config = {
		.mac = {2, 0, 0, 0, 0, 1}, .status = VIRTIO_NET_S_LINK_UP, .mtu = 9000};
	struct virtio_device *d = fake_device(VIRTIO_ID_NET, &config, 2);
	offered = VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) |
		  VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF) | VIRTIO_FEATURE(VIRTIO_NET_F_MTU) |
		  VIRTIO_FEATURE(VIRTIO_NET_F_MAC) | VIRTIO_FEATURE(VIRTIO_NET_F_STATUS);
	netif_set_upper(&test_upper);
	virtio_attach(d);
	assert(fake_status & VIRTIO_STATUS_DRIVER_OK);
	assert(nic->device == d && nic->netif.mtu == 9000 && nic->netif.link_up);
	return d;
}

/* --- the device keeps the rules --- */

/* Long enough for 16-bit indices to wrap. */
static void check_receive(struct virtio_device *d)
{
	struct seen rx = {.q = d->queues[0]};
	unsigned sent = 0;
	n_received = 0;
	while (sent < 100000) {
		uint16_t head = 0;
		for (unsigned burst = 0; burst < 1 + sent % 40 && next_chain(&rx, &head); burst++) {
			put_frame(rx.q, head, sent, 14 + sent % 1500, 1);
			give_back(rx.q, head, 12 + 14 + sent % 1500);
			sent++;
		}
		virtio_interrupt(d);
		assert(n_received == sent && last_len == 14 + (sent - 1) % 1500);
		assert(last_byte == ((sent - 1) & 0xff));
	}
	assert(nic->rx_posted == 64 && nic->netif.rx_dropped == 0);

	/* One frame over three buffers. */
	uint16_t heads[3];
	for (unsigned i = 0; i < 3; i++)
		assert(next_chain(&rx, &heads[i]));
	put_frame(rx.q, heads[0], 1, 1506, 3);
	give_back(rx.q, heads[0], 1518);
	for (unsigned i = 1; i < 3; i++) {
		put_frame(rx.q, heads[i], 7, 1000, 0);
		give_back(rx.q, heads[i], 1000);
	}
	virtio_interrupt(d);
	assert(n_received == sent + 1 && last_len == 1506 + 2000 && last_byte == 7);
}

/* Several segments in one frame: the pieces stay as they are, and all of them are freed. */
static void check_large(struct virtio_device *d)
{
	struct seen rx = {.q = d->queues[0]};
	rx.avail = rx.q->used->idx;
	nic->large_receive = true;
	for (unsigned round = 0; round < 200; round++) {
		unsigned n = 2 + round % 44, received = n_received;
		uint16_t head = 0;
		for (unsigned i = 0; i < n; i++) {
			assert(next_chain(&rx, &head));
			put_frame(rx.q, head, i == n - 1 ? 7 : i, 1000, n);
			struct virtio_net_hdr *h = phys_to_virt((phys_addr){rx.q->desc[head].addr});
			if (i == 0)
				h->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
			else
				memset(h, i, sizeof(*h));
			give_back(rx.q, head, 1012);
		}
		virtio_interrupt(d);
		assert(n_received == received + 1 && last_len == 1000 + (n - 1) * 1012);
		assert(last_byte == 7);
	}
	/* The device promises more than it delivers: the frame is lost, and no memory with it. */
	unsigned received = n_received;
	uint16_t head = 0;
	assert(next_chain(&rx, &head));
	put_frame(rx.q, head, 1, 1000, 9);
	((struct virtio_net_hdr *)phys_to_virt((phys_addr){rx.q->desc[head].addr}))->gso_type =
		VIRTIO_NET_HDR_GSO_TCPV4;
	give_back(rx.q, head, 1012);
	virtio_interrupt(d);
	assert(n_received == received && nic->rx_posted == 64);
	nic->large_receive = false;
}

static int send(unsigned len)
{
	struct packet *p = packet_alloc(len);
	memset(packet_data(p), 5, len);
	p->len = len;
	return nic->netif.ops->transmit(&nic->netif, p);
}

/* The device sends nothing for a while: ring, backlog, loss; then all goes. */
static void check_transmit(struct virtio_device *d)
{
	struct seen tx = {.q = d->queues[1]};
	unsigned n_ok = 0, n_sent = 0;
	for (unsigned i = 0; i < 2000; i++)
		n_ok += send(60 + i % 1000) == 0;
	assert(n_ok == 64 + BACKLOG_MAX && nic->netif.tx_dropped == 2000 - n_ok);
	for (unsigned round = 0; round < 200 && n_sent < n_ok; round++) {
		uint16_t head = 0;
		while (next_chain(&tx, &head)) {
			assert(tx.q->desc[head].len == 12 + 60 + n_sent % 1000);
			n_sent++;
			give_back(tx.q, head, 0);
		}
		virtio_interrupt(d);
	}
	assert(n_sent == n_ok && nic->n_backlog == 0);
	for (unsigned i = 0; i < 200000; i++) {
		uint16_t head = 0;
		assert(send(100) == 0);
		nic->netif.ops->flush(&nic->netif);
		assert(next_chain(&tx, &head));
		give_back(tx.q, head, 0);
	}
}

/* --- the device keeps none --- */

static uint32_t odd_length(void)
{
	static const uint32_t odd[] = {
		0, 1, 11, 12, 25, 26, 1529, 1530, 1531, 2048, 65535, 0x7fffffff, 0xffffffff};
	return next_random() % 3 ? 12 + next_random() % 1519 : odd[next_random() % 13];
}

static void check_hostile(unsigned kind)
{
	struct virtio_device *d = start();
	struct seen rx = {.q = d->queues[0]}, tx = {.q = d->queues[1]};
	for (unsigned i = 0; i < 2000; i++) {
		uint16_t head = 0;
		struct seen *s = next_random() % 3 ? &rx : &tx;
		bool any = next_chain(s, &head);
		nic->large_receive = next_random() % 2;
		if (any && s == &rx)
			put_frame(
				s->q, head, i, 100, next_random() % 4 ? 1 : next_random() % 70000);
		if (any)
			give_back(s->q, head, odd_length());
		if (kind == 1 && next_random() % 100 == 0)
			give_back(s->q, next_random() % 128, 200);
		if (kind == 2 && next_random() % 100 == 0)
			s->q->used->idx += next_random() % 400;
		if (kind == 3 && next_random() % 50 == 0)
			s->q->used->ring[next_random() % 64].id = next_random();
		if (next_random() % 4 == 0)
			send(next_random() % 1400);
		if (next_random() % 4 == 0)
			virtio_interrupt(d);
	}
	virtio_interrupt(d);
	/* Odd lengths alone break nothing but the frames. */
	assert(kind > 0 || (!rx.q->broken && !tx.q->broken));
}

static void run(void *unused)
{
	(void)unused;
	struct virtio_device *d = start();
	check_receive(d);
	check_large(d);
	check_transmit(d);
	for (unsigned i = 0; i < 40; i++)
		check_hostile(i % 4);
	/* Without VERSION_1 there is no modern device. */
	offered = 0;
	assert(virtio_negotiate(d, 0) == -ENODEV);
}

int main(void)
{
	host_run(run, NULL);
	return 0;
}
