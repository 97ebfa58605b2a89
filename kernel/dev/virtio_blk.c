/*
 * virtio block devices, virtio 1.2 5.2.  One queue; up to REQUESTS in flight, each in a slot of its
 * own whose wait queue its thread sleeps on.  Multi-queue (VIRTIO_BLK_F_MQ) has its place in struct
 * disk: one such queue per CPU.
 */
#include "abi/linux/errno.h"
#include "kernel/dev/block.h"
#include "kernel/dev/virtio.h"
#include "kernel/dev/virtio_drivers.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/wait.h"

#define REQUESTS 32u
#define SEGMENTS 32u /* 128 KB in pages */
#define QUEUE_SIZE 128u
#define WAIT_DONE 1u
#define STATUS_NONE 0xff /* what the device must overwrite */

struct request {
	struct virtio_blk_req head;
	uint8_t status;
	unsigned slot;
	atomic_bool done;
	struct block_request *async; /* nobody waits: its done is called */
	struct virtq_desc table[SEGMENTS + 2];
};

struct disk {
	struct block_device block;
	struct virtqueue *queue;
	uint32_t segment_max; /* bytes of one segment */
	bool can_flush;
	struct wait_queue room; /* a request ended: there is a slot, and descriptors */
	struct wait_queue waiting[REQUESTS];
	struct spinlock lock;
	/* under lock: the queue, and */
	uint32_t busy_slots;
	struct request *requests[REQUESTS]; /* allocated when first needed */
};

/* Under d->lock. */
static void complete_async(struct disk *d, struct request *r, int result)
{
	struct block_request *b = r->async;
	r->async = NULL;
	if (result < 0)
		log_error("%s: request at sector %llu failed (status %u)", d->block.name,
			(unsigned long long)r->head.sector, r->status);
	if (!d->queue->broken) {
		d->busy_slots &= ~(1u << r->slot);
		wait_wake(&d->room, WAIT_DONE);
	}
	b->done(b, result);
}

/* Under d->lock.  Everything the device has finished. */
static void complete(struct disk *d)
{
	uint32_t written = 0;
	struct request *r = NULL;
	while ((r = virtqueue_take(d->queue, &written))) {
		unsigned slot = r->slot;
		if (r->async) {
			complete_async(d, r, r->status == VIRTIO_BLK_S_OK ? 0 : -EIO);
			continue;
		}
		atomic_store_explicit(&r->done, true, memory_order_release);
		/* r may be in other hands from here on */
		wait_wake(&d->waiting[slot], WAIT_DONE);
	}
	if (likely(!d->queue->broken))
		return;
	for (unsigned i = 0; i < REQUESTS; i++) {
		if (d->requests[i] && d->requests[i]->async)
			complete_async(d, d->requests[i], -EIO);
		wait_wake(&d->waiting[i], WAIT_DONE);
	}
	wait_wake(&d->room, WAIT_DONE);
}

static void interrupt(struct virtqueue *q)
{
	struct disk *d = q->owner;
	irq_state state = spin_lock(&d->lock);
	do {
		complete(d);
	} while (virtqueue_interrupt_after(q, 1) && !q->broken);
	spin_unlock(&d->lock, state);
}

/* A free slot with its request.  -EAGAIN: none free; -ENOMEM; -EIO: broken. */
static int slot_take(struct disk *d, struct request **out)
{
	int err = -EAGAIN;
	irq_state state = spin_lock(&d->lock);
	if (d->queue->broken) {
		err = -EIO;
	} else if (~d->busy_slots) {
		unsigned slot = (unsigned)__builtin_ctz(~d->busy_slots);
		if (!d->requests[slot])
			d->requests[slot] = heap_zalloc(sizeof(struct request));
		*out = d->requests[slot];
		err = *out ? 0 : d->busy_slots ? -EAGAIN : -ENOMEM;
		if (err == 0) {
			(*out)->slot = slot;
			d->busy_slots |= 1u << slot;
		}
	}
	spin_unlock(&d->lock, state);
	return err;
}

