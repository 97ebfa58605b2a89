/*
 * Extent trees: logical to physical blocks.  A tree's depth goes down by one per level, so that a
 * walk ends whatever a damaged tree says.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/ext4.h"
#include "kernel/lib/crc32c.h"

#define LOGICAL_END (1ull << 32)

int ext4_extent_check(
	struct ext4_inode *e, const struct ext4_extent_header *h, unsigned size, unsigned depth)
{
	struct ext4 *fs = ext4_of(&e->inode);
	unsigned max = (size - sizeof(*h)) / sizeof(struct ext4_extent);
	bool depth_fits = depth == EXT4_ANY_DEPTH ? h->eh_depth <= EXT4_EXTENT_DEPTH_MAX
						  : h->eh_depth == depth;
	if (h->eh_magic != EXT4_EXTENT_MAGIC || !depth_fits || h->eh_max > max ||
		h->eh_entries > h->eh_max || (h->eh_depth > 0 && h->eh_entries == 0))
		return ext4_corrupt(fs, "inode %llu: bad extent tree node",
			(unsigned long long)e->inode.number);
	return 0;
}

/* The checksum stands behind the last entry there is room for. */
static int verify_node(struct ext4_inode *e, const struct ext4_block *b)
{
	struct ext4 *fs = ext4_of(&e->inode);
	if (!ext4_has_checksums(fs) || ext4_block_verified(fs, b))
		return 0;
	const struct ext4_extent_header *h = (const void *)b->data;
	size_t tail = sizeof(*h) + h->eh_max * sizeof(struct ext4_extent);
	if (tail + sizeof(uint32_t) > fs->block_size ||
		crc32c(e->checksum_seed, b->data, tail) != *(const uint32_t *)(b->data + tail))
		return ext4_corrupt(fs, "inode %llu: extent block %llu has a wrong checksum",
			(unsigned long long)e->inode.number, (unsigned long long)b->number);
	ext4_block_set_verified(fs, b);
	return 0;
}

int ext4_extent_node(struct ext4_inode *e, uint64_t number, unsigned depth, struct ext4_block *out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = ext4_block_get(fs, number, out);
	if (err < 0)
		return err;
	err = ext4_extent_check(e, (const void *)out->data, fs->block_size, depth);
	if (err == 0)
		err = verify_node(e, out);
	if (err < 0)
		ext4_block_put(out);
	return err;
}

/* Both kinds of entry are 12 bytes that start with a logical block. */
static uint32_t first_block(const struct ext4_extent_header *h, unsigned i)
{
	return ((const struct ext4_extent *)(h + 1))[i].ee_block;
}

/* How many of the node's entries start at or before logical: the last of them may hold it. */
unsigned ext4_extent_count_up_to(const struct ext4_extent_header *h, uint32_t logical)
{
	unsigned low = 0, high = h->eh_entries;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (first_block(h, middle) <= logical)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where what stands behind entry n - 1 begins: the next entry, or the end the level above knows. */
static uint64_t next_start(
	const struct ext4_extent_header *h, unsigned n, uint32_t logical, uint64_t end)
{
	if (n < h->eh_entries && first_block(h, n) > logical)
		return min(end, (uint64_t)first_block(h, n));
	return end;
}

static void hole(uint32_t logical, uint64_t end, struct ext4_run *out)
{
	uint64_t len = end > logical ? end - logical : 1;
	*out = (struct ext4_run){logical, (uint32_t)min(len, (uint64_t)UINT32_MAX), 0, 0};
}

static int look_in_leaf(struct ext4_inode *e, const struct ext4_extent_header *h, uint32_t logical,
	uint64_t end, struct ext4_run *out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	unsigned n = ext4_extent_count_up_to(h, logical);
	hole(logical, next_start(h, n, logical, end), out);
	if (n == 0)
		return 0;
	const struct ext4_extent *x = (const struct ext4_extent *)(h + 1) + (n - 1);
	bool written = x->ee_len <= EXT4_EXTENT_LEN_MAX;
	uint32_t len = written ? x->ee_len : x->ee_len - EXT4_EXTENT_LEN_MAX;
	uint64_t start = (uint64_t)x->ee_start_hi << 32 | x->ee_start_lo;
	if (len == 0 || x->ee_block + (uint64_t)len > LOGICAL_END || start == 0 ||
		start >= fs->n_blocks || len > fs->n_blocks - start)
		return ext4_corrupt(fs, "inode %llu: bad extent at block %u",
			(unsigned long long)e->inode.number, x->ee_block);
	uint32_t into = logical - x->ee_block;
	if (into >= len)
		return 0;
	*out = (struct ext4_run){
		logical, len - into, written ? start + into : 0, written ? 0 : start + into};
	return 0;
}

/* From index node h to the block below that leads to logical; 0: a hole ahead of everything. */
static uint64_t child_of(const struct ext4_extent_header *h, uint32_t logical, uint64_t *end)
{
	unsigned n = ext4_extent_count_up_to(h, logical);
	*end = next_start(h, n, logical, *end);
	if (n == 0)
		return 0;
	const struct ext4_extent_index *x = (const struct ext4_extent_index *)(h + 1) + (n - 1);
	return (uint64_t)x->ei_leaf_hi << 32 | x->ei_leaf_lo;
}

static int walk(struct ext4_inode *e, uint32_t logical, struct ext4_run *out)
{
	const struct ext4_extent_header *h = (const void *)e->block;
	struct ext4_block b = {0};
	uint64_t end = LOGICAL_END;
	int err = ext4_extent_check(e, h, sizeof(e->block), EXT4_ANY_DEPTH);
	while (err == 0 && h->eh_depth > 0) {
		unsigned depth = h->eh_depth;
		uint64_t child = child_of(h, logical, &end);
		ext4_block_put(&b);
		if (child == 0) {
			hole(logical, end, out);
			return 0;
		}
		err = ext4_extent_node(e, child, depth - 1, &b);
		h = (const void *)b.data;
	}
	if (err == 0)
		err = look_in_leaf(e, h, logical, end, out);
	ext4_block_put(&b);
	return err;
}

/* The run found last serves the blocks that follow. */
static bool in_last_run(struct ext4_inode *e, uint32_t logical, struct ext4_run *out)
{
	irq_state state = spin_lock(&e->lock);
	struct ext4_run run = e->last_run;
	spin_unlock(&e->lock, state);
	uint32_t into = logical - run.logical;
	if (into >= run.len)
		return false;
	*out = (struct ext4_run){logical, run.len - into, run.physical ? run.physical + into : 0,
		run.unwritten ? run.unwritten + into : 0};
	return true;
}

int ext4_map(struct ext4_inode *e, uint32_t logical, struct ext4_run *out)
{
	if (in_last_run(e, logical, out))
		return 0;
	rw_lock_read(&e->map_lock);
	int err = e->flags & EXT4_INODE_EXTENTS ? walk(e, logical, out)
						: ext4_blockmap_map(e, logical, out);
	if (err == 0) {
		irq_state state = spin_lock(&e->lock);
		e->last_run = *out;
		spin_unlock(&e->lock, state);
	}
	rw_unlock_read(&e->map_lock);
	return err;
}
