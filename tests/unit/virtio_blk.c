/*
 * The block driver, with a device played by the test: many threads read and write at once; then
 * devices that answer with nonsense, which must end in -EIO for everybody and never in a hang.
 */
#include "tests/unit/virtio_fake.h"

#include "kernel/dev/virtio_blk.c"

const struct virtio_driver *const virtio_drivers[] = {&virtio_blk_driver, NULL};

#define SECTORS 4096u
#define THREADS 40u
#define ROUNDS 200u

static unsigned char disk_bytes[SECTORS * SECTOR_SIZE];
static struct block_device *disk;
static unsigned n_alive, n_ok, n_failed;

/* --- the device --- */

static const struct virtq_desc *descriptors(struct virtqueue *q, uint16_t head, unsigned *n)
{
	const struct virtq_desc *d = &q->desc[head];
	if (d->flags & VIRTQ_DESC_INDIRECT) {
		*n = d->len / sizeof(*d);
		return phys_to_virt((phys_addr){d->addr});
	}
	static struct virtq_desc chain[64];
	for (*n = 0;; d = &q->desc[d->next]) {
		chain[(*n)++] = *d;
		if (!(d->flags & VIRTQ_DESC_NEXT))
			return chain;
	}
}

/* Carry it out as the specification says, but for the answer. */
static void serve(struct virtqueue *q, uint16_t head, uint8_t answer)
{
	unsigned n = 0;
	const struct virtq_desc *d = descriptors(q, head, &n);
	assert(n >= 2 && d[0].len == 16 && d[n - 1].len == 1 && d[n - 1].flags & VIRTQ_DESC_WRITE);
	const struct virtio_blk_req *r = phys_to_virt((phys_addr){d[0].addr});
	size_t at = r->sector * SECTOR_SIZE;
	for (unsigned i = 1; i + 1 < n; i++, at += d[i - 1].len) {
		void *memory = phys_to_virt((phys_addr){d[i].addr});
		assert(at + d[i].len <= sizeof(disk_bytes));
		assert(!(d[i].flags & VIRTQ_DESC_WRITE) == (r->type == VIRTIO_BLK_T_OUT));
		if (r->type == VIRTIO_BLK_T_OUT)
			memcpy(disk_bytes + at, memory, d[i].len);
		else
			memcpy(memory, disk_bytes + at, d[i].len);
	}
	*(uint8_t *)phys_to_virt((phys_addr){d[n - 1].addr}) = answer;
}

/* --- who uses it --- */

/* Each its own part of the disk: write, read back. */
static void user(void *arg)
{
	size_t mine = (size_t)(uintptr_t)arg * (SECTORS / THREADS) * SECTOR_SIZE;
	unsigned char *bytes = heap_alloc(65536), *back = heap_alloc(65536);
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t n = (1 + next_random() % (SECTORS / THREADS)) * SECTOR_SIZE;
		memset(bytes, (int)next_random(), n);
		int err = block_write(disk, mine, bytes, n);
		if (err == 0)
			err = block_flush(disk);
		if (err == 0)
			err = block_read(disk, mine, back, n);
		assert(err == 0 || err == -EIO);
		n_ok += err == 0;
		n_failed += err < 0;
		assert(err < 0 || memcmp(bytes, back, n) == 0);
	}
	heap_free(bytes);
	heap_free(back);
	n_alive--;
	thread_exit();
}

static struct virtio_device *start(uint64_t features)
{
	static const struct virtio_blk_config config = {.capacity = SECTORS, .seg_max = 30};
	struct virtio_device *d = fake_device(VIRTIO_ID_BLOCK, &config, 1);
	offered = features | VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |
		  VIRTIO_FEATURE(VIRTIO_BLK_F_SEG_MAX) | VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH);
	unsigned n = 0;
	while (block_at(n))
		n++;
	virtio_attach(d);
	disk = block_at(n);
	assert(disk && disk->n_sectors == SECTORS && disk->max_segments == 30);
	n_ok = n_failed = 0;
	for (n_alive = 0; n_alive < THREADS; n_alive++) {
		struct thread *t = NULL;
		const struct thread_request r = {.size = sizeof(*t),
			.name = "user",
			.entry = user,
			.arg = (void *)(uintptr_t)n_alive};
		assert(thread_create(&r, &t) == 0);
		thread_start(t);
	}
	return d;
}

static void check_good(uint64_t features)
{
	struct virtio_device *d = start(features);
	struct seen s = {.q = d->queues[0]};
	while (n_alive > 0) {
		uint16_t head = 0;
		while (next_random() % 8 && next_chain(&s, &head)) {
			serve(s.q, head, VIRTIO_BLK_S_OK);
			give_back(s.q, head, 1);
		}
		virtio_interrupt(d);
		thread_yield();
	}
	assert(n_ok == THREADS * ROUNDS && n_failed == 0);
	assert(block_read(disk, SECTORS * SECTOR_SIZE, disk_bytes, SECTOR_SIZE) == -EIO);
}

static void check_bad(unsigned kind)
{
	struct virtio_device *d = start(VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX));
	struct seen s = {.q = d->queues[0]};
	for (unsigned i = 0; n_alive > 0; i++) {
		assert(i < 10000000);
		uint16_t head = 0;
		while (!s.q->broken && next_random() % 4 && next_chain(&s, &head)) {
			bool fail = kind == 0 && next_random() % 10 == 0;
			serve(s.q, head, fail ? (uint8_t)next_random() | 1 : VIRTIO_BLK_S_OK);
			give_back(s.q, head, next_random());
		}
		if (kind == 1 && i > 100 && next_random() % 100 == 0)
			give_back(s.q, next_random(), 1);
		if (kind == 2 && i > 100 && next_random() % 100 == 0)
			s.q->used->idx += 100;
		virtio_interrupt(d);
		thread_yield();
	}
	assert(n_failed > 0 && (kind == 0) == !s.q->broken);
}

static void run(void *unused)
{
	(void)unused;
	check_good(0);
	check_good(VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) | VIRTIO_FEATURE(VIRTIO_F_INDIRECT_DESC));
	for (unsigned i = 0; i < 3; i++)
		check_bad(i);
}

int main(void)
{
	host_run(run, NULL);
	return 0;
}
