/* For tests of kernel/fs/ext4: an image in memory as a block device, and walking a mounted tree. */
#pragma once

#include "tests/unit/host_headers.h"

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/dev/block.h"
#include "kernel/fs/ext4/ext4.h"
#include "kernel/mem/heap.h"

/* A write, as it was sent; sector UINT64_MAX: a flush. */
struct image_write {
	uint64_t sector;
	unsigned char *bytes;
	size_t n;
};

struct image {
	struct block_device device;
	unsigned char *bytes;
	size_t size;
	unsigned long n_requests, n_writes, n_flushes;
	long fail_after;         /* requests, then -EIO; -1: never */
	struct image_write *log; /* NULL: not kept */
	size_t n_log, log_room;
};

static inline void image_log(struct image *im, uint64_t sector, const void *bytes, size_t n)
{
	if (!im->log_room)
		return;
	if (im->n_log == im->log_room) {
		im->log_room *= 2;
		im->log = realloc(im->log, im->log_room * sizeof(*im->log));
	}
	struct image_write *w = &im->log[im->n_log++];
	*w = (struct image_write){sector, n ? malloc(n) : NULL, n};
	if (n)
		memcpy(w->bytes, bytes, n);
}

static inline void image_keep_log(struct image *im)
{
	im->log_room = 1024;
	im->log = malloc(im->log_room * sizeof(*im->log));
}

static int image_submit(struct block_device *d, enum block_operation operation, uint64_t sector,
	const struct block_segment *segments, unsigned n_segments)
{
	struct image *im = d->driver;
	im->n_requests++;
	if (im->fail_after == 0)
		return -EIO;
	if (im->fail_after > 0)
		im->fail_after--;
	if (operation == BLOCK_FLUSH) {
		im->n_flushes++;
		image_log(im, UINT64_MAX, NULL, 0);
		return 0;
	}
	assert(n_segments > 0 && n_segments <= d->max_segments);
	assert(operation == BLOCK_READ || !d->read_only);
	size_t at = sector * SECTOR_SIZE;
	for (unsigned i = 0; i < n_segments; i++) {
		assert(segments[i].len % SECTOR_SIZE == 0 && at + segments[i].len <= im->size);
		if (operation == BLOCK_WRITE) {
			im->n_writes++;
			image_log(im, at / SECTOR_SIZE, segments[i].address, segments[i].len);
			memcpy(im->bytes + at, segments[i].address, segments[i].len);
		} else {
			memcpy(segments[i].address, im->bytes + at, segments[i].len);
		}
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
	im->fail_after = -1;
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

static inline void image_save(const struct image *im, const char *path)
{
	FILE *f = fopen(path, "wb");
	assert(f && fwrite(im->bytes, 1, im->size, f) == im->size);
	assert(fclose(f) == 0);
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

/* Everything mount() made, given back.  (The kernel itself never does.) */
static inline void image_unmount(struct super *s)
{
	struct ext4 *fs = s->private;
	inode_put(s->root);
	page_cache_destroy(&fs->metadata);
	heap_free(fs);
	super_free(s);
}

static inline void walk_file(struct inode *i)
{
	static unsigned char bytes[3 * PAGE_SIZE];
	uint64_t size = inode_size(i), last = size ? (size - 1) / PAGE_SIZE : 0;
	uint64_t at[] = {0, PAGE_SIZE * 5, last / 2 * PAGE_SIZE, last * PAGE_SIZE};
	for (unsigned k = 0; k < 4; k++) {
		uint64_t left = size > at[k] ? size - at[k] : 0;
		size_t n = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
		int err = page_cache_read(&i->pages, at[k], bytes, n);
		(void)err;
		if (left && i->ops->seek) {
			int64_t to = i->ops->seek(i, at[k], SEEK_DATA);
			to = i->ops->seek(i, at[k], SEEK_HOLE);
			(void)to;
		}
	}
	if (size && i->ops->read_ahead)
		i->ops->read_ahead(i, last / 2, 9);
}

/* Look at all that can be reached, whatever it is like; for damaged images.  How many inodes. */
static inline unsigned image_walk(struct inode *i, unsigned depth)
{
	char target[PATH_MAX];
	if (S_ISREG(i->mode))
		walk_file(i);
	if (S_ISLNK(i->mode)) {
		long n = i->ops->readlink(i, target, sizeof(target));
		assert(n < (long)sizeof(target));
	}
	if (!S_ISDIR(i->mode) || depth == 0)
		return 1;
	struct entries e;
	unsigned n_inodes = 1;
	int err = entries_read(&e, i, 50);
	(void)err;
	for (unsigned k = 0; k < e.n && k < 300; k++) {
		struct name name = make_name(e.items[k].name, strlen(e.items[k].name));
		struct inode *child = NULL;
		if (i->ops->lookup(i, &name, &child) < 0)
			continue;
		n_inodes += image_walk(child, depth - 1);
		inode_put(child);
	}
	free(e.items);
	return n_inodes;
}
