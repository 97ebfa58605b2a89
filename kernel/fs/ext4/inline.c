/*
 * Contents inside the inode (INLINE_DATA): the first 60 bytes where block numbers would be, the
 * rest in the value of the attribute "system.data", which lies behind the inode's fields.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/ext4.h"
#include "kernel/lib/string.h"

/* The area of attributes: its entries, and the bytes there are from the first of them. */
struct area {
	const uint8_t *first;
	size_t size;
};

static bool find_area(const struct ext4 *fs, const struct ext4_disk_inode *disk, struct area *out)
{
	if (fs->inode_size <= EXT4_INODE_SIZE_OLD)
		return false;
	size_t at = EXT4_INODE_SIZE_OLD + disk->i_extra_isize;
	if (at % 4 != 0 || at + sizeof(uint32_t) > fs->inode_size)
		return false;
	const uint8_t *area = (const uint8_t *)disk + at;
	if (*(const uint32_t *)area != EXT4_XATTR_MAGIC)
		return false;
	*out = (struct area){area + sizeof(uint32_t), fs->inode_size - at - sizeof(uint32_t)};
	return true;
}

static const uint8_t *find_data(const struct area *a, size_t *len)
{
	size_t at = 0;
	while (at + sizeof(struct ext4_xattr_entry) <= a->size) {
		const struct ext4_xattr_entry *x = (const void *)(a->first + at);
		if (*(const uint32_t *)x == 0)
			return NULL; /* the end */
		size_t next = at + align_up(sizeof(*x) + x->e_name_len, (size_t)4);
		if (next > a->size)
			return NULL;
		if (x->e_name_index == EXT4_XATTR_SYSTEM && x->e_name_len == 4 &&
			memcmp(x->e_name, "data", 4) == 0) {
			bool fits = x->e_value_inum == 0 && x->e_value_offs <= a->size &&
				    x->e_value_size <= a->size - x->e_value_offs;
			*len = fits ? x->e_value_size : 0;
			return fits ? a->first + x->e_value_offs : NULL;
		}
		at = next;
	}
	return NULL;
}

int ext4_inline_read(struct ext4_inode *e, void *to, size_t size)
{
	struct ext4 *fs = ext4_of(&e->inode);
	size_t in_block = min(size, (size_t)EXT4_N_BLOCK_BYTES);
	memcpy(to, e->block, in_block);
	if (size == in_block)
		return 0;
	struct ext4_block b;
	const struct ext4_disk_inode *disk = NULL;
	int err = ext4_inode_on_disk(e, &b, &disk);
	if (err < 0)
		return err;
	struct area area;
	size_t len = 0;
	const uint8_t *data = find_area(fs, disk, &area) ? find_data(&area, &len) : NULL;
	if (data && len >= size - in_block)
		memcpy((uint8_t *)to + in_block, data, size - in_block);
	else
		err = ext4_corrupt(fs, "inode %llu: its contents are not in the inode",
			(unsigned long long)e->inode.number);
	ext4_block_put(&b);
	return err;
}
