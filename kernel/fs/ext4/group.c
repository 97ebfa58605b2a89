/* Group descriptors and the bitmaps they lead to. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/string.h"

static bool is_power_of(uint32_t n, uint32_t base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

/* With sparse_super only these groups start with a copy of the superblock. */
bool ext4_group_has_super(const struct ext4 *fs, uint32_t group)
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
	return fs->first_data_block + (uint64_t)first * fs->blocks_per_group +
	       ext4_group_has_super(fs, first);
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

static uint16_t descriptor_checksum(const struct ext4 *fs, uint32_t group, const uint8_t *at)
{
	const size_t field = offsetof(struct ext4_disk_group, bg_checksum), behind = field + 2;
	if (ext4_has_checksums(fs)) {
		static const uint8_t zero[2];
		uint32_t crc = crc32c(fs->checksum_seed, &group, sizeof(group));
		crc = crc32c(crc, at, field);
		crc = crc32c(crc, zero, sizeof(zero));
		return (uint16_t)crc32c(crc, at + behind, fs->group_size - behind);
	}
	uint16_t crc = crc16(0xffff, fs->uuid, sizeof(fs->uuid));
	crc = crc16(crc, &group, sizeof(group));
	crc = crc16(crc, at, field);
	return crc16(crc, at + behind, fs->group_size - behind);
}

static bool has_descriptor_checksums(const struct ext4 *fs)
{
	return fs->ro_compat & (EXT4_RO_COMPAT_METADATA_CSUM | EXT4_RO_COMPAT_GDT_CSUM);
}

static bool checksum_right(
	struct ext4 *fs, const struct ext4_block *b, uint32_t group, const uint8_t *at)
{
	uint16_t stored = 0;
	memcpy(&stored, at + offsetof(struct ext4_disk_group, bg_checksum), sizeof(stored));
	return !has_descriptor_checksums(fs) || descriptor_checksum(fs, group, at) == stored ||
	       ext4_is_changed(fs, b->number);
}

int ext4_group_get(struct ext4 *fs, uint32_t number, struct ext4_group *out)
{
	int err = ext4_block_get(fs, descriptor_block(fs, number), &out->block);
	if (err < 0)
		return err;
	uint32_t per_block = fs->block_size / fs->group_size;
	out->number = number;
	out->offset = number % per_block * fs->group_size;
	memset(&out->d, 0, sizeof(out->d));
	memcpy(&out->d, out->block.data + out->offset,
		min(fs->group_size, (unsigned)sizeof(out->d)));
	if (checksum_right(fs, &out->block, number, out->block.data + out->offset))
		return 0;
	ext4_block_put(&out->block);
	return ext4_corrupt(fs, "group %u: its descriptor has a wrong checksum", number);
}

void ext4_group_put(struct ext4_group *g)
{
	ext4_block_put(&g->block);
}

int ext4_group_store(struct ext4 *fs, struct ext4_group *g)
{
	uint32_t per_block = fs->block_size / fs->group_size;
	int err = ext4_change(fs, &g->block, EXT4_SEAL_GROUPS, g->number / per_block * per_block);
	if (err < 0)
		return err;
	memcpy(ext4_bytes(&g->block) + g->offset, &g->d,
		min(fs->group_size, (unsigned)sizeof(g->d)));
	return 0;
}

void ext4_group_seal(struct ext4 *fs, uint32_t first, uint8_t *bytes)
{
	uint32_t n = min(fs->block_size / fs->group_size, fs->n_groups - first);
	if (!has_descriptor_checksums(fs))
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *at = bytes + i * fs->group_size;
		uint16_t crc = descriptor_checksum(fs, first + i, at);
		memcpy(at + offsetof(struct ext4_disk_group, bg_checksum), &crc, sizeof(crc));
	}
}

int ext4_group_inode_table(struct ext4 *fs, uint32_t group, uint64_t *out)
{
	struct ext4_group g;
	int err = ext4_group_get(fs, group, &g);
	if (err < 0)
		return err;
	ext4_group_put(&g);
	uint64_t table = (uint64_t)g.d.bg_inode_table_hi << 32 | g.d.bg_inode_table_lo;
	uint64_t n = div_round_up((uint64_t)fs->inodes_per_group * fs->inode_size, fs->block_size);
	if (table == 0 || table >= fs->n_blocks || n > fs->n_blocks - table)
		return ext4_corrupt(fs, "group %u: its inode table is at block %llu", group,
			(unsigned long long)table);
	*out = table;
	return 0;
}

/* --- bitmaps --- */

uint64_t ext4_group_start(const struct ext4 *fs, uint32_t group)
{
	return fs->first_data_block + (uint64_t)group * fs->blocks_per_group;
}

uint32_t ext4_group_n_blocks(const struct ext4 *fs, uint32_t group)
{
	return (uint32_t)min(
		fs->n_blocks - ext4_group_start(fs, group), (uint64_t)fs->blocks_per_group);
}

static void set_bits(uint8_t *bits, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		bits[i / 8] |= (uint8_t)(1u << i % 8);
}

