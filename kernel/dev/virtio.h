/*
 * virtio devices: what a driver sees of one (kernel/dev/virtio_*.c), and what a transport provides
 * (virtio_mmio.c, virtio_pci.c).  virtio 1.2, and the legacy interface of mmio.
 *
 * The device is not trusted: whatever it writes into rings is checked before use.  A queue whose
 * device broke the rules is marked broken, once, with a line in the log, and stays silent from then
 * on.
 */
#pragma once

#include "abi/virtio.h"
#include "kernel/arch/io.h"
#include "kernel/arch/mmu.h"
#include "kernel/lib/base.h"

struct virtio_device;
struct virtqueue;

/* Called with interrupts off, in the device's interrupt: the queue has used buffers. */
typedef void (*virtqueue_callback)(struct virtqueue *q);

struct virtio_transport {
	uint32_t (*get_features)(struct virtio_device *d, unsigned word);
	void (*set_features)(struct virtio_device *d, unsigned word, uint32_t features);
	uint8_t (*get_status)(struct virtio_device *d);
	void (*set_status)(struct virtio_device *d, uint8_t status);
	/* Entries the queue may have; 0: there is no such queue. */
	unsigned (*queue_size_max)(struct virtio_device *d, unsigned index);
	/* Tell the device where q's rings are, set q->doorbell, arrange for interrupts. */
	int (*queue_enable)(struct virtio_device *d, struct virtqueue *q);
	void (*read_config)(struct virtio_device *d, unsigned offset, void *to, unsigned len);
	uint32_t (*config_generation)(struct virtio_device *d);
};

#define VIRTIO_QUEUES_MAX 4u

/* The transport embeds it. */
struct virtio_device {
	const struct virtio_transport *transport;
	char name[24]; /* "virtio-mmio@feb00000", for the log */
	uint32_t id;   /* VIRTIO_ID_* */
	bool legacy;
	uint64_t features; /* negotiated */
	unsigned n_queues;
	struct virtqueue *queues[VIRTIO_QUEUES_MAX];
};

static inline bool virtio_has(const struct virtio_device *d, unsigned feature_bit)
{
	return d->features >> feature_bit & 1;
}

struct virtio_driver {
	uint32_t id;
	const char *name;
	/* Attach.  On failure the core resets the device, which then is left alone. */
	int (*probe)(struct virtio_device *d);
};

/* For transports: find the driver of d (drivers.c), bring the device up to where the driver is
 * asked. */
void virtio_attach(struct virtio_device *d);
/* For transports without a vector per queue: call back the queues that have news. */
void virtio_interrupt(struct virtio_device *d);

/*
 * For drivers, in this order: negotiate, queues, virtio_start().
 */
/* Settle on what both sides have of wanted; the ring features and VERSION_1 are added.  -ENODEV:
 * the device declines. */
int virtio_negotiate(struct virtio_device *d, uint64_t wanted) must_check;
/* Device configuration, read consistently. */
void virtio_read_config(struct virtio_device *d, unsigned offset, void *to, unsigned len);
/* Set up queue index with at most size entries (a power of two).  callback may be NULL: never
 * interrupts. -ENODEV: no such queue; -ENOMEM. */
int virtio_queue_create(struct virtio_device *d, unsigned index, unsigned size,
	virtqueue_callback callback, void *owner, struct virtqueue **out) must_check;
/* DRIVER_OK: from here on the device works. */
void virtio_start(struct virtio_device *d);

/*
 * A split virtqueue, virtio 1.2 2.7.  The owner serialises all calls on one queue.
 */
struct virtqueue_slot {
	void *token;   /* of the chain that starts here; NULL: none does */
	uint16_t skip; /* the next one, in the free list or the chain, is this one + 1 + skip */
	uint16_t n_chained; /* descriptors, of a head */
};

struct virtqueue {
	struct virtio_device *device;
	void *owner;
	virtqueue_callback callback;
	unsigned index, size; /* size is a power of two */
	uint16_t n_free, free_head;
	uint16_t avail_idx;    /* next to fill */
	uint16_t notified_idx; /* avail_idx at the last virtqueue_kick() */
	uint16_t used_idx;     /* next to take */
	bool event_idx, indirect, broken;
	bool doorbell_16;
	volatile void *doorbell; /* written with the queue's index */
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	struct virtqueue_slot *slots;
};

/* A piece of memory in the direct map. */
struct virtqueue_buffer {
	void *address;
	uint32_t len;
};

/* Queue a chain: n_out pieces the device reads, then n_in it writes.  token (not NULL) comes back
 * from virtqueue_take().  -ENOSPC: full now; -EIO: broken. */
int virtqueue_add(struct virtqueue *q, const struct virtqueue_buffer *buffers, unsigned n_out,
	unsigned n_in, void *token) must_check;
/* The same through table, n_out + n_in descriptors that stay until the chain is taken back: takes
 * one entry of the queue.  Only if q->indirect. */
int virtqueue_add_indirect(struct virtqueue *q, const struct virtqueue_buffer *buffers,
	unsigned n_out, unsigned n_in, struct virtq_desc *table, void *token) must_check;
/* Notify the device of what was added, unless it said it need not be. */
void virtqueue_kick(struct virtqueue *q);
/* The same in two: whether it is to be notified, and that.  Only the first needs the queue's lock; a notification leaves
 * the machine, and nobody should have to wait for it. */
bool virtqueue_kick_due(struct virtqueue *q) must_check;
void virtqueue_notify(struct virtqueue *q);
/* A chain the device is done with, and how many bytes it claims to have written (unchecked: may be
 * any number); NULL: none. */
void *virtqueue_take(struct virtqueue *q, uint32_t *written);
static inline bool virtqueue_has_used(const struct virtqueue *q)
{
	return *(const volatile uint16_t *)&q->used->idx != q->used_idx;
}
/* Chains the device has. */
static inline unsigned virtqueue_pending(const struct virtqueue *q)
{
	return (uint16_t)(q->avail_idx - q->used_idx);
}
/* Ask for an interrupt once n more chains are used (n >= 1; without EVENT_IDX: at the next one).
 * True: so many are already there and no interrupt may come. */
bool virtqueue_interrupt_after(struct virtqueue *q, unsigned n) must_check;
void virtqueue_interrupts_off(struct virtqueue *q);
