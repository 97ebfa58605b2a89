/* Block devices: the face of the drivers towards file systems.  Sectors are 512 bytes. */
#pragma once

#include "kernel/arch/mmu.h"
#include "kernel/lib/base.h"
#include "kernel/sched/wait.h"

#define SECTOR_SIZE 512u

struct block_device;

/* One contiguous piece of memory of a request, in the direct map. */
struct block_segment {
	void *address;
	uint32_t len; /* bytes, multiple of SECTOR_SIZE */
};

enum block_operation { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

/* A request that nobody sleeps for.  Whoever starts it keeps it until done is called. */
struct block_request {
	enum block_operation operation;
	uint64_t sector;
	const struct block_segment *segments; /* looked at only until start returns */
	unsigned n_segments;
	/* Any context, locks of the driver held.  0 or -EIO. */
	void (*done)(struct block_request *r, int result);
};

struct block_ops {
	/* Carry out one request, sleep until the device has answered.  0, -EIO, -ENOMEM, -EROFS.
	 * segments add up to n_sectors * SECTOR_SIZE; at most max_segments of them. */
	int (*submit)(struct block_device *d, enum block_operation operation, uint64_t sector,
		const struct block_segment *segments, unsigned n_segments);
	/* Begin one; sleeps only for room.  An error: done will not be called.  NULL: there is only submit. */
	int (*start)(struct block_device *d, struct block_request *r);
};

struct block_device {
	const struct block_ops *ops;
	char name[16];         /* "vda" */
	char partition_id[37]; /* of a partition: what PARTUUID= says */
	uint64_t n_sectors;
	unsigned max_segments;
	bool read_only;
	atomic_bool mounted; /* by one file system at a time: kernel/fs/mount.c */
	void *driver;
	/* block.c's: requests and sectors so far */
	_Atomic uint64_t n_reads, n_sectors_read, n_writes, n_sectors_written, n_flushes;
};
/* Sectors moved by all devices together. */
void block_totals(uint64_t *n_read, uint64_t *n_written);

/* For drivers: the device exists from now on, for ever.  Copies nothing. */
void block_register(struct block_device *d);
/* partition.c: look for a table of partitions on every disk, once; they are block devices from then on.  Sleeps. */
void partitions_find(void);
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

/*
 * Many transfers at once: neighbours are joined, several requests are in flight.  One thread uses a batch; the
 * memory stays the device's until block_batch_wait() returns.  Nothing orders them among each other.
 */
#define BLOCK_BATCH_SEGMENTS 32u
struct block_batch {
	struct block_device *device;
	atomic_uint n_pending;
	atomic_int err; /* the first */
	struct wait_queue progress;
	/* not sent yet: */
	enum block_operation operation;
	uint64_t start, end; /* bytes */
	unsigned n_segments;
	struct block_segment segments[BLOCK_BATCH_SEGMENTS];
};
void block_batch_init(struct block_batch *b, struct block_device *d);
/* Multiples of SECTOR_SIZE.  Errors come out of block_batch_wait(). */
void block_batch_add(struct block_batch *b, enum block_operation operation, uint64_t offset,
	void *memory, uint32_t len);
int block_batch_wait(struct block_batch *b) must_check;
