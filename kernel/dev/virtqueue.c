/*
 * Split virtqueues, virtio 1.2 2.7.  What the driver needs to know of its own chains is kept in
 * slots, out of the device's reach; of the rings only used entries are read back, and each is
 * checked against the slots.
 */
#include "abi/linux/errno.h"
#include "kernel/dev/virtio.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"
#include "kernel/mem/heap.h"

/* The legacy interface fixes used = align(avail end), and addresses all by page number. */
#define MODERN_ALIGN 64u
#define LEGACY_ALIGN 4096u

static inline volatile uint16_t *used_event(struct virtqueue *q)
{
	return &q->avail->ring[q->size];
}

static inline volatile uint16_t *avail_event(struct virtqueue *q)
{
	return (volatile uint16_t *)&q->used->ring[q->size];
}

/* Cleared slots are a list in order: so a large queue costs nothing before it is used. */
static inline uint16_t next_of(const struct virtqueue *q, unsigned i)
{
	return (uint16_t)(i + 1 + q->slots[i].skip);
}

static inline void set_next(struct virtqueue *q, unsigned i, unsigned next)
{
	q->slots[i].skip = (uint16_t)(next - i - 1);
}

static void break_queue(struct virtqueue *q, const char *why, unsigned value)
{
	q->broken = true;
	log_error("%s: queue %u: the device %s (%u); no longer used", q->device->name, q->index,
		why, value);
}

static int allocate(struct virtqueue *q, unsigned align)
{
	size_t avail_at = q->size * sizeof(struct virtq_desc);
	size_t used_at = align_up(avail_at + sizeof(struct virtq_avail) + 2 * (q->size + 1), align);
	size_t total = used_at + sizeof(struct virtq_used) +
		       q->size * sizeof(struct virtq_used_elem) + sizeof(uint16_t);
	uint8_t *rings = heap_zalloc(total);
	if (!rings)
		return -ENOMEM;
	q->slots = heap_array(q->size, sizeof(*q->slots));
	if (!q->slots) {
		heap_free(rings);
		return -ENOMEM;
	}
	q->desc = (struct virtq_desc *)rings;
	q->avail = (struct virtq_avail *)(rings + avail_at);
	q->used = (struct virtq_used *)(rings + used_at);
	return 0;
}

static int set_up(struct virtqueue *q, unsigned size)
{
	struct virtio_device *d = q->device;
	unsigned size_max = d->transport->queue_size_max(d, q->index);
	if (size_max == 0)
		return -ENODEV;
	/* The legacy PCI and mmio interfaces allow any size up to the maximum, too; a power of two
	 * always. */
	while (size > size_max)
		size /= 2;
	q->size = size;
	q->event_idx = virtio_has(d, VIRTIO_F_EVENT_IDX);
	q->indirect = virtio_has(d, VIRTIO_F_INDIRECT_DESC);
	int err = allocate(q, d->legacy ? LEGACY_ALIGN : MODERN_ALIGN);
	if (err < 0)
		return err;
	q->n_free = (uint16_t)size;
	if (!q->callback)
		virtqueue_interrupts_off(q);
	return 0;
}

