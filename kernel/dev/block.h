/* Block devices: the face of the drivers towards file systems.  Sectors are 512 bytes. */
#pragma once

#include "kernel/arch/mmu.h"
#include "kernel/lib/base.h"

#define SECTOR_SIZE 512u

struct block_device;

/* One contiguous piece of memory of a request, in the direct map. */
struct block_segment {
	void *address;
	uint32_t len; /* bytes, multiple of SECTOR_SIZE */
};

enum block_operation { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

struct block_ops {
	/* Carry out one request, sleep until the device has answered.  0, -EIO, -ENOMEM, -EROFS.
	 * segments add up to n_sectors * SECTOR_SIZE; at most max_segments of them. */
	int (*submit)(struct block_device *d, enum block_operation operation, uint64_t sector,
		const struct block_segment *segments, unsigned n_segments);
};

struct block_device {
	const struct block_ops *ops;
	char name[16]; /* "vda" */
	uint64_t n_sectors;
	unsigned max_segments;
	bool read_only;
	void *driver;
	/* block.c's: requests and sectors so far */
	_Atomic uint64_t n_reads, n_sectors_read, n_writes, n_sectors_written, n_flushes;
};
/* Sectors moved by all devices together. */
void block_totals(uint64_t *n_read, uint64_t *n_written);

/* For drivers: the device exists from now on, for ever.  Copies nothing. */
void block_register(struct block_device *d);
/* By name, with or without "/dev/"; NULL if there is none. */
struct block_device *block_find(const char *name);
struct block_device *block_at(unsigned index); /* in order of registration; NULL beyond the last */

/* n bytes from a byte offset, both multiples of SECTOR_SIZE; sleeps.  -EIO also beyond the end. */
int block_read(struct block_device *d, uint64_t offset, void *to, size_t n) must_check;
/* The same into several pieces; as many requests as the device's max_segments makes of it. */
int block_read_segments(struct block_device *d, uint64_t offset,
	const struct block_segment *segments, unsigned n_segments) must_check;
int block_write(struct block_device *d, uint64_t offset, const void *from, size_t n) must_check;
int block_flush(struct block_device *d) must_check;
