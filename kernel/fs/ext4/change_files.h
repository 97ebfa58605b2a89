/*
 * ext4, write side: what files and directories are made of, in operations on metadata (change.h, which has the map of
 * all files and the locks).
 */
#pragma once

#include "kernel/fs/ext4/change.h"

/* --- extent_change.c, extent_remove.c: in an operation, with map_lock for writing --- */

#define EXT4_EXTENT_BLOCKS 16u /* of metadata that one insertion can change, bitmaps included */
/* Enter run, where nothing is. */
int ext4_extent_insert(struct ext4_inode *e, const struct ext4_run *run, bool unwritten) must_check;
/* Take away some of [from, to), from its end; *to moves down to where it stopped.  Blocks are freed unless keep. */
int ext4_extent_remove(struct ext4_inode *e, uint32_t from, uint64_t *to) must_check;
/* [from, from + len) lies in an extent that is not written yet: now it is. */
int ext4_extent_convert(struct ext4_inode *e, uint32_t from, uint32_t len) must_check;
/* The extent that starts at `at` moves down, into a hole. */
int ext4_extent_shift_down(struct ext4_inode *e, uint32_t at, uint32_t delta) must_check;
/* The last extent, or part of it, in [from, *end) moves up; *end becomes where it began. */
int ext4_extent_shift_up(
	struct ext4_inode *e, uint32_t from, uint64_t *end, uint32_t delta) must_check;
void ext4_extent_init(struct ext4_inode *e); /* an empty tree */
void ext4_run_forget(struct ext4_inode *e);  /* the cached one */

/* --- write.c --- */

int ext4_dirty(struct page_cache *c, struct page *page) must_check;
void ext4_dirtied(struct page_cache *c);
void ext4_unreserve(struct page_cache *c);
int ext4_write_back(struct inode *inode, uint64_t from, uint64_t to) must_check;
int ext4_sync(struct inode *inode, bool data_only) must_check;
void ext4_stat(struct inode *inode, struct linux_stat *out);

/* --- truncate.c, fallocate.c --- */

int ext4_truncate(struct inode *inode, uint64_t size) must_check;
/* Blocks from logical `from` to `to` go, in as many operations as it takes. */
int ext4_remove_blocks(struct ext4_inode *e, uint32_t from, uint64_t to) must_check;
int ext4_allocate(struct inode *inode, int mode, uint64_t offset, uint64_t len) must_check;

/* --- orphan.c: in an operation --- */

int ext4_orphan_add(struct ext4_inode *e) must_check;
int ext4_orphan_remove(struct ext4_inode *e) must_check;
/* What a crash left; at mount. */
int ext4_orphans_clean(struct ext4 *fs) must_check;
/* The last reference to an inode without a name is gone. */
void ext4_release(struct inode *inode);
/* The machine ends: those that are still referred to go, too. */
void ext4_end_orphans(struct ext4 *fs);

/* --- names.c --- */

int ext4_create(struct inode *dir, const struct name *name, const struct inode_request *request,
	struct inode **out) must_check;
int ext4_link(struct inode *dir, const struct name *name, struct inode *inode) must_check;
int ext4_unlink(struct inode *dir, const struct name *name, struct inode *inode) must_check;
int ext4_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
	struct inode *new_dir, const struct name *new_name, struct inode *victim,
	unsigned flags) must_check;
int ext4_create_nameless(
	struct inode *dir, const struct inode_request *request, struct inode **out) must_check;

/* --- entry.c, index_change.c: in an operation --- */

/* Blocks an insertion can change. */
#define EXT4_ENTRY_BLOCKS 64u
int ext4_entry_add(
	struct ext4_inode *dir, const struct name *name, uint32_t number, uint8_t type) must_check;
int ext4_entry_remove(struct ext4_inode *dir, const struct name *name) must_check;
/* The entry leads to another inode. */
int ext4_entry_set(
	struct ext4_inode *dir, const struct name *name, uint32_t number, uint8_t type) must_check;
int ext4_directory_init(struct ext4_inode *dir, uint32_t parent) must_check;
int ext4_directory_set_parent(struct ext4_inode *dir, uint32_t parent) must_check;
int ext4_directory_check_empty(struct ext4_inode *dir) must_check;
/* A block more at the end of the directory, cleared, changed. */
int ext4_directory_append(struct ext4_inode *dir, enum ext4_seal seal, uint32_t *logical,
	struct ext4_block *out) must_check;
/* Put an entry among those of size bytes; -ENOSPC: no room. */
int ext4_entries_insert(uint8_t *entries, unsigned size, const struct name *name, uint32_t number,
	uint8_t type) must_check;
/* Bytes of a leaf that entries can take. */
unsigned ext4_leaf_size(const struct ext4 *fs);
void ext4_leaf_init(const struct ext4 *fs, uint8_t *block);
unsigned ext4_entry_size(unsigned name_len);
/* The same in a leaf, which then belongs to the transaction. */
int ext4_leaf_insert(struct ext4_inode *dir, struct ext4_block *b, const struct name *name,
	uint32_t number, uint8_t type) must_check;
int ext4_leaf_change(struct ext4_inode *dir, struct ext4_block *b) must_check;
/* -EOPNOTSUPP: the index can not be used. */
int ext4_index_insert(
	struct ext4_inode *dir, const struct name *name, uint32_t number, uint8_t type) must_check;
/* The directory's one block is full: give it an index. */
int ext4_index_make(struct ext4_inode *dir) must_check;

/* --- xattr.c --- */

long ext4_xattr_get(struct inode *inode, const char *name, void *value, size_t size);
int ext4_xattr_set(
	struct inode *inode, const char *name, const void *value, size_t len, int flags) must_check;
long ext4_xattr_list(struct inode *inode, char *list, size_t size);
int ext4_attributes_free(struct ext4_inode *e) must_check; /* its block; in an operation */