int virtio_queue_create(struct virtio_device *d, unsigned index, unsigned size,
	virtqueue_callback callback, void *owner, struct virtqueue **out)
{
	assert(d->n_queues < VIRTIO_QUEUES_MAX);
	struct virtqueue *q = heap_zalloc(sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->device = d;
	q->index = index;
	q->callback = callback;
	q->owner = owner;
	int err = set_up(q, size);
	if (err < 0)
		goto free_queue;
	err = d->transport->queue_enable(d, q);
	if (err < 0)
		goto free_rings;
	d->queues[d->n_queues++] = q;
	*out = q;
	return 0;
free_rings:
	heap_free(q->slots);
	heap_free(q->desc);
free_queue:
	heap_free(q);
	return err;
}

static inline void fill(
	struct virtq_desc *desc, const struct virtqueue_buffer *b, unsigned flags, unsigned next)
{
	desc->addr = virt_to_phys(b->address).pa;
	desc->len = b->len;
	desc->flags = (uint16_t)flags;
	desc->next = (uint16_t)next;
}

/* The chain that starts at head, n descriptors long, belongs to the device from here on
 * (2.7.13). */
static inline void publish(struct virtqueue *q, uint16_t head, uint16_t n, void *token)
{
	q->slots[head].token = token;
	q->slots[head].n_chained = n;
	q->n_free -= n;
	q->avail->ring[q->avail_idx & (q->size - 1)] = head;
	q->avail_idx++;
	__atomic_store_n(&q->avail->idx, q->avail_idx, __ATOMIC_RELEASE);
}

int virtqueue_add(struct virtqueue *q, const struct virtqueue_buffer *buffers, unsigned n_out,
	unsigned n_in, void *token)
{
	unsigned n = n_out + n_in;
	if (unlikely(q->broken))
		return -EIO;
	if (n > q->n_free)
		return -ENOSPC;
	uint16_t head = q->free_head, at = head;
	for (unsigned i = 0; i < n; i++) {
		unsigned flags = i < n_out ? 0 : VIRTQ_DESC_WRITE;
		uint16_t next = next_of(q, at);
		fill(&q->desc[at], &buffers[i], i + 1 < n ? flags | VIRTQ_DESC_NEXT : flags, next);
		at = next;
	}
	q->free_head = at;
	publish(q, head, (uint16_t)n, token);
	return 0;
}

int virtqueue_add_indirect(struct virtqueue *q, const struct virtqueue_buffer *buffers,
	unsigned n_out, unsigned n_in, struct virtq_desc *table, void *token)
{
	unsigned n = n_out + n_in;
	if (unlikely(q->broken))
		return -EIO;
	if (q->n_free == 0)
		return -ENOSPC;
	for (unsigned i = 0; i < n; i++) {
		unsigned flags = i < n_out ? 0 : VIRTQ_DESC_WRITE;
		fill(&table[i], &buffers[i], i + 1 < n ? flags | VIRTQ_DESC_NEXT : flags, i + 1);
	}
	uint16_t head = q->free_head;
	struct virtqueue_buffer whole = {table, n * (uint32_t)sizeof(*table)};
	fill(&q->desc[head], &whole, VIRTQ_DESC_INDIRECT, 0);
	q->free_head = next_of(q, head);
	publish(q, head, 1, token);
	return 0;
}

bool virtqueue_kick_due(struct virtqueue *q)
{
	uint16_t new = q->avail_idx, old = q->notified_idx;
	if (new == old || q->broken)
		return false;
	q->notified_idx = new;
	io_fence(); /* the index before reading whether the device wants to know (2.7.13.4.1) */
	if (q->event_idx) {
		uint16_t event = *avail_event(q);
		return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
	}
	return !(*(volatile uint16_t *)&q->used->flags & VIRTQ_USED_NO_NOTIFY);
}

void virtqueue_notify(struct virtqueue *q)
{
	if (q->doorbell_16)
		mmio_write16(q->doorbell, (uint16_t)q->index);
	else
		mmio_write32(q->doorbell, q->index);
}

void virtqueue_kick(struct virtqueue *q)
{
	if (virtqueue_kick_due(q))
		virtqueue_notify(q);
}

void *virtqueue_take(struct virtqueue *q, uint32_t *written)
{
	if (q->broken || !virtqueue_has_used(q))
		return NULL;
	atomic_thread_fence(memory_order_acquire); /* the entry after the index */
	volatile struct virtq_used_elem *elem = &q->used->ring[q->used_idx & (q->size - 1)];
	uint32_t id = elem->id;
	*written = elem->len;
	if (unlikely(id >= q->size || !q->slots[id].token)) {
		break_queue(q, "returned a buffer it does not have", id);
		return NULL;
	}
	struct virtqueue_slot *slot = &q->slots[id];
	void *token = slot->token;
	slot->token = NULL;
	unsigned last = id;
	for (unsigned i = 1; i < slot->n_chained; i++)
		last = next_of(q, last);
	set_next(q, last, q->free_head);
	q->free_head = (uint16_t)id;
	q->n_free += slot->n_chained;
	q->used_idx++;
	return token;
}

bool virtqueue_interrupt_after(struct virtqueue *q, unsigned n)
{
	if (!q->event_idx) {
		*(volatile uint16_t *)&q->avail->flags = 0;
		io_fence();
		return virtqueue_has_used(q);
	}
	*used_event(q) = (uint16_t)(q->used_idx + n - 1);
	io_fence(); /* the wish before looking whether it is fulfilled already */
	return (uint16_t)(*(volatile uint16_t *)&q->used->idx - q->used_idx) >= n;
}

void virtqueue_interrupts_off(struct virtqueue *q)
{
	if (q->event_idx)
		*used_event(q) = (uint16_t)(q->used_idx + 0x8000);
	else
		*(volatile uint16_t *)&q->avail->flags = VIRTQ_AVAIL_NO_INTERRUPT;
}
