/* The way from an inode to an extent, for those who change the tree. */
#pragma once

#include "kernel/fs/ext4/change_files.h"

struct ext4_level {
	struct ext4_block block;      /* page NULL: the root, in the inode */
	struct ext4_extent_header *h; /* may be changed once ext4_level_change() was called */
	unsigned
		at; /* index node: the entry gone down by; leaf: how many entries start at or before */
};

struct ext4_path {
	struct ext4_level levels[EXT4_EXTENT_DEPTH_MAX + 1];
	unsigned n; /* levels; the last is the leaf */
};

/* Down to the leaf for that block.  ext4_path_put() afterwards, also after an error. */
int ext4_path_find(struct ext4_inode *e, uint32_t logical, struct ext4_path *p) must_check;
void ext4_path_put(struct ext4_path *p);
int ext4_level_change(struct ext4_inode *e, struct ext4_level *l) must_check;
/* The first key of the level's node changed: those above follow. */
int ext4_path_fix(struct ext4_inode *e, struct ext4_path *p, unsigned level) must_check;
void ext4_level_delete(struct ext4_level *l, unsigned at); /* an entry */

static inline struct ext4_level *ext4_path_leaf(struct ext4_path *p)
{
	return &p->levels[p->n - 1];
}
static inline struct ext4_extent *ext4_extents(const struct ext4_level *l)
{
	return (struct ext4_extent *)(l->h + 1);
}
static inline bool ext4_extent_is_unwritten(const struct ext4_extent *x)
{
	return x->ee_len > EXT4_EXTENT_LEN_MAX;
}
static inline uint32_t ext4_extent_len(const struct ext4_extent *x)
{
	return ext4_extent_is_unwritten(x) ? x->ee_len - EXT4_EXTENT_LEN_MAX : x->ee_len;
}
static inline uint64_t ext4_extent_start(const struct ext4_extent *x)
{
	return (uint64_t)x->ee_start_hi << 32 | x->ee_start_lo;
}
void ext4_extent_set(
	struct ext4_extent *x, uint32_t logical, uint64_t start, uint32_t len, bool unwritten);
