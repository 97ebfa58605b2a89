/* Extended attributes in blocks of their own, which inodes may share. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change.h"

int ext4_attributes_free(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_block b;
	if (e->attributes == 0)
		return 0;
	int err = ext4_block_get(fs, e->attributes, &b);
	if (err < 0)
		return err;
	struct ext4_xattr_header *h = (void *)ext4_bytes(&b);
	if (h->h_magic != EXT4_XATTR_MAGIC)
		err = ext4_corrupt(fs, "inode %llu: bad block of attributes",
			(unsigned long long)e->inode.number);
	else if (h->h_refcount > 1) {
		err = ext4_change(fs, &b, EXT4_SEAL_XATTR, 0);
		if (err == 0)
			h->h_refcount--;
		e->inode.n_blocks -= fs->block_size / SECTOR_SIZE;
	} else {
		err = ext4_block_release(e, e->attributes);
	}
	ext4_block_put(&b);
	e->attributes = 0;
	return err;
}
