/*
 * Directories: blocks of entries.  Those with an index (index.c) hold it in blocks that look like
 * one empty entry each, so that reading all entries in order works for both.
 *
 * Positions of ext4_list() are byte offsets plus 2.  Offsets from lseek(2) may lie anywhere: a
 * block is always walked from its start.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/ext4.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define FIRST_POSITION 2u
#define INLINE_PARENT 4u /* an inline directory starts with its parent's number */

static const uint8_t entry_types[] = {
	DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR, DT_BLK, DT_FIFO, DT_SOCK, DT_LNK};

static int bad_directory(struct ext4_inode *dir, const char *what, uint64_t where)
{
	return ext4_corrupt(ext4_of(&dir->inode), "directory %llu: %s at %llu",
		(unsigned long long)dir->inode.number, what, (unsigned long long)where);
}

int ext4_entry_at(struct ext4_inode *dir, const uint8_t *entries, unsigned size, unsigned offset,
	struct ext4_entry *out)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	const struct ext4_disk_entry *d = (const void *)(entries + offset);
	unsigned left = size - offset;
	if (left < EXT4_ENTRY_HEADER || d->rec_len < EXT4_ENTRY_HEADER || d->rec_len % 4 != 0 ||
		d->rec_len > left)
		return bad_directory(dir, "bad entry", offset);
	if (d->inode != 0 && (d->name_len == 0 || d->name_len + EXT4_ENTRY_HEADER > d->rec_len ||
				     d->inode > fs->n_inodes))
		return bad_directory(dir, "bad entry", offset);
	out->inode = d->inode;
	out->name_len = d->name_len;
	out->next = offset + d->rec_len;
	bool typed =
		fs->incompat & EXT4_INCOMPAT_FILETYPE && d->file_type < array_size(entry_types);
	out->type = typed ? entry_types[d->file_type] : DT_UNKNOWN;
	out->name = d->name;
	return 0;
}

/* --- checksums --- */

static bool leaf_right(struct ext4_inode *dir, const uint8_t *block, unsigned size)
{
	unsigned end = size - (unsigned)sizeof(struct ext4_entry_tail);
	const struct ext4_entry_tail *tail = (const void *)(block + end);
	return tail->zero == 0 && tail->rec_len == sizeof(*tail) && tail->zero2 == 0 &&
	       tail->type == EXT4_ENTRY_TAIL_TYPE &&
	       tail->checksum == crc32c(dir->checksum_seed, block, end);
}

/* Over the entries in use, then the tail behind all there is room for. */
static bool node_right(
	struct ext4_inode *dir, const uint8_t *block, unsigned size, unsigned entries)
{
	const struct ext4_hash_entry *e = (const void *)(block + entries);
	size_t tail_at = entries + e->limit * sizeof(*e);
	if (e->count > e->limit || tail_at + sizeof(struct ext4_hash_tail) > size)
		return false;
	const struct ext4_hash_tail *tail = (const void *)(block + tail_at);
	static const uint8_t zero[sizeof(tail->checksum)];
	uint32_t crc = crc32c(dir->checksum_seed, block, entries + e->count * sizeof(*e));
	crc = crc32c(crc, &tail->reserved, sizeof(tail->reserved));
	return tail->checksum == crc32c(crc, zero, sizeof(zero));
}

static bool checksum_right(struct ext4_inode *dir, uint32_t logical, const uint8_t *block)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	const struct ext4_disk_entry *first = (const void *)block;
	bool indexed = dir->flags & EXT4_INODE_INDEX && fs->compat & EXT4_COMPAT_DIR_INDEX;
	if (indexed && logical == 0)
		return node_right(dir, block, fs->block_size, EXT4_HASH_ROOT_ENTRIES);
	if (indexed && first->inode == 0 && first->rec_len == fs->block_size)
		return node_right(dir, block, fs->block_size, EXT4_HASH_NODE_ENTRIES);
	return leaf_right(dir, block, fs->block_size);
}

int ext4_directory_block(struct ext4_inode *dir, uint32_t logical, struct ext4_block *out)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	struct ext4_run run;
	out->page = NULL;
	int err = ext4_map(dir, logical, &run);
	if (err < 0 || run.physical == 0)
		return err;
	err = ext4_block_get(fs, run.physical, out);
	if (err < 0 || !ext4_has_checksums(fs) || ext4_block_verified(fs, out))
		return err;
	if (checksum_right(dir, logical, out->data)) {
		ext4_block_set_verified(fs, out);
		return 0;
	}
	ext4_block_put(out);
	return bad_directory(dir, "wrong checksum", (uint64_t)logical << fs->block_shift);
}

/* --- finding a name --- */

int ext4_entries_find(struct ext4_inode *dir, const uint8_t *entries, unsigned size,
	const struct name *name, uint32_t *out)
{
	struct ext4_entry e;
	for (unsigned at = 0; at < size; at = e.next) {
		int err = ext4_entry_at(dir, entries, size, at, &e);
		if (err < 0)
			return err;
		if (e.inode && e.name_len == name->len &&
			memcmp(e.name, name->text, name->len) == 0) {
			*out = e.inode;
			return 0;
		}
	}
	return -ENOENT;
}

