/*
 * Free inodes.  Files go where their directory is; directories of the root are spread over the groups, others stay near
 * their parent, as long as it has room.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"

#define GROUPS_COMPARED 16u

static uint32_t first_zero(const uint8_t *bits, uint32_t n)
{
	uint32_t at = 0;
	while (at + 8 <= n && bits[at / 8] == 0xff)
		at += 8;
	while (at < n && bits[at / 8] >> at % 8 & 1)
		at++;
	return at;
}

/* For a directory of the root: of some groups from anywhere on the one with most free inodes and blocks. */
static int choose_group(struct ext4 *fs, uint32_t *group)
{
	uint64_t random = 0;
	random_bytes(&random, sizeof(random));
	uint32_t at = (uint32_t)(random % fs->n_groups), n = min(fs->n_groups, GROUPS_COMPARED);
	uint64_t best = 0;
	for (uint32_t i = 0; i < n; i++, at = at + 1 == fs->n_groups ? 0 : at + 1) {
		struct ext4_group g;
		int err = ext4_group_get(fs, at, &g);
		if (err < 0)
			return err;
		ext4_group_put(&g);
		uint64_t free_inodes = EXT4_GROUP_COUNT(&g.d, bg_free_inodes_count);
		uint64_t score = free_inodes * EXT4_GROUP_COUNT(&g.d, bg_free_blocks_count);
		if (score <= best)
			continue;
		best = score;
		*group = at;
	}
	return 0;
}

/* The block of the table that holds an inode never used before, if the table was never cleared. */
static int clear_table_block(struct ext4 *fs, const struct ext4_group *g, uint32_t index)
{
	uint64_t offset = (uint64_t)index * fs->inode_size;
	if (g->d.bg_flags & EXT4_GROUP_INODE_ZEROED || offset % fs->block_size != 0)
		return 0;
	uint64_t table = (uint64_t)g->d.bg_inode_table_hi << 32 | g->d.bg_inode_table_lo;
	struct ext4_block b;
	int err = ext4_block_new(fs, table + offset / fs->block_size, EXT4_SEAL_NONE, 0, &b);
	if (err == 0)
		ext4_block_put(&b);
	return err;
}

static int take_bit(struct ext4 *fs, struct ext4_group *g, struct ext4_block *b, uint32_t index,
	bool is_directory)
{
	uint32_t per_group = fs->inodes_per_group;
	int err = ext4_change(fs, b, EXT4_SEAL_INODE_BITMAP, g->number);
	if (err < 0)
		return err;
	ext4_bytes(b)[index / 8] |= (uint8_t)(1u << index % 8);
	EXT4_GROUP_SET(
		&g->d, bg_free_inodes_count, EXT4_GROUP_COUNT(&g->d, bg_free_inodes_count) - 1);
	if (is_directory)
		EXT4_GROUP_SET(
			&g->d, bg_used_dirs_count, EXT4_GROUP_COUNT(&g->d, bg_used_dirs_count) + 1);
	uint32_t unused = EXT4_GROUP_COUNT(&g->d, bg_itable_unused);
	if (unused > 0 && index >= per_group - min(unused, per_group)) {
		err = clear_table_block(fs, g, index);
		EXT4_GROUP_SET(&g->d, bg_itable_unused, per_group - index - 1);
	}
	return err < 0 ? err : ext4_group_store(fs, g);
}

/* -ENOSPC: none in this group. */
static int take_in_group(struct ext4 *fs, uint32_t group, bool is_directory, uint32_t *out)
{
	struct ext4_group g;
	struct ext4_block b;
	int err = ext4_group_get(fs, group, &g);
	if (err < 0)
		return err;
	if (EXT4_GROUP_COUNT(&g.d, bg_free_inodes_count) == 0) {
		ext4_group_put(&g);
		return -ENOSPC;
	}
	err = ext4_inode_bitmap(fs, &g, &b);
	if (err < 0)
		goto put_group;
	uint32_t index = first_zero(b.data, fs->inodes_per_group);
	uint32_t number = group * fs->inodes_per_group + index + 1;
	if (index == fs->inodes_per_group || number < fs->first_inode)
		err = ext4_corrupt(fs, "group %u: free inodes are missing", group);
	if (err == 0)
		err = take_bit(fs, &g, &b, index, is_directory);
	*out = number;
	ext4_block_put(&b);
put_group:
	ext4_group_put(&g);
	return err < 0 ? ext4_abort(fs, "an inode can not be taken", err) : 0;
}

int ext4_inode_take(
	struct ext4 *fs, uint32_t near_group, bool is_directory, bool top, uint32_t *out)
{
	int err = top && is_directory ? choose_group(fs, &near_group) : 0;
	if (err < 0)
		return err;
	err = -ENOSPC;
	for (uint32_t i = 0; i < fs->n_groups && err == -ENOSPC && fs->n_free_inodes > 0; i++)
		err = take_in_group(fs, (near_group + i) % fs->n_groups, is_directory, out);
	if (err < 0)
		return err;
	fs->n_free_inodes--;
	fs->changes_super = true;
	return 0;
}

static int give_in_group(struct ext4 *fs, struct ext4_group *g, uint32_t index, bool is_directory)
{
	struct ext4_block b;
	int err = ext4_inode_bitmap(fs, g, &b);
	if (err < 0)
		return err;
	if (!(b.data[index / 8] >> index % 8 & 1))
		err = ext4_corrupt(fs, "group %u: inode %u is free already", g->number, index);
	if (err == 0)
		err = ext4_change(fs, &b, EXT4_SEAL_INODE_BITMAP, g->number);
	if (err == 0) {
		ext4_bytes(&b)[index / 8] &= (uint8_t) ~(1u << index % 8);
		EXT4_GROUP_SET(&g->d, bg_free_inodes_count,
			EXT4_GROUP_COUNT(&g->d, bg_free_inodes_count) + 1);
		uint32_t n_directories = EXT4_GROUP_COUNT(&g->d, bg_used_dirs_count);
		if (is_directory && n_directories > 0)
			EXT4_GROUP_SET(&g->d, bg_used_dirs_count, n_directories - 1);
		err = ext4_group_store(fs, g);
	}
	ext4_block_put(&b);
	return err;
}

int ext4_inode_give(struct ext4 *fs, uint32_t number, bool is_directory)
{
	struct ext4_group g;
	int err = ext4_group_get(fs, (number - 1) / fs->inodes_per_group, &g);
	if (err == 0) {
		err = give_in_group(fs, &g, (number - 1) % fs->inodes_per_group, is_directory);
		ext4_group_put(&g);
	}
	if (err < 0)
		return ext4_abort(fs, "an inode can not be given back", err);
	fs->n_free_inodes++;
	fs->changes_super = true;
	return 0;
}
