/* For tests of kernel/fs/ext4: an image in memory as a block device, and walking a mounted tree. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same numbers, written otherwise. */
#undef RENAME_NOREPLACE
#undef RENAME_EXCHANGE

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/fs/inode.h"
#include "kernel/dev/block.h"

struct image {
	struct block_device device;
	unsigned char *bytes;
	size_t size;
	unsigned long n_requests;
};

static int image_submit(struct block_device *d, enum block_operation operation, uint64_t sector,
	const struct block_segment *segments, unsigned n_segments)
{
	struct image *im = d->driver;
	assert(operation == BLOCK_READ && n_segments > 0 && n_segments <= d->max_segments);
	im->n_requests++;
	size_t at = sector * SECTOR_SIZE;
	for (unsigned i = 0; i < n_segments; i++) {
		assert(segments[i].len % SECTOR_SIZE == 0 && at + segments[i].len <= im->size);
		memcpy(segments[i].address, im->bytes + at, segments[i].len);
		at += segments[i].len;
	}
	return 0;
}

static const struct block_ops image_ops = {.submit = image_submit};

static inline void image_init(struct image *im, unsigned char *bytes, size_t size)
{
	memset(im, 0, sizeof(*im));
	im->bytes = bytes;
	im->size = size;
	im->device = (struct block_device){.ops = &image_ops,
		.name = "vda",
		.n_sectors = size / SECTOR_SIZE,
		.max_segments = 32,
		.driver = im};
}

static inline void image_load(struct image *im, const char *path)
{
	FILE *f = fopen(path, "rb");
	assert(f);
	assert(fseek(f, 0, SEEK_END) == 0);
	size_t size = (size_t)ftell(f) / SECTOR_SIZE * SECTOR_SIZE;
	rewind(f);
	unsigned char *bytes = malloc(size);
	assert(bytes && fread(bytes, 1, size, f) == size);
	fclose(f);
	image_init(im, bytes, size);
}

static inline struct name make_name(const char *text, size_t len)
{
	return (struct name){text, (uint32_t)len, name_hash(text, len)};
}

/* Entries of a directory, `batch` at a time. */
struct entries {
	struct directory_sink sink;
	unsigned batch, taken;
	struct {
		char name[NAME_MAX + 1];
		uint64_t number;
		uint8_t type;
	} * items;
	unsigned n, room;
};

static bool entries_add(struct directory_sink *s, const char *name, size_t name_len, uint64_t ino,
	uint8_t type, uint64_t next_position)
{
	struct entries *e = (struct entries *)s;
	if (e->taken == e->batch)
		return false;
	e->taken++;
	assert(next_position > 2 && name_len > 0 && name_len <= NAME_MAX);
	if (e->n == e->room) {
		e->room = e->room * 2 + 16;
		e->items = realloc(e->items, e->room * sizeof(*e->items));
	}
	memcpy(e->items[e->n].name, name, name_len);
	e->items[e->n].name[name_len] = '\0';
	e->items[e->n].number = ino;
	e->items[e->n++].type = type;
	return true;
}

static inline int entries_read(struct entries *e, struct inode *dir, unsigned batch)
{
	memset(e, 0, sizeof(*e));
	e->sink.add = entries_add;
	e->batch = batch;
	uint64_t position = 2;
	do {
		e->taken = 0;
		int err = dir->ops->list(dir, &position, &e->sink);
		if (err < 0)
			return err;
	} while (e->taken == e->batch);
	return 0;
}
