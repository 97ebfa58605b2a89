/*
 * The multiport form of virtio consoles, virtio 1.2 5.3, as the host channel: one port, number
 * CHANNEL_PORT_NUMBER.  Bytes gather in a buffer while the device has an earlier one: a
 * notification per batch, and none is lost, whatever the pace of the host.
 */
#include "abi/channel.h"
#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/dev/channel_device.h"
#include "kernel/dev/virtio.h"
#include "kernel/dev/virtio_drivers.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define TX_BUFFERS 4u
#define TX_SIZE 16384u
#define RX_SIZE 4096u
#define CONTROL_BUFFERS 8u
#define CONTROL_SIZE 64u /* a message and a port's name */
#define CONTROL_OUT_MAX 4u

struct tx_buffer {
	uint32_t len;
	char bytes[];
};

struct serial {
	struct channel_device channel;
	struct spinlock lock; /* guards all of it */
	struct virtqueue *tx, *rx, *control_in, *control_out;
	struct tx_buffer *free[TX_BUFFERS], *filling;
	unsigned n_free;
	uint32_t n_pending; /* bytes with the device */
	char *rx_buffer;
	uint32_t rx_at, rx_len;
	struct virtio_console_control out[CONTROL_OUT_MAX];
	unsigned n_out; /* ever said */
};

/* --- to the host; under the lock --- */

static bool collect(struct serial *s)
{
	uint32_t written = 0;
	struct tx_buffer *b;
	bool any = false;
	while ((b = virtqueue_take(s->tx, &written))) {
		s->n_pending -= b->len;
		b->len = 0;
		s->free[s->n_free++] = b;
		any = true;
	}
	return any;
}

static void submit(struct serial *s)
{
	struct tx_buffer *b = s->filling;
	if (!b || b->len == 0)
		return;
	struct virtqueue_buffer piece = {b->bytes, b->len};
	if (virtqueue_add(s->tx, &piece, 1, 0, b) < 0)
		return;
	s->n_pending += b->len;
	s->filling = NULL;
	virtqueue_kick(s->tx);
}

static size_t put(struct serial *s, const uint8_t *bytes, size_t len)
{
	size_t done = 0;
	while (done < len) {
		if (!s->filling && s->n_free > 0)
			s->filling = s->free[--s->n_free];
		if (!s->filling)
			break;
		struct tx_buffer *b = s->filling;
		size_t n = min(len - done, (size_t)(TX_SIZE - b->len));
		memcpy(b->bytes + b->len, bytes + done, n);
		b->len += (uint32_t)n;
		done += n;
		if (b->len == TX_SIZE)
			submit(s);
		if (s->filling && s->filling->len == TX_SIZE)
			break; /* the device is broken */
	}
	return done;
}

static size_t serial_write(struct channel_device *d, const void *bytes, size_t len)
{
	struct serial *s = container_of(d, struct serial, channel);
	irq_state state = spin_lock(&s->lock);
	collect(s);
	size_t done = put(s, bytes, len);
	if (s->n_pending == 0)
		submit(s);
	if (virtqueue_interrupt_after(s->tx, 1) && collect(s))
		submit(s);
	spin_unlock(&s->lock, state);
	return done;
}

static void sent(struct virtqueue *q)
{
	struct serial *s = q->owner;
	spin_lock_nested(&s->lock);
	do {
		collect(s);
		submit(s);
	} while (virtqueue_interrupt_after(s->tx, 1));
	spin_unlock_nested(&s->lock);
	channel_writable();
}

static size_t serial_pending(struct channel_device *d)
{
	struct serial *s = container_of(d, struct serial, channel);
	irq_state state = spin_lock(&s->lock);
	collect(s);
	submit(s);
	size_t n = s->tx->broken ? 0 : s->n_pending + (s->filling ? s->filling->len : 0);
	spin_unlock(&s->lock, state);
	return n;
}

/* --- from the host; under the lock --- */

static void post(struct serial *s)
{
	struct virtqueue_buffer b = {s->rx_buffer, RX_SIZE};
	if (virtqueue_add(s->rx, &b, 0, 1, s->rx_buffer) == 0)
		virtqueue_kick(s->rx);
}

static void look(struct serial *s)
{
	uint32_t written = 0;
	if (s->rx_at < s->rx_len)
		return;
	(void)!virtqueue_interrupt_after(s->rx, 1);
	if (virtqueue_take(s->rx, &written)) {
		s->rx_at = 0;
		s->rx_len = min(written, RX_SIZE);
	}
}

static bool serial_readable(struct channel_device *d)
{
	struct serial *s = container_of(d, struct serial, channel);
	irq_state state = spin_lock(&s->lock);
	look(s);
	bool any = s->rx_at < s->rx_len;
	spin_unlock(&s->lock, state);
	return any;
}

