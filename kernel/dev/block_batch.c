/*
 * Batches: transfers whose caller waits once for all of them.  What follows on the device becomes one request, as far
 * as the device takes it; drivers without a way to begin a request do one after the other.
 */
#include "abi/linux/errno.h"
#include "kernel/dev/block.h"
#include "kernel/mem/heap.h"

#define IN_FLIGHT_MAX 16u /* of one batch: others want room, too */
#define REQUEST_MAX (1u << 20)
#define PROGRESS 1u

struct batch_request {
	struct block_request request;
	struct block_batch *batch;
};

void block_batch_init(struct block_batch *b, struct block_device *d)
{
	b->device = d;
	atomic_init(&b->n_pending, 0);
	atomic_init(&b->err, 0);
	wait_queue_init(&b->progress);
	b->n_segments = 0;
}

static void note_error(struct block_batch *b, int err)
{
	int none = 0;
	if (err < 0)
		atomic_compare_exchange_strong(&b->err, &none, err);
}

/* The batch may be gone as soon as its count has fallen: so that happens under the queue's lock, which
 * block_batch_wait() takes last. */
static void request_done(struct block_request *r, int result)
{
	struct batch_request *mine = container_of(r, struct batch_request, request);
	struct block_batch *b = mine->batch;
	heap_free(mine);
	note_error(b, result);
	irq_state state = spin_lock(&b->progress.lock);
	atomic_fetch_sub(&b->n_pending, 1);
	struct waiter *w;
	list_for_each (w, &b->progress.waiters, link)
		w->wake(w, PROGRESS);
	spin_unlock(&b->progress.lock, state);
}

static int send_waiting(struct block_batch *b)
{
	return b->device->ops->submit(
		b->device, b->operation, b->start / SECTOR_SIZE, b->segments, b->n_segments);
}

static int send_without_waiting(struct block_batch *b, struct batch_request *r)
{
	wait_event(&b->progress, PROGRESS, atomic_load(&b->n_pending) < IN_FLIGHT_MAX);
	*r = (struct batch_request){
		{b->operation, b->start / SECTOR_SIZE, b->segments, b->n_segments, request_done},
		b};
	atomic_fetch_add(&b->n_pending, 1);
	int err = b->device->ops->start(b->device, &r->request);
	if (err < 0) {
		atomic_fetch_sub(&b->n_pending, 1);
		heap_free(r);
	}
	return err;
}

static void send(struct block_batch *b)
{
	if (b->n_segments == 0)
		return;
	struct batch_request *r =
		b->device->ops->start && irq_enabled() ? heap_alloc(sizeof(*r)) : NULL;
	note_error(b, r ? send_without_waiting(b, r) : send_waiting(b));
	b->n_segments = 0;
}

/* Does it continue what has been gathered? */
static bool fits(
	const struct block_batch *b, enum block_operation operation, uint64_t offset, uint32_t len)
{
	unsigned limit = min(b->device->max_segments, BLOCK_BATCH_SEGMENTS);
	return b->n_segments > 0 && b->operation == operation && b->end == offset &&
	       b->n_segments < limit && b->end - b->start + len <= REQUEST_MAX;
}

void block_batch_add(struct block_batch *b, enum block_operation operation, uint64_t offset,
	void *memory, uint32_t len)
{
	uint64_t size = b->device->n_sectors * SECTOR_SIZE;
	if (offset > size || len > size - offset || !is_aligned(offset, SECTOR_SIZE) ||
		!is_aligned(len, SECTOR_SIZE)) {
		note_error(b, -EIO);
		return;
	}
	if (operation == BLOCK_WRITE && b->device->read_only) {
		note_error(b, -EROFS);
		return;
	}
	if (!fits(b, operation, offset, len))
		send(b);
	if (b->n_segments == 0) {
		b->operation = operation;
		b->start = offset;
	}
	b->segments[b->n_segments++] = (struct block_segment){memory, len};
	b->end = offset + len;
}

int block_batch_wait(struct block_batch *b)
{
	send(b);
	wait_event(&b->progress, PROGRESS, atomic_load(&b->n_pending) == 0);
	irq_state state = spin_lock(&b->progress.lock);
	spin_unlock(&b->progress.lock, state);
	return atomic_load(&b->err);
}
