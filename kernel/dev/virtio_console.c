/*
 * virtio consoles, virtio 1.2 5.3, one port (no MULTIPORT): hvc0.  Output goes through a few
 * buffers.  A multiport device is the host channel, where one is wanted (virtio_serial.c).
 */
#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/dev/channel_device.h"
#include "kernel/dev/console_device.h"
#include "kernel/dev/virtio.h"
#include "kernel/dev/virtio_drivers.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define TX_BUFFERS 4u
#define TX_SIZE 2048u
#define RX_SIZE 512u

struct hvc {
	struct console_device console;
	/* under the console's write lock: */
	struct virtqueue *tx;
	char *tx_buffer[TX_BUFFERS]; /* free ones: [0, n_tx_free) */
	unsigned n_tx_free;
	struct spinlock rx_lock;
	/* under rx_lock: one buffer, posted or being handed in */
	struct virtqueue *rx;
	char *rx_buffer;
	bool rx_posted;
	uint32_t rx_at, rx_len; /* what of it the console has not taken */
};

static void collect(struct hvc *h)
{
	uint32_t written = 0;
	char *b = NULL;
	while ((b = virtqueue_take(h->tx, &written)))
		h->tx_buffer[h->n_tx_free++] = b;
}

static size_t hvc_write(struct console_device *d, const char *text, size_t len)
{
	struct hvc *h = container_of(d, struct hvc, console);
	size_t done = 0;
	collect(h);
	while (done < len && h->n_tx_free > 0) {
		char *buffer = h->tx_buffer[--h->n_tx_free];
		size_t n = min(len - done, (size_t)TX_SIZE);
		memcpy(buffer, text + done, n);
		struct virtqueue_buffer b = {buffer, (uint32_t)n};
		if (virtqueue_add(h->tx, &b, 1, 0, buffer) < 0) {
			h->tx_buffer[h->n_tx_free++] = buffer;
			break;
		}
		done += n;
	}
	if (done > 0)
		virtqueue_kick(h->tx);
	return done;
}

/* rx_lock.  Hand in what is there; ask for more once all of it is taken. */
static void pump(struct hvc *h)
{
	for (;;) {
		h->rx_at += (uint32_t)console_input(
			&h->console, h->rx_buffer + h->rx_at, h->rx_len - h->rx_at);
		if (h->rx_at < h->rx_len)
			return; /* the console calls hvc_resume() */
		if (!h->rx_posted) {
			struct virtqueue_buffer b = {h->rx_buffer, RX_SIZE};
			if (virtqueue_add(h->rx, &b, 0, 1, h->rx_buffer) < 0)
				return;
			h->rx_posted = true;
			virtqueue_kick(h->rx);
		}
		if (!virtqueue_interrupt_after(h->rx, 1))
			return;
		uint32_t written = 0;
		if (!virtqueue_take(h->rx, &written))
			return;
		h->rx_posted = false;
		h->rx_at = 0;
		h->rx_len = min(written, RX_SIZE);
	}
}

static void hvc_resume(struct console_device *d)
{
	struct hvc *h = container_of(d, struct hvc, console);
	irq_state state = spin_lock(&h->rx_lock);
	pump(h);
	spin_unlock(&h->rx_lock, state);
}

static void received(struct virtqueue *q)
{
	struct hvc *h = q->owner;
	hvc_resume(&h->console);
}

static int allocate(struct hvc *h)
{
	h->rx_buffer = heap_alloc(RX_SIZE);
	if (!h->rx_buffer)
		return -ENOMEM;
	for (; h->n_tx_free < TX_BUFFERS; h->n_tx_free++) {
		h->tx_buffer[h->n_tx_free] = heap_alloc(TX_SIZE);
		if (!h->tx_buffer[h->n_tx_free])
			return -ENOMEM;
	}
	return 0;
}

static int probe(struct virtio_device *v)
{
	int err = virtio_negotiate(v, channel_wanted() ? 1ull << VIRTIO_CONSOLE_F_MULTIPORT : 0);
	if (err < 0)
		return err;
	if (virtio_has(v, VIRTIO_CONSOLE_F_MULTIPORT))
		return virtio_serial_probe(v);
	struct hvc *h = heap_zalloc(sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->console = (struct console_device){"hvc0", hvc_write, hvc_resume};
	err = allocate(h);
	if (err < 0)
		return err;
	err = virtio_queue_create(v, VIRTIO_CONSOLE_QUEUE_RX, 8, received, h, &h->rx);
	if (err == 0)
		err = virtio_queue_create(v, VIRTIO_CONSOLE_QUEUE_TX, 8, NULL, h, &h->tx);
	if (err < 0)
		return err;
	virtio_start(v);
	console_register(&h->console);
	return 0;
}

const struct virtio_driver virtio_console_driver = {
	.id = VIRTIO_ID_CONSOLE, .name = "virtio-console", .probe = probe};
