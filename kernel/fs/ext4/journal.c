/*
 * The journal.  So far only one question: does it hold changes that have not reached their places
 * yet?
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/ext4.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"

static int read_start(struct ext4_inode *journal, bool *empty)
{
	struct ext4 *fs = ext4_of(&journal->inode);
	struct ext4_run run;
	int err = ext4_map(journal, 0, &run);
	if (err < 0)
		return err;
	struct ext4_block b;
	err = ext4_block_get(fs, run.physical, &b);
	if (err < 0)
		return err;
	if (load_be32(b.data) == EXT4_JOURNAL_MAGIC)
		*empty = load_be32(b.data + EXT4_JOURNAL_START) == 0;
	else
		err = ext4_corrupt(fs, "the journal has no superblock");
	ext4_block_put(&b);
	return err;
}

int ext4_journal_check(struct ext4 *fs)
{
	if (!(fs->incompat & EXT4_INCOMPAT_RECOVER))
		return 0;
	struct inode *inode = NULL;
	bool empty = false;
	if (fs->journal_inode != 0) {
		int err = inode_by_number(fs->super, fs->journal_inode, &inode);
		if (err < 0)
			return err;
		err = read_start(ext4_inode_of(inode), &empty);
		inode_put(inode);
		if (err < 0)
			return err;
	}
	if (empty)
		return 0;
	log_error(
		"%s: ext4: not cleanly unmounted, and its journal holds changes: run e2fsck on the "
		"image",
		fs->device->name);
	return -EUCLEAN;
}