static void slot_give(struct disk *d, struct request *r)
{
	irq_state state = spin_lock(&d->lock);
	d->busy_slots &= ~(1u << r->slot);
	spin_unlock(&d->lock, state);
	wait_wake(&d->room, WAIT_DONE);
}

static int queue_request(struct disk *d, struct request *r, const struct virtqueue_buffer *buffers,
	unsigned n_out, unsigned n_in)
{
	struct virtqueue *q = d->queue;
	irq_state state = spin_lock(&d->lock);
	int err = q->indirect && n_out + n_in > 2
			  ? virtqueue_add_indirect(q, buffers, n_out, n_in, r->table, r)
			  : virtqueue_add(q, buffers, n_out, n_in, r);
	if (err == 0)
		virtqueue_kick(q);
	spin_unlock(&d->lock, state);
	return err;
}

/* With interrupts off (early in the boot, or a report being written) nobody would wake us. */
static void poll(struct disk *d)
{
	irq_state state = spin_lock(&d->lock);
	complete(d);
	spin_unlock(&d->lock, state);
	cpu_relax();
}

static void wait_room(struct disk *d, unsigned n)
{
	if (irq_enabled())
		wait_event(&d->room, WAIT_DONE, d->queue->n_free >= n || d->queue->broken);
	else
		poll(d);
}

static void wait_done(struct disk *d, struct request *r)
{
	if (irq_enabled())
		wait_event(&d->waiting[r->slot], WAIT_DONE, r->done || d->queue->broken);
	while (!r->done && !d->queue->broken)
		poll(d);
}

static const uint32_t request_type[] = {
	[BLOCK_READ] = VIRTIO_BLK_T_IN,
	[BLOCK_WRITE] = VIRTIO_BLK_T_OUT,
	[BLOCK_FLUSH] = VIRTIO_BLK_T_FLUSH,
};

/* Hand it to the device, waiting for room. */
static int begin(struct disk *d, struct request *r, enum block_operation operation, uint64_t sector,
	const struct block_segment *segments, unsigned n)
{
	struct virtqueue_buffer buffers[SEGMENTS + 2];
	uint32_t type = request_type[operation];
	r->head = (struct virtio_blk_req){.type = type, .sector = sector};
	r->status = STATUS_NONE;
	r->done = false;
	buffers[0] = (struct virtqueue_buffer){&r->head, sizeof(r->head)};
	for (unsigned i = 0; i < n; i++) {
		if (segments[i].len > d->segment_max)
			return -EIO;
		buffers[1 + i] = (struct virtqueue_buffer){segments[i].address, segments[i].len};
	}
	buffers[1 + n] = (struct virtqueue_buffer){&r->status, 1};
	unsigned n_out = type == VIRTIO_BLK_T_OUT ? 1 + n : 1;
	int err = queue_request(d, r, buffers, n_out, n + 2 - n_out);
	while (err == -ENOSPC) {
		wait_room(d, n + 2);
		err = queue_request(d, r, buffers, n_out, n + 2 - n_out);
	}
	return err;
}

static int finish(struct disk *d, struct request *r)
{
	wait_done(d, r);
	/* Broken: the device may still write into r, which stays taken for ever. */
	if (!r->done)
		return -EIO;
	return r->status == VIRTIO_BLK_S_OK ? 0 : -EIO;
}

/* A slot, waiting for one. */
static int slot_wait(struct disk *d, struct request **out)
{
	int err = slot_take(d, out);
	if (err == -EAGAIN && irq_enabled())
		wait_event(&d->room, WAIT_DONE, (err = slot_take(d, out)) != -EAGAIN);
	return err;
}

/* Requests that need no device: 1. */
static int check_operation(const struct disk *d, enum block_operation operation)
{
	if (operation != BLOCK_READ && d->block.read_only)
		return operation == BLOCK_WRITE ? -EROFS : 1;
	/* 5.2.6.2: without it there is no volatile cache we could empty */
	return operation == BLOCK_FLUSH && !d->can_flush;
}

