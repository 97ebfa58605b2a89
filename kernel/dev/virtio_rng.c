/*
 * virtio entropy devices, virtio 1.2 5.4: one request at the start, mixed into the pool when the
 * answer comes. Nobody waits for it.
 */
#include "abi/linux/errno.h"
#include "kernel/dev/virtio.h"
#include "kernel/dev/virtio_drivers.h"
#include "kernel/lib/random.h"
#include "kernel/mem/heap.h"

#define BYTES 64u

static void answered(struct virtqueue *q)
{
	uint32_t written = 0;
	void *bytes = virtqueue_take(q, &written);
	if (!bytes)
		return;
	random_mix(bytes, min(written, BYTES));
	heap_free(bytes);
	virtqueue_interrupts_off(q);
}

static int probe(struct virtio_device *v)
{
	int err = virtio_negotiate(v, 0);
	if (err < 0)
		return err;
	struct virtqueue *q = NULL;
	err = virtio_queue_create(v, 0, 4, answered, NULL, &q);
	if (err < 0)
		return err;
	virtio_start(v);
	struct virtqueue_buffer b = {heap_zalloc(BYTES), BYTES};
	if (!b.address)
		return -ENOMEM;
	err = virtqueue_add(q, &b, 0, 1, b.address);
	if (err == 0 && !virtqueue_interrupt_after(q, 1))
		virtqueue_kick(q);
	return err;
}

const struct virtio_driver virtio_rng_driver = {
	.id = VIRTIO_ID_ENTROPY, .name = "virtio-rng", .probe = probe};
