/*
 * Sizes.  A file that shrinks by more than one operation can take back is an orphan meanwhile: after a crash its size, which
 * is the new one already, says what to free.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/string.h"

#define LOGICAL_END (1ull << 32)
/* Freeing one extent: the tree's nodes, two groups. */
#define REMOVE_BLOCKS (EXT4_EXTENT_BLOCKS + 8)

int ext4_remove_blocks(struct ext4_inode *e, uint32_t from, uint64_t to)
{
	struct ext4 *fs = ext4_of(&e->inode);
	while (to > from) {
		int err = ext4_begin(fs, REMOVE_BLOCKS + 1);
		if (err < 0)
			return err;
		rw_lock_write(&e->map_lock);
		do {
			err = ext4_extent_remove(e, from, &to);
		} while (err == 0 && to > from && ext4_has_room(fs, REMOVE_BLOCKS + 1));
		rw_unlock_write(&e->map_lock);
		if (err == 0)
			err = ext4_store(e);
		ext4_end(fs);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Zeroes from `size` to the end of its block, if there is one: what is cut off must not come back. */
static int clear_tail(struct ext4_inode *e, uint64_t size)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct page_cache *c = &e->inode.pages;
	struct ext4_run run;
	struct page *page = NULL;
	if (size % fs->block_size == 0)
		return 0;
	int err = ext4_map(e, (uint32_t)(size >> fs->block_shift), &run);
	if (err < 0)
		return err;
	if (run.physical == 0 && page_cache_next_dirty(c, size / PAGE_SIZE) != size / PAGE_SIZE)
		return 0;
	err = page_cache_get(c, size / PAGE_SIZE, &page);
	if (err < 0)
		return err;
	err = page_cache_dirty(c, page);
	if (err == 0)
		memset((uint8_t *)page_address(page) + size % PAGE_SIZE, 0,
			PAGE_SIZE - size % PAGE_SIZE);
	page_put(page);
	return err;
}

/* An operation's worth: the size, and the mark that blocks must follow. */
static int set_size(struct ext4_inode *e, uint64_t size, bool orphan)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = ext4_begin(fs, 4);
	if (err < 0)
		return err;
	inode_set_size(&e->inode, size);
	e->disk_size = size;
	if (orphan)
		err = ext4_orphan_add(e);
	if (err == 0)
		err = ext4_store(e);
	ext4_end(fs);
	return err;
}

static int clear_orphan(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = ext4_begin(fs, 4);
	if (err < 0)
		return err;
	err = ext4_orphan_remove(e);
	ext4_end(fs);
	return err;
}

static int shrink(struct ext4_inode *e, uint64_t size)
{
	struct ext4 *fs = ext4_of(&e->inode);
	if (!(e->flags & EXT4_INODE_EXTENTS))
		return -EOPNOTSUPP;
	/* A file whose name is gone is an orphan already, and stays one. */
	bool mark = e->inode.n_blocks > 0 && list_empty(&e->orphan_link);
	int err = clear_tail(e, size);
	if (err == 0)
		err = set_size(e, size, mark);
	if (err == 0)
		err = ext4_remove_blocks(
			e, (uint32_t)div_round_up(size, (uint64_t)fs->block_size), LOGICAL_END);
	return err == 0 && mark ? clear_orphan(e) : err;
}

int ext4_truncate(struct inode *inode, uint64_t size)
{
	struct ext4_inode *e = ext4_inode_of(inode);
	struct ext4 *fs = ext4_of(inode);
	uint64_t old = inode_size(inode);
	if (!fs->journal || fs->aborted)
		return -EROFS;
	if (size == old)
		return 0;
	if (size > old && old % PAGE_SIZE != 0) {
		/* Zeroes behind the old end reach the disk before the size that shows them. */
		int err = ext4_write_back(inode, align_down(old, PAGE_SIZE), old);
		if (err < 0)
			return err;
	}
	mutex_lock(&e->write_lock);
	int err = size < old ? shrink(e, size) : set_size(e, size, false);
	mutex_unlock(&e->write_lock);
	return err;
}

/* --- the end --- */

/* The inode is free, on disk too. */
static int free_inode(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_block b;
	struct ext4_disk_inode *d;
	int err = ext4_begin(fs, 16);
	if (err < 0)
		return err;
	err = ext4_attributes_free(e);
	if (err == 0)
		err = ext4_orphan_remove(e);
	inode_set_size(&e->inode, 0);
	e->disk_size = 0;
	if (err == 0)
		err = ext4_store(e);
	if (err == 0)
		err = ext4_inode_for_change(e, &b, &d);
	if (err == 0) {
		d->i_dtime = (uint32_t)time_now().tv_sec;
		ext4_inode_seal(e, d);
		ext4_block_put(&b);
		err = ext4_inode_give(fs, (uint32_t)e->inode.number, S_ISDIR(e->inode.mode));
	}
	e->gone = true;
	ext4_end(fs);
	return err;
}

/* Extents of metadata are revoked block by block: directories and long symbolic links. */
static int revoke_contents(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t n = div_round_up(inode_size(&e->inode), (uint64_t)fs->block_size);
	for (uint64_t at = 0; at < n;) {
		struct ext4_run run;
		int err = ext4_map(e, (uint32_t)at, &run);
		for (uint32_t i = 0; i < run.len && err == 0 && run.physical; i++) {
			err = ext4_begin(fs, 1);
			if (err < 0)
				return err;
			err = ext4_revoke(fs, run.physical + i);
			ext4_end(fs);
		}
		if (err < 0)
			return err;
		at += run.len;
	}
	return 0;
}

static void forget(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	mutex_lock(&fs->lock);
	list_remove(&e->orphan_link);
	mutex_unlock(&fs->lock);
}

/* An inode without a name: its blocks and itself become free. */
static int end_inode(struct ext4_inode *e)
{
	bool tree = e->flags & EXT4_INODE_EXTENTS;
	int err = tree && !S_ISREG(e->inode.mode) ? revoke_contents(e) : 0;
	if (err == 0 && tree)
		err = ext4_remove_blocks(e, 0, LOGICAL_END);
	return err < 0 ? err : free_inode(e);
}

void ext4_release(struct inode *inode)
{
	struct ext4_inode *e = ext4_inode_of(inode);
	struct ext4 *fs = ext4_of(inode);
	if (!fs->journal || e->gone)
		return;
	int err = 0;
	if (inode->n_links > 0) {
		/* What can not be written is told to nobody: every file was closed. */
		err = ext4_write_back(inode, 0, UINT64_MAX);
		(void)err;
	} else if (!fs->aborted) {
		err = end_inode(e);
		(void)err; /* it stays an orphan */
	}
	forget(e);
}

void ext4_end_orphans(struct ext4 *fs)
{
	while (!list_empty(&fs->orphans)) {
		struct ext4_inode *e = list_first(&fs->orphans, struct ext4_inode, orphan_link);
		page_cache_truncate(&e->inode.pages, 0);
		if (e->inode.n_links > 0 || end_inode(e) < 0)
			return;
	}
}