static int submit(struct block_device *block, enum block_operation operation, uint64_t sector,
	const struct block_segment *segments, unsigned n_segments)
{
	struct disk *d = block->driver;
	int err = check_operation(d, operation);
	if (err)
		return min(err, 0);
	assert(n_segments <= block->max_segments);
	struct request *r = NULL;
	err = slot_wait(d, &r);
	if (err < 0)
		return err;
	r->async = NULL;
	err = begin(d, r, operation, sector, segments, n_segments);
	if (err == 0)
		err = finish(d, r);
	unsigned status = r->status;
	if (!d->queue->broken)
		slot_give(d, r);
	if (err == -EIO)
		log_error("%s: %s of sector %llu failed (status %u)", block->name,
			operation == BLOCK_READ ? "read" : "write", (unsigned long long)sector,
			status);
	return err;
}

static int submit_async(struct block_device *block, struct block_request *b)
{
	struct disk *d = block->driver;
	int err = check_operation(d, b->operation);
	if (err < 0)
		return err;
	if (err > 0) {
		b->done(b, 0);
		return 0;
	}
	assert(b->n_segments <= block->max_segments);
	struct request *r = NULL;
	err = slot_wait(d, &r);
	if (err < 0)
		return err;
	r->async = b;
	err = begin(d, r, b->operation, b->sector, b->segments, b->n_segments);
	if (err == 0)
		return 0;
	/* A broken queue may have answered already. */
	irq_state state = spin_lock(&d->lock);
	bool answered = r->async == NULL;
	r->async = NULL;
	spin_unlock(&d->lock, state);
	if (!d->queue->broken)
		slot_give(d, r);
	return answered ? 0 : err;
}

static const struct block_ops blk_ops = {.submit = submit, .start = submit_async};

static void read_limits(struct disk *d, struct virtio_device *v)
{
	struct virtio_blk_config config;
	memset(&config, 0, sizeof(config));
	/* What lies behind blk_size is there only with features we did not take. */
	virtio_read_config(v, 0, &config, offsetof(struct virtio_blk_config, cylinders));
	d->block.n_sectors = min(config.capacity, (uint64_t)INT64_MAX / SECTOR_SIZE);
	d->block.max_segments = SEGMENTS;
	if (virtio_has(v, VIRTIO_BLK_F_SEG_MAX) && config.seg_max)
		d->block.max_segments = min(SEGMENTS, config.seg_max);
	d->segment_max = virtio_has(v, VIRTIO_BLK_F_SIZE_MAX) ? config.size_max : UINT32_MAX;
	d->block.read_only = virtio_has(v, VIRTIO_BLK_F_RO);
	d->can_flush = virtio_has(v, VIRTIO_BLK_F_FLUSH);
}

static int probe(struct virtio_device *v)
{
	int err = virtio_negotiate(
		v, VIRTIO_FEATURE(VIRTIO_BLK_F_SEG_MAX) | VIRTIO_FEATURE(VIRTIO_BLK_F_SIZE_MAX) |
			   VIRTIO_FEATURE(VIRTIO_BLK_F_RO) | VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH));
	if (err < 0)
		return err;
	struct disk *d = heap_zalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	read_limits(d, v);
	if (d->segment_max < PAGE_SIZE)
		err = -ENODEV;
	if (err == 0)
		err = virtio_queue_create(v, 0, QUEUE_SIZE, interrupt, d, &d->queue);
	if (err < 0) {
		heap_free(d);
		return err;
	}
	/* Without indirect tables a chain needs the queue's own descriptors. */
	d->block.max_segments = min(d->block.max_segments, d->queue->size - 2);
	wait_queue_init(&d->room);
	for (unsigned i = 0; i < REQUESTS; i++)
		wait_queue_init(&d->waiting[i]);
	d->block.ops = &blk_ops;
	d->block.driver = d;
	static unsigned n;
	format(d->block.name, sizeof(d->block.name), "vd%c", 'a' + n++ % 26);
	virtio_start(v);
	block_register(&d->block);
	return 0;
}

const struct virtio_driver virtio_blk_driver = {
	.id = VIRTIO_ID_BLOCK, .name = "virtio-blk", .probe = probe};
