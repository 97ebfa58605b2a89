/*
 * Pages of regular files.  A page that is missed brings its neighbours in the same request, as far
 * as they follow each other on the device too.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/ext4.h"
#include "kernel/lib/string.h"

/* Pages brought in for one that was missed; and when the page before it is there, so that somebody
 * seems to read along. */
#define WINDOW 16u
#define WINDOW_SEQUENTIAL EXT4_READ_MAX

/* One page block by block: holes, pieces here and there, the end of the file. */
static int fill_piecewise(struct ext4_inode *e, uint64_t index, uint8_t *to, uint64_t size)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t start = index * PAGE_SIZE;
	unsigned end = (unsigned)min((uint64_t)PAGE_SIZE, size - start);
	for (unsigned at = 0; at < end;) {
		struct ext4_run run;
		int err = ext4_map(e, (uint32_t)((start + at) >> fs->block_shift), &run);
		if (err < 0)
			return err;
		uint64_t run_bytes = (uint64_t)run.len << fs->block_shift;
		size_t n = (size_t)min(run_bytes, (uint64_t)(PAGE_SIZE - at));
		if (run.physical == 0)
			memset(to + at, 0, n);
		else
			err = block_read(fs->device, run.physical << fs->block_shift, to + at, n);
		if (err < 0)
			return err;
		at += (unsigned)n;
	}
	memset(to + end, 0, PAGE_SIZE - end);
	return 0;
}

/* Fill page, and up to n - 1 behind it that are not there yet. */
static int fill(struct page_cache *c, struct page *page, unsigned n)
{
	struct ext4_inode *e = ext4_inode_of(inode_of_pages(c));
	struct ext4 *fs = ext4_of(&e->inode);
	uint8_t *to = page_address(page);
	uint64_t size = inode_size(&e->inode), start = page->index * PAGE_SIZE;
	if (start >= size || e->flags & EXT4_INODE_INLINE_DATA) {
		memset(to, 0, PAGE_SIZE);
		return start < size ? ext4_inline_read(e, to, min(size, (uint64_t)PAGE_SIZE)) : 0;
	}
	struct ext4_run run;
	int err = ext4_map(e, (uint32_t)(start >> fs->block_shift), &run);
	if (err < 0)
		return err;
	uint64_t whole_pages = (uint64_t)run.len << fs->block_shift >> PAGE_SHIFT;
	if (whole_pages == 0)
		return fill_piecewise(e, page->index, to, size);
	if (run.physical == 0) {
		memset(to, 0, PAGE_SIZE);
		return 0;
	}
	struct ext4_extent_bytes from = {
		run.physical << fs->block_shift, whole_pages << PAGE_SHIFT, size - start};
	from.len = min(from.len, align_up(from.used, PAGE_SIZE));
	return ext4_read_pages(fs, c, page, n, &from);
}

int ext4_fill(struct page_cache *c, struct page *page)
{
	struct page *before = page->index ? page_cache_find(c, page->index - 1) : NULL;
	if (before)
		page_put(before);
	return fill(c, page, before ? WINDOW_SEQUENTIAL : WINDOW);
}

void ext4_read_ahead(struct inode *inode, uint64_t first, unsigned n)
{
	uint64_t end = div_round_up(inode_size(inode), PAGE_SIZE);
	end = first < end ? min(end, first + n) : first;
	for (uint64_t i = first; i < end; i++) {
		struct page *there = page_cache_find(&inode->pages, i);
		/* Filling one brings in the others. */
		if (!there && page_cache_get(&inode->pages, i, &there) < 0)
			return;
		page_put(there);
	}
}

/* Where the first dirty page at or behind `at` begins. */
static uint64_t next_dirty(struct inode *i, uint64_t at, uint64_t end)
{
	uint64_t index = page_cache_next_dirty(&i->pages, at / PAGE_SIZE);
	return index > end / PAGE_SIZE ? UINT64_MAX : max(at, index * PAGE_SIZE);
}

/* The first byte of [at, end) in a page that is not dirty, or end. */
static uint64_t first_clean(struct inode *i, uint64_t at, uint64_t end)
{
	uint64_t index = at / PAGE_SIZE;
	if (page_cache_next_dirty(&i->pages, index) != index)
		return at;
	while (index * PAGE_SIZE < end && page_cache_next_dirty(&i->pages, index) == index)
		index++;
	return min(index * PAGE_SIZE, end);
}

int64_t ext4_seek(struct inode *inode, uint64_t offset, int whence)
{
	struct ext4_inode *e = ext4_inode_of(inode);
	struct ext4 *fs = ext4_of(inode);
	uint64_t size = inode_size(inode), at = offset;
	if (e->flags & EXT4_INODE_INLINE_DATA)
		return (int64_t)(whence == SEEK_DATA ? offset : size);
	while (at < size) {
		struct ext4_run run;
		int err = ext4_map(e, (uint32_t)(at >> fs->block_shift), &run);
		if (err < 0)
			return err;
		uint64_t end = ((uint64_t)run.logical + run.len) << fs->block_shift;
		/* In a hole what is dirty is data, too. */
		uint64_t dirty = run.physical ? at : next_dirty(inode, at, end);
		if (whence == SEEK_DATA && dirty < min(end, size))
			return (int64_t)dirty;
		if (whence == SEEK_HOLE && !run.physical) {
			uint64_t hole = first_clean(inode, at, end);
			if (hole < end)
				return (int64_t)min(hole, size);
		}
		at = end;
	}
	return whence == SEEK_DATA ? -ENXIO : (int64_t)size;
}