static size_t serial_read(struct channel_device *d, void *to, size_t size)
{
	struct serial *s = container_of(d, struct serial, channel);
	irq_state state = spin_lock(&s->lock);
	look(s);
	uint32_t n = (uint32_t)min(size, (size_t)(s->rx_len - s->rx_at));
	memcpy(to, s->rx_buffer + s->rx_at, n);
	s->rx_at += n;
	if (n > 0 && s->rx_at == s->rx_len)
		post(s);
	spin_unlock(&s->lock, state);
	return n;
}

static void received(struct virtqueue *q)
{
	(void)q;
	channel_readable();
}

/* --- control, 5.3.6.2; under the lock --- */

static void say(struct serial *s, uint32_t port, unsigned event, unsigned value)
{
	if (s->n_out == CONTROL_OUT_MAX)
		return;
	struct virtio_console_control *m = &s->out[s->n_out++];
	*m = (struct virtio_console_control){port, (uint16_t)event, (uint16_t)value};
	struct virtqueue_buffer b = {m, sizeof(*m)};
	if (virtqueue_add(s->control_out, &b, 1, 0, m) == 0)
		virtqueue_kick(s->control_out);
}

static void hear(struct serial *s, const struct virtio_console_control *m)
{
	if (m->event != VIRTIO_CONSOLE_PORT_ADD || m->id != CHANNEL_PORT_NUMBER)
		return;
	say(s, m->id, VIRTIO_CONSOLE_PORT_READY, 1);
	say(s, m->id, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

static void post_control(struct serial *s, void *buffer)
{
	struct virtqueue_buffer b = {buffer, CONTROL_SIZE};
	(void)!virtqueue_add(s->control_in, &b, 0, 1, buffer);
}

static void controlled(struct virtqueue *q)
{
	struct serial *s = q->owner;
	uint32_t written = 0;
	void *buffer;
	spin_lock_nested(&s->lock);
	do {
		while ((buffer = virtqueue_take(s->control_in, &written))) {
			if (written >= sizeof(struct virtio_console_control))
				hear(s, buffer);
			post_control(s, buffer);
		}
		virtqueue_kick(s->control_in);
	} while (virtqueue_interrupt_after(s->control_in, 1));
	spin_unlock_nested(&s->lock);
}

/* --- attaching --- */

static int create_queues(struct serial *s, struct virtio_device *v)
{
	unsigned at = VIRTIO_CONSOLE_QUEUES_OF_PORT(CHANNEL_PORT_NUMBER);
	int err = virtio_queue_create(
		v, VIRTIO_CONSOLE_QUEUE_CONTROL_RX, CONTROL_BUFFERS, controlled, s, &s->control_in);
	if (err == 0)
		err = virtio_queue_create(v, VIRTIO_CONSOLE_QUEUE_CONTROL_TX, CONTROL_OUT_MAX, NULL,
			s, &s->control_out);
	if (err == 0)
		err = virtio_queue_create(v, at, 4, received, s, &s->rx);
	if (err == 0)
		err = virtio_queue_create(v, at + 1, TX_BUFFERS, sent, s, &s->tx);
	return err;
}

static int allocate(struct serial *s)
{
	s->rx_buffer = heap_alloc(RX_SIZE);
	if (!s->rx_buffer)
		return -ENOMEM;
	for (; s->n_free < TX_BUFFERS; s->n_free++) {
		struct tx_buffer *b = heap_alloc(sizeof(*b) + TX_SIZE);
		if (!b)
			return -ENOMEM;
		b->len = 0;
		s->free[s->n_free] = b;
	}
	return 0;
}

static int fill_control(struct serial *s)
{
	char *buffers = heap_alloc(CONTROL_BUFFERS * CONTROL_SIZE);
	if (!buffers)
		return -ENOMEM;
	for (unsigned i = 0; i < CONTROL_BUFFERS; i++)
		post_control(s, buffers + i * CONTROL_SIZE);
	return 0;
}

int virtio_serial_probe(struct virtio_device *v)
{
	struct serial *s = heap_zalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->channel =
		(struct channel_device){serial_write, serial_pending, serial_read, serial_readable};
	int err = allocate(s);
	if (err == 0)
		err = create_queues(s, v);
	if (err == 0)
		err = fill_control(s);
	if (err < 0)
		return err;
	virtio_start(v);
	irq_state state = spin_lock(&s->lock);
	virtqueue_kick(s->control_in);
	(void)!virtqueue_interrupt_after(s->control_in, 1);
	post(s);
	(void)!virtqueue_interrupt_after(s->rx, 1);
	say(s, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	spin_unlock(&s->lock, state);
	return channel_register(&s->channel);
}