static int find_in_all(
	struct ext4_inode *dir, const struct name *name, uint32_t *out, uint32_t *where)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	uint64_t n = inode_size(&dir->inode) >> fs->block_shift;
	for (uint32_t logical = 0; logical < n; logical++) {
		struct ext4_block b;
		int err = ext4_directory_block(dir, logical, &b);
		if (err < 0)
			return err;
		if (!b.page)
			continue;
		err = ext4_entries_find(dir, b.data, fs->block_size, name, out);
		ext4_block_put(&b);
		*where = logical;
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

/* The entries of an inline directory: two rows, with heap memory behind them. */
struct inline_rows {
	uint8_t *memory;
	unsigned start[2], end[2]; /* in memory */
};

static int read_inline(struct ext4_inode *dir, struct inline_rows *out)
{
	uint64_t size = inode_size(&dir->inode);
	if (size < INLINE_PARENT || size > EXT4_INLINE_MAX)
		return bad_directory(dir, "bad size of an inline directory", size);
	out->memory = heap_alloc(size);
	if (!out->memory)
		return -ENOMEM;
	int err = ext4_inline_read(dir, out->memory, size);
	if (err < 0) {
		heap_free(out->memory);
		return err;
	}
	out->start[0] = INLINE_PARENT;
	out->end[0] = out->start[1] = (unsigned)min(size, (uint64_t)EXT4_N_BLOCK_BYTES);
	out->end[1] = (unsigned)size;
	return 0;
}

static int find_inline(struct ext4_inode *dir, const struct name *name, uint32_t *out)
{
	struct inline_rows r;
	int err = read_inline(dir, &r);
	if (err < 0)
		return err;
	err = -ENOENT;
	for (unsigned i = 0; i < 2 && err == -ENOENT; i++)
		err = ext4_entries_find(
			dir, r.memory + r.start[i], r.end[i] - r.start[i], name, out);
	heap_free(r.memory);
	return err;
}

int ext4_entry_find(
	struct ext4_inode *dir, const struct name *name, uint32_t *number, uint32_t *logical)
{
	struct ext4 *fs = ext4_of(&dir->inode);
	int err = -EOPNOTSUPP;
	if (dir->flags & EXT4_INODE_INLINE_DATA)
		return find_inline(dir, name, number);
	if (dir->flags & EXT4_INODE_INDEX && fs->compat & EXT4_COMPAT_DIR_INDEX)
		err = ext4_index_find(dir, name, number, logical);
	return err == -EOPNOTSUPP ? find_in_all(dir, name, number, logical) : err;
}

int ext4_lookup(struct inode *inode, const struct name *name, struct inode **out)
{
	struct ext4_inode *dir = ext4_inode_of(inode);
	struct ext4 *fs = ext4_of(inode);
	uint32_t number = 0, logical = 0;
	int err = ext4_entry_find(dir, name, &number, &logical);
	if (err < 0)
		return err;
	if (number < fs->first_inode)
		return bad_directory(dir, "a reserved inode", number);
	return inode_by_number(inode->super, number, out);
}

/* --- listing --- */

/* Entries whose offset, counted from base, is at least from.  1: the sink is full, *position that
 * of the entry it refused. */
static int list_entries(struct ext4_inode *dir, const uint8_t *entries, unsigned size,
	uint64_t base, uint64_t *position, struct directory_sink *sink)
{
	struct ext4_entry e;
	for (unsigned at = 0; at < size; at = e.next) {
		int err = ext4_entry_at(dir, entries, size, at, &e);
		if (err < 0)
			return err;
		bool dots = e.name_len <= 2 && memcmp(e.name, "..", e.name_len) == 0;
		if (!e.inode || dots || FIRST_POSITION + base + at < *position)
			continue;
		if (memchr(e.name, '/', e.name_len) || memchr(e.name, '\0', e.name_len))
			return bad_directory(dir, "a name that is none", base + at);
		if (!sink->add(sink, e.name, e.name_len, e.inode, e.type,
			    FIRST_POSITION + base + e.next)) {
			*position = FIRST_POSITION + base + at;
			return 1;
		}
	}
	*position = FIRST_POSITION + base + size;
	return 0;
}

static int list_inline(struct ext4_inode *dir, uint64_t *position, struct directory_sink *sink)
{
	struct inline_rows r;
	int err = read_inline(dir, &r);
	if (err < 0)
		return err;
	for (unsigned i = 0; i < 2 && err == 0; i++)
		if (*position < FIRST_POSITION + r.end[i])
			err = list_entries(dir, r.memory + r.start[i], r.end[i] - r.start[i],
				r.start[i], position, sink);
	heap_free(r.memory);
	return min(err, 0);
}

int ext4_list(struct inode *inode, uint64_t *position, struct directory_sink *sink)
{
	struct ext4_inode *dir = ext4_inode_of(inode);
	struct ext4 *fs = ext4_of(inode);
	if (dir->flags & EXT4_INODE_INLINE_DATA)
		return list_inline(dir, position, sink);
	uint64_t n = inode_size(inode) >> fs->block_shift;
	int err = 0;
	while (err == 0) {
		uint64_t logical = (*position - FIRST_POSITION) >> fs->block_shift;
		if (logical >= n)
			break;
		struct ext4_block b;
		err = ext4_directory_block(dir, (uint32_t)logical, &b);
		if (err < 0)
			break;
		uint64_t base = logical << fs->block_shift;
		if (b.page)
			err = list_entries(dir, b.data, fs->block_size, base, position, sink);
		else
			*position = FIRST_POSITION + base + fs->block_size;
		ext4_block_put(&b);
	}
	return min(err, 0);
}
