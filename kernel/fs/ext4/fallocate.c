/* fallocate(2): room set aside, holes, ranges of zeroes, and ranges that are taken out or put in. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/fs/internal.h"
#include "kernel/lib/string.h"

#define LOGICAL_END (1ull << 32)

/* Bytes [from, to), inside one page, become zeroes. */
static int clear_bytes(struct ext4_inode *e, uint64_t from, uint64_t to)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct page_cache *c = &e->inode.pages;
	struct ext4_run run;
	struct page *page;
	if (from >= to)
		return 0;
	uint64_t index = from / PAGE_SIZE;
	int err = ext4_map(e, (uint32_t)(from >> fs->block_shift), &run);
	if (err < 0 || (run.physical == 0 && page_cache_next_dirty(c, index) != index))
		return err;
	err = page_cache_get(c, index, &page);
	if (err < 0)
		return err;
	err = page_cache_dirty(c, page);
	if (err == 0)
		memset((uint8_t *)page_address(page) + from % PAGE_SIZE, 0, to - from);
	page_put(page);
	return err;
}

/* The parts of blocks at both ends of the range. */
static int clear_edges(struct ext4_inode *e, uint64_t offset, uint64_t end)
{
	uint64_t size = ext4_of(&e->inode)->block_size;
	uint64_t first = align_up(offset, size), last = align_down(end, size);
	if (first > last)
		return clear_bytes(e, offset, end);
	int err = clear_bytes(e, offset, first);
	return err < 0 ? err : clear_bytes(e, last, end);
}

static int punch(struct ext4_inode *e, uint64_t offset, uint64_t end)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = clear_edges(e, offset, end);
	if (err < 0)
		return err;
	uint64_t first = div_round_up(offset, (uint64_t)fs->block_size);
	uint64_t last = min(end >> fs->block_shift, LOGICAL_END);
	mutex_lock(&e->write_lock);
	if (first < last)
		err = ext4_remove_blocks(e, (uint32_t)first, last);
	if (err == 0 && first < last) {
		unmap_pages(&e->inode.pages, align_down(offset, PAGE_SIZE));
		page_cache_punch(&e->inode.pages, offset, end);
	}
	mutex_unlock(&e->write_lock);
	return err;
}

/* A hole, or its front, gets blocks that are not written. */
static int fill_hole(struct ext4_inode *e, struct ext4_run *hole)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_range *range;
	int err = ext4_check_room(fs, hole->len);
	if (err == 0)
		err = ext4_begin(fs, 2 * EXT4_EXTENT_BLOCKS);
	if (err < 0)
		return err;
	uint32_t group = (uint32_t)(e->inode.number - 1) / fs->inodes_per_group;
	err = ext4_blocks_find(
		fs, ext4_group_start(fs, group), min(hole->len, fs->blocks_per_group), &range);
	if (err < 0)
		goto end;
	hole->physical = range->start;
	hole->len = (uint32_t)range->len;
	ext4_busy_remove(fs, range);
	rw_lock_write(&e->map_lock);
	err = ext4_blocks_take(fs, hole->physical, hole->len);
	if (err == 0)
		err = ext4_extent_insert(e, hole, true);
	rw_unlock_write(&e->map_lock);
	e->inode.n_blocks += (uint64_t)hole->len << (fs->block_shift - 9);
	if (err == 0)
		err = ext4_store(e);
end:
	ext4_end(fs);
	return err;
}

static int reserve(struct ext4_inode *e, uint64_t at, uint64_t end)
{
	int err = 0;
	mutex_lock(&e->write_lock);
	while (at < end && err == 0) {
		struct ext4_run run;
		err = ext4_map(e, (uint32_t)at, &run);
		if (err < 0)
			break;
		run.len = (uint32_t)min((uint64_t)run.len, end - at);
		if (run.physical == 0 && run.unwritten == 0)
			err = fill_hole(e, &run);
		at += run.len;
	}
	mutex_unlock(&e->write_lock);
	return err;
}

/* The size, in memory and on disk. */
static int set_size(struct ext4_inode *e, uint64_t size)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = ext4_begin(fs, 2);
	if (err < 0)
		return err;
	inode_set_size(&e->inode, size);
	e->disk_size = size;
	err = ext4_store(e);
	ext4_end(fs);
	return err;
}

static int grow_to(struct ext4_inode *e, uint64_t end)
{
	uint64_t old = inode_size(&e->inode);
	if (end <= old)
		return 0;
	/* What is behind the old end in its page is zero on the disk before the size shows it. */
	int err = old % PAGE_SIZE ? ext4_write_back(&e->inode, align_down(old, PAGE_SIZE), old) : 0;
	return err < 0 ? err : set_size(e, end);
}

