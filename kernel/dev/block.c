/*
 * The table of block devices, and whole transfers: bounds checked, cut into requests that the
 * device takes.
 */
#include "abi/linux/errno.h"
#include "kernel/dev/block.h"
#include "kernel/lib/string.h"

#define DEVICES_MAX 32u
#define PIECE_MAX (16 * PAGE_SIZE)

static struct block_device *devices[DEVICES_MAX];
static unsigned n_devices;

void block_register(struct block_device *d)
{
	if (n_devices < DEVICES_MAX)
		devices[n_devices++] = d;
}

struct block_device *block_at(unsigned index)
{
	return index < n_devices ? devices[index] : NULL;
}

struct block_device *block_find(const char *name)
{
	if (string_starts_with(name, "/dev/"))
		name += 5;
	for (unsigned i = 0; i < n_devices; i++)
		if (strcmp(devices[i]->name, name) == 0)
			return devices[i];
	return NULL;
}

static bool in_bounds(const struct block_device *d, uint64_t offset, size_t n)
{
	uint64_t sector = offset / SECTOR_SIZE;
	return is_aligned(offset, SECTOR_SIZE) && is_aligned(n, SECTOR_SIZE) &&
	       sector <= d->n_sectors && n / SECTOR_SIZE <= d->n_sectors - sector;
}

/* One request, counted. */
static int submit(struct block_device *d, enum block_operation operation, uint64_t offset,
	const struct block_segment *segments, unsigned n_segments)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < n_segments; i++)
		n += segments[i].len / SECTOR_SIZE;
	int err = d->ops->submit(d, operation, offset / SECTOR_SIZE, segments, n_segments);
	if (operation == BLOCK_READ) {
		d->n_reads++;
		d->n_sectors_read += n;
	} else if (operation == BLOCK_WRITE) {
		d->n_writes++;
		d->n_sectors_written += n;
	} else {
		d->n_flushes++;
	}
	return err;
}

void block_totals(uint64_t *n_read, uint64_t *n_written)
{
	*n_read = *n_written = 0;
	for (unsigned i = 0; i < n_devices; i++) {
		*n_read += devices[i]->n_sectors_read;
		*n_written += devices[i]->n_sectors_written;
	}
}

static int transfer(struct block_device *d, enum block_operation operation, uint64_t offset,
	uint8_t *memory, size_t n)
{
	if (!in_bounds(d, offset, n))
		return -EIO;
	while (n > 0) {
		struct block_segment s = {memory, (uint32_t)min(n, PIECE_MAX)};
		int err = submit(d, operation, offset, &s, 1);
		if (err < 0)
			return err;
		offset += s.len;
		memory += s.len;
		n -= s.len;
	}
	return 0;
}

int block_read(struct block_device *d, uint64_t offset, void *to, size_t n)
{
	return transfer(d, BLOCK_READ, offset, to, n);
}

int block_write(struct block_device *d, uint64_t offset, const void *from, size_t n)
{
	if (d->read_only)
		return -EROFS;
	return transfer(d, BLOCK_WRITE, offset, (uint8_t *)(uintptr_t)from, n);
}

int block_read_segments(struct block_device *d, uint64_t offset,
	const struct block_segment *segments, unsigned n_segments)
{
	size_t n = 0;
	for (unsigned i = 0; i < n_segments; i++)
		n += segments[i].len;
	if (!in_bounds(d, offset, n))
		return -EIO;
	while (n_segments > 0) {
		unsigned batch = min(n_segments, d->max_segments);
		int err = submit(d, BLOCK_READ, offset, segments, batch);
		if (err < 0)
			return err;
		for (unsigned i = 0; i < batch; i++)
			offset += segments[i].len;
		segments += batch;
		n_segments -= batch;
	}
	return 0;
}

int block_flush(struct block_device *d)
{
	return submit(d, BLOCK_FLUSH, 0, NULL, 0);
}