/* Blocks of descriptors, or set aside for more, behind the group's superblock. */
static uint32_t n_descriptor_blocks(const struct ext4 *fs, uint32_t group)
{
	uint32_t per_block = fs->block_size / fs->group_size;
	uint32_t meta_group = group / per_block, in_meta = group % per_block;
	bool meta = fs->incompat & EXT4_INCOMPAT_META_BG;
	if (meta && meta_group >= fs->first_meta_group)
		return in_meta == 0 || in_meta == 1 || in_meta == per_block - 1;
	if (!ext4_group_has_super(fs, group))
		return 0;
	uint32_t n = meta ? fs->first_meta_group : div_round_up(fs->n_groups, per_block);
	return n + fs->disk->s_reserved_gdt_blocks;
}

/* Mark blocks [start, start + n) as far as they are the group's. */
static void mark_inside(
	const struct ext4 *fs, uint32_t group, uint8_t *bits, uint64_t start, uint64_t n)
{
	uint64_t first = ext4_group_start(fs, group), end = first + ext4_group_n_blocks(fs, group);
	uint64_t from = max(start, first), to = min(start + n, end);
	if (from < to)
		set_bits(bits, (uint32_t)(from - first), (uint32_t)(to - first));
}

/* What a block bitmap that was never written would say. */
static void make_block_bitmap(struct ext4 *fs, const struct ext4_group *g, uint8_t *bits)
{
	const struct ext4_disk_group *d = &g->d;
	uint32_t n_base = ext4_group_has_super(fs, g->number) + n_descriptor_blocks(fs, g->number);
	memset(bits, 0, fs->block_size);
	set_bits(bits, 0, min(n_base, ext4_group_n_blocks(fs, g->number)));
	mark_inside(fs, g->number, bits,
		(uint64_t)d->bg_block_bitmap_hi << 32 | d->bg_block_bitmap_lo, 1);
	mark_inside(fs, g->number, bits,
		(uint64_t)d->bg_inode_bitmap_hi << 32 | d->bg_inode_bitmap_lo, 1);
	mark_inside(fs, g->number, bits,
		(uint64_t)d->bg_inode_table_hi << 32 | d->bg_inode_table_lo,
		div_round_up((uint64_t)fs->inodes_per_group * fs->inode_size, fs->block_size));
	set_bits(bits, ext4_group_n_blocks(fs, g->number), fs->block_size * 8);
}

static int read_bitmap(struct ext4 *fs, uint64_t at, unsigned n_bits, uint32_t checksum,
	const char *what, uint32_t group, struct ext4_block *out)
{
	int err = ext4_block_get(fs, at, out);
	if (err < 0 || !ext4_has_checksums(fs) || ext4_block_verified(fs, out))
		return err;
	uint32_t crc = crc32c(fs->checksum_seed, out->data, n_bits / 8);
	bool wide = fs->group_size >= sizeof(struct ext4_disk_group);
	if (wide ? crc == checksum : (uint16_t)crc == (uint16_t)checksum) {
		ext4_block_set_verified(fs, out);
		return 0;
	}
	ext4_block_put(out);
	return ext4_corrupt(fs, "group %u: its bitmap of %s has a wrong checksum", group, what);
}

/* Has it ever been written?  If not, make it. */
static int new_bitmap(struct ext4 *fs, struct ext4_group *g, uint64_t at, uint16_t flag,
	enum ext4_seal seal, struct ext4_block *out)
{
	int err = ext4_block_new(fs, at, seal, g->number, out);
	if (err < 0)
		return err;
	g->d.bg_flags &= (uint16_t)~flag;
	if (seal == EXT4_SEAL_BLOCK_BITMAP)
		make_block_bitmap(fs, g, ext4_bytes(out));
	else
		set_bits(ext4_bytes(out), fs->inodes_per_group, fs->block_size * 8);
	err = ext4_group_store(fs, g);
	if (err < 0)
		ext4_block_put(out);
	return err;
}

int ext4_block_bitmap(struct ext4 *fs, struct ext4_group *g, struct ext4_block *out)
{
	uint64_t at = (uint64_t)g->d.bg_block_bitmap_hi << 32 | g->d.bg_block_bitmap_lo;
	if (g->d.bg_flags & EXT4_GROUP_BLOCK_UNINIT && has_descriptor_checksums(fs))
		return new_bitmap(fs, g, at, EXT4_GROUP_BLOCK_UNINIT, EXT4_SEAL_BLOCK_BITMAP, out);
	return read_bitmap(fs, at, fs->blocks_per_group,
		EXT4_GROUP_COUNT(&g->d, bg_block_bitmap_csum), "blocks", g->number, out);
}

int ext4_inode_bitmap(struct ext4 *fs, struct ext4_group *g, struct ext4_block *out)
{
	uint64_t at = (uint64_t)g->d.bg_inode_bitmap_hi << 32 | g->d.bg_inode_bitmap_lo;
	if (g->d.bg_flags & EXT4_GROUP_INODE_UNINIT && has_descriptor_checksums(fs))
		return new_bitmap(fs, g, at, EXT4_GROUP_INODE_UNINIT, EXT4_SEAL_INODE_BITMAP, out);
	return read_bitmap(fs, at, fs->inodes_per_group,
		EXT4_GROUP_COUNT(&g->d, bg_inode_bitmap_csum), "inodes", g->number, out);
}
