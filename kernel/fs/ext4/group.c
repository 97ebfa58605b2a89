/* Group descriptors: where a group's inodes are. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/ext4.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/string.h"

static bool is_power_of(uint32_t n, uint32_t base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

/* With sparse_super only these groups start with a copy of the superblock. */
static bool has_super(const struct ext4 *fs, uint32_t group)
{
	return group <= 1 || !(fs->ro_compat & EXT4_RO_COMPAT_SPARSE_SUPER) ||
	       is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

/* The block that holds a group's descriptor: all in a row behind the superblock, or, from
 * first_meta_group on (META_BG), a block of them in the first of the groups it describes. */
static uint64_t descriptor_block(const struct ext4 *fs, uint32_t group)
{
	uint32_t per_block = fs->block_size / fs->group_size;
	uint32_t index = group / per_block;
	uint64_t behind_super = (EXT4_SUPER_OFFSET >> fs->block_shift) + 1;
	if (!(fs->incompat & EXT4_INCOMPAT_META_BG) || index < fs->first_meta_group)
		return behind_super + index;
	if (index == 0)
		return behind_super;
	uint32_t first = index * per_block;
	return fs->first_data_block + (uint64_t)first * fs->blocks_per_group + has_super(fs, first);
}

/* CRC-16, polynomial 0xa001: of file systems older than metadata_csum. */
static uint16_t crc16(uint16_t crc, const void *bytes, size_t n)
{
	for (const uint8_t *p = bytes; n > 0; n--, p++) {
		crc ^= *p;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	return crc;
}

static bool checksum_right(const struct ext4 *fs, uint32_t group, const uint8_t *at)
{
	const size_t field = offsetof(struct ext4_disk_group, bg_checksum), behind = field + 2;
	uint16_t stored = 0;
	memcpy(&stored, at + field, sizeof(stored));
	if (ext4_has_checksums(fs)) {
		static const uint8_t zero[2];
		uint32_t crc = crc32c(fs->checksum_seed, &group, sizeof(group));
		crc = crc32c(crc, at, field);
		crc = crc32c(crc, zero, sizeof(zero));
		crc = crc32c(crc, at + behind, fs->group_size - behind);
		return (uint16_t)crc == stored;
	}
	if (fs->ro_compat & EXT4_RO_COMPAT_GDT_CSUM) {
		uint16_t crc = crc16(0xffff, fs->uuid, sizeof(fs->uuid));
		crc = crc16(crc, &group, sizeof(group));
		crc = crc16(crc, at, field);
		crc = crc16(crc, at + behind, fs->group_size - behind);
		return crc == stored;
	}
	return true;
}

int ext4_group_inode_table(struct ext4 *fs, uint32_t group, uint64_t *out)
{
	struct ext4_block b;
	int err = ext4_block_get(fs, descriptor_block(fs, group), &b);
	if (err < 0)
		return err;
	uint32_t per_block = fs->block_size / fs->group_size;
	const uint8_t *at = b.data + group % per_block * fs->group_size;
	struct ext4_disk_group d;
	memset(&d, 0, sizeof(d));
	memcpy(&d, at, min(fs->group_size, (unsigned)sizeof(d)));
	bool right = checksum_right(fs, group, at);
	ext4_block_put(&b);
	if (!right)
		return ext4_corrupt(fs, "group %u: its descriptor has a wrong checksum", group);
	uint64_t table = (uint64_t)d.bg_inode_table_hi << 32 | d.bg_inode_table_lo;
	uint64_t n = div_round_up((uint64_t)fs->inodes_per_group * fs->inode_size, fs->block_size);
	if (table == 0 || table >= fs->n_blocks || n > fs->n_blocks - table)
		return ext4_corrupt(fs, "group %u: its inode table is at block %llu", group,
			(unsigned long long)table);
	*out = table;
	return 0;
}