/* --- ranges taken out and put in --- */

static int shift_down(struct ext4_inode *e, uint64_t from, uint32_t delta)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t end = div_round_up(inode_size(&e->inode), (uint64_t)fs->block_size);
	int err = 0;
	while (from < end && err == 0) {
		struct ext4_run run;
		err = ext4_map(e, (uint32_t)from, &run);
		if (err < 0)
			break;
		if (run.physical || run.unwritten) {
			err = ext4_begin(fs, EXT4_EXTENT_BLOCKS);
			if (err < 0)
				break;
			rw_lock_write(&e->map_lock);
			err = ext4_extent_shift_down(e, (uint32_t)from, delta);
			rw_unlock_write(&e->map_lock);
			if (err == 0)
				err = ext4_store(e);
			ext4_end(fs);
		}
		from += run.len;
	}
	return err;
}

static int shift_up(struct ext4_inode *e, uint32_t from, uint32_t delta)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t end = LOGICAL_END - delta;
	int err = 0;
	while (end > from && err == 0) {
		err = ext4_begin(fs, EXT4_EXTENT_BLOCKS);
		if (err < 0)
			break;
		rw_lock_write(&e->map_lock);
		err = ext4_extent_shift_up(e, from, &end, delta);
		rw_unlock_write(&e->map_lock);
		if (err == 0)
			err = ext4_store(e);
		ext4_end(fs);
	}
	return err;
}

/* Pages from offset on: written, and gone. */
static int settle_pages(struct ext4_inode *e, uint64_t offset)
{
	unmap_pages(&e->inode.pages, align_down(offset, PAGE_SIZE));
	return ext4_write_back(&e->inode, 0, UINT64_MAX);
}

static void drop_pages(struct ext4_inode *e, uint64_t offset)
{
	unmap_pages(&e->inode.pages, align_down(offset, PAGE_SIZE));
	page_cache_truncate(&e->inode.pages, align_down(offset, PAGE_SIZE));
}

static int collapse(struct ext4_inode *e, uint64_t offset, uint64_t len)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t size = inode_size(&e->inode);
	if ((offset | len) % fs->block_size || offset + len >= size)
		return -EINVAL;
	uint64_t first = offset >> fs->block_shift, n = len >> fs->block_shift;
	int err = settle_pages(e, offset);
	if (err < 0)
		return err;
	mutex_lock(&e->write_lock);
	err = ext4_remove_blocks(e, (uint32_t)first, first + n);
	if (err == 0)
		err = shift_down(e, first + n, (uint32_t)n);
	if (err == 0)
		err = set_size(e, size - len);
	drop_pages(e, offset);
	mutex_unlock(&e->write_lock);
	return err;
}

static int insert(struct ext4_inode *e, uint64_t offset, uint64_t len)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t size = inode_size(&e->inode);
	if ((offset | len) % fs->block_size || offset >= size)
		return -EINVAL;
	if (len > e->inode.super->max_file_size - size)
		return -EFBIG;
	int err = settle_pages(e, offset);
	if (err < 0)
		return err;
	mutex_lock(&e->write_lock);
	err = set_size(e, size + len);
	if (err == 0)
		err = shift_up(e, (uint32_t)(offset >> fs->block_shift),
			(uint32_t)(len >> fs->block_shift));
	drop_pages(e, offset);
	mutex_unlock(&e->write_lock);
	return err;
}

int ext4_allocate(struct inode *inode, int mode, uint64_t offset, uint64_t len)
{
	struct ext4_inode *e = ext4_inode_of(inode);
	struct ext4 *fs = ext4_of(inode);
	uint64_t end = offset + len;
	int err = 0;
	if (!fs->journal || fs->aborted)
		return -EROFS;
	if (!(e->flags & EXT4_INODE_EXTENTS))
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_COLLAPSE_RANGE)
		return mode == FALLOC_FL_COLLAPSE_RANGE ? collapse(e, offset, len) : -EINVAL;
	if (mode & FALLOC_FL_INSERT_RANGE)
		return mode == FALLOC_FL_INSERT_RANGE ? insert(e, offset, len) : -EINVAL;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		err = punch(e, offset, end);
	if (err < 0 || mode & FALLOC_FL_PUNCH_HOLE)
		return err;
	err = reserve(e, offset >> fs->block_shift, div_round_up(end, (uint64_t)fs->block_size));
	return err < 0 || mode & FALLOC_FL_KEEP_SIZE ? err : grow_to(e, end);
}
