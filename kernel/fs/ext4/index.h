/* The way through a directory's index, for those who look and those who change it. */
#pragma once

#include "kernel/fs/ext4/change_files.h"

#define EXT4_INDEX_LEVELS 4u
#define EXT4_INDEX_BLOCK_MASK 0x0fffffffu

struct ext4_index_level {
	struct ext4_block block;
	const struct ext4_hash_entry *entries; /* the first has no hash: it stands for all below */
	unsigned count, at;
};

struct ext4_index_path {
	struct ext4_index_level levels[EXT4_INDEX_LEVELS];
	unsigned n;
};

/* Down to the leaf where the name would be, and its hash.  ext4_index_put() afterwards, also after an error.
 * -EOPNOTSUPP: the index can not be used. */
int ext4_index_descend(struct ext4_inode *dir, const struct name *name, struct ext4_index_path *p,
	uint32_t *hash) must_check;
void ext4_index_put(struct ext4_index_path *p);
uint32_t ext4_index_chosen(const struct ext4_index_path *p);
/* Hash version of the directory's root, with the signedness of the file system. */
unsigned ext4_index_version(struct ext4 *fs, const uint8_t *root);
