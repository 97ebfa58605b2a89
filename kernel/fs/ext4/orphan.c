/*
 * Orphans: inodes whose blocks must be freed after a crash, because their last name is gone while somebody uses them, or
 * because they were being shortened.  On disk a list from the superblock through the inodes' i_dtime.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/log.h"

static int set_head(struct ext4 *fs, uint32_t number)
{
	int err = ext4_change(fs, &fs->super_block, EXT4_SEAL_SUPER, 0);
	if (err == 0)
		fs->disk->s_last_orphan = number;
	return err;
}

static int set_next(struct ext4_inode *e, uint32_t number)
{
	struct ext4_block b;
	struct ext4_disk_inode *d;
	int err = ext4_inode_for_change(e, &b, &d);
	if (err < 0)
		return err;
	d->i_dtime = number;
	ext4_inode_seal(e, d);
	ext4_block_put(&b);
	return 0;
}

int ext4_orphan_add(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	if (!list_empty(&e->orphan_link))
		return 0;
	int err = set_next(e, fs->disk->s_last_orphan);
	e->orphan_next = fs->disk->s_last_orphan;
	if (err == 0)
		err = set_head(fs, (uint32_t)e->inode.number);
	if (err == 0)
		list_push_front(&fs->orphans, &e->orphan_link);
	return err;
}

int ext4_orphan_remove(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	if (list_empty(&e->orphan_link))
		return 0;
	struct ext4_inode *before = NULL;
	if (e->orphan_link.prev != &fs->orphans)
		before = list_entry(e->orphan_link.prev, struct ext4_inode, orphan_link);
	int err = before ? set_next(before, e->orphan_next) : set_head(fs, e->orphan_next);
	if (before)
		before->orphan_next = e->orphan_next;
	if (err == 0)
		err = set_next(e, 0);
	if (err == 0)
		list_remove(&e->orphan_link);
	return err;
}

/* --- after a crash --- */

/* Onto the list in memory; what it says comes next. */
static int adopt(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_block b;
	struct ext4_disk_inode *d;
	int err = ext4_begin(fs, 1);
	if (err < 0)
		return err;
	err = ext4_inode_for_change(e, &b, &d);
	if (err == 0) {
		e->orphan_next = d->i_dtime;
		ext4_block_put(&b);
		list_push_front(&fs->orphans, &e->orphan_link);
	}
	ext4_end(fs);
	return err;
}

/* It has a name: only what is behind its end goes. */
static int finish_truncate(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t n = div_round_up(inode_size(&e->inode), (uint64_t)fs->block_size);
	int err = 0;
	if (S_ISREG(e->inode.mode))
		err = e->flags & EXT4_INODE_EXTENTS ? ext4_remove_blocks(e, (uint32_t)n, 1ull << 32)
						    : -EOPNOTSUPP;
	if (err == 0)
		err = ext4_begin(fs, 4);
	if (err < 0)
		return err;
	err = ext4_orphan_remove(e);
	ext4_end(fs);
	return err;
}

static int clean_one(struct ext4 *fs, uint32_t number, uint32_t *next)
{
	struct inode *i = NULL;
	if (number < fs->first_inode || number > fs->n_inodes)
		return ext4_corrupt(fs, "the list of orphans leads to inode %u", number);
	int err = inode_by_number(fs->super, number, &i);
	if (err < 0)
		return err;
	err = adopt(ext4_inode_of(i));
	if (err == 0) {
		*next = ext4_inode_of(i)->orphan_next;
		if (i->n_links > 0)
			err = finish_truncate(ext4_inode_of(i));
	}
	inode_put(i); /* without a name: its end frees it */
	return err;
}

int ext4_orphans_clean(struct ext4 *fs)
{
	uint32_t number = fs->disk->s_last_orphan, n = 0;
	int err = 0;
	if (number == 0)
		return 0;
	fs->cleaning = true;
	while (number != 0 && err == 0) {
		uint32_t next = 0;
		/* A list that bites its tail has been gone through by then. */
		err = n++ < fs->n_inodes ? clean_one(fs, number, &next)
					 : ext4_corrupt(fs, "the list of orphans has no end");
		if (err == 0 && fs->disk->s_last_orphan != next && !fs->aborted)
			err = ext4_corrupt(fs, "the list of orphans can not be emptied");
		number = next;
	}
	fs->cleaning = false;
	if (err == 0)
		log_info("%s: ext4: cleaned up %u inodes that a crash left", fs->device->name, n);
	return err;
}
