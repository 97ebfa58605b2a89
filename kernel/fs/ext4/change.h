/*
 * ext4, write side: changes of metadata.
 *
 *     change.c     operations: one at a time changes blocks      commit.c   transactions into the journal, and from
 *     log.c        the journal's blocks                                     there to their places
 *     replay.c     what a crash left in the journal              seal.c     checksums, once per transaction
 *     group.c      descriptors and bitmaps                       blocks.c, inodes.c   allocation
 *     extent_change.c, extent_remove.c   the tree of a file      store.c    inodes to their places
 *     write.c      dirty pages                                   truncate.c, fallocate.c, orphan.c
 *     names.c      create, link, unlink, rename                  entry.c, index_change.c   directories
 *     xattr.c      extended attributes                            (files and directories: change_files.h)
 *
 * An operation (ext4_begin .. ext4_end) holds fs->lock, so one at a time changes metadata, in memory.  All operations
 * since the last commit are one transaction, whose blocks stay in memory until a commit has copied them into the journal;
 * then, until a checkpoint, the copies must still go to their places.
 *
 * Data never reach a block before the metadata that lead there can not: they are written first, into blocks that so far
 * only memory knows to be taken (fs->busy), and the operation that enters them follows.
 *
 * Locks, outermost first: inode.lock, ext4_inode.write_lock, journal.commit_lock, fs->lock, ext4_inode.map_lock.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"

/* What a block needs before it can leave the memory. */
enum ext4_seal {
	EXT4_SEAL_NONE,
	EXT4_SEAL_SUPER,
	EXT4_SEAL_BLOCK_BITMAP, /* seed: the group */
	EXT4_SEAL_INODE_BITMAP, /* likewise */
	EXT4_SEAL_GROUPS,       /* seed: the first group described */
	EXT4_SEAL_EXTENTS,      /* seed: the inode's checksum_seed, as all below */
	EXT4_SEAL_LEAF,
	EXT4_SEAL_ROOT,
	EXT4_SEAL_NODE,
	EXT4_SEAL_XATTR, /* seed: none */
};

/* A block that differs from what is at its place on the device.  Under fs->lock. */
struct ext4_change {
	struct list hash_link; /* also under fs->changes_lock */
	struct list run_link;  /* running */
	struct list save_link; /* copy != NULL */
	uint64_t number;
	struct page *page;
	uint8_t *copy; /* contents committed, or being committed; the latest; under commit_lock */
	uint32_t seed;
	uint8_t seal;
	bool running; /* changed since the last commit */
};

/* Blocks that are free on disk, or will be, and must not be taken. */
struct ext4_range {
	struct tree_node node; /* fs->busy */
	struct list link;      /* journal.freed, .freeing, or nowhere */
	uint64_t start, len;
};

struct ext4_revoke {
	struct list link;
	uint64_t number;
};

#define EXT4_CHANGE_BUCKETS 128u

/* Without a journal (inode NULL) a commit writes blocks to their places. */
struct ext4_journal {
	struct inode *inode;
	struct ext4_run *runs; /* of the journal's file */
	unsigned n_runs;
	uint32_t first, end; /* the log's blocks */
	uint32_t incompat, checksum_seed;
	bool checksums; /* v2 or v3 */
	struct ext4_journal_super *super;
	unsigned max;             /* blocks of one transaction */
	struct mutex commit_lock; /* one commits, or checkpoints */
	/* under commit_lock: */
	uint32_t head, n_used; /* where the log goes on; blocks since the tail */
	struct list saved;     /* changes with a copy */
	unsigned n_saved;
	bool started;               /* the device knows that it is mounted */
	struct list freeing;        /* of the transaction being committed */
	_Atomic unsigned n_begun;   /* commits */
	_Atomic uint32_t committed; /* the last durable transaction */
	/* under fs->lock: */
	_Atomic uint32_t running; /* sequence number of the transaction that gathers changes */
	struct list changed;
	unsigned n_changed;
	struct list freed, revoked;
	unsigned n_revoked;
};

/* --- change.c --- */

int ext4_changes_init(struct ext4 *fs) must_check;
void ext4_changes_free(struct ext4 *fs);
/* Begin an operation that changes at most n blocks.  -EROFS, -EIO, -ENOMEM.  May commit first. */
int ext4_begin(struct ext4 *fs, unsigned n) must_check;
void ext4_end(struct ext4 *fs);
/* Room for n more blocks in the running transaction?  If not, end and begin again. */
bool ext4_has_room(const struct ext4 *fs, unsigned n);
/* b belongs to the transaction from here on: ext4_bytes() may be changed.  -EIO: fs is read-only now. */
int ext4_change(
	struct ext4 *fs, struct ext4_block *b, enum ext4_seal seal, uint32_t seed) must_check;
static inline uint8_t *ext4_bytes(const struct ext4_block *b)
{
	return (uint8_t *)(uintptr_t)b->data;
}
/* The block of that number, which was free: cleared, in the transaction. */
int ext4_block_new(struct ext4 *fs, uint64_t number, enum ext4_seal seal, uint32_t seed,
	struct ext4_block *out) must_check;
/* Metadata block that is freed: what is journaled of it must not come back. */
int ext4_revoke(struct ext4 *fs, uint64_t number) must_check;
bool ext4_is_changed(struct ext4 *fs, uint64_t number);
struct ext4_change *ext4_change_find(struct ext4 *fs, uint64_t number);
/* Nothing refers to c any more: unpinned, freed. */
void ext4_change_drop(struct ext4 *fs, struct ext4_change *c);
/* Something can not be made consistent in memory: from here on the file system is read-only.  Returns err. */
int ext4_abort(struct ext4 *fs, const char *what, int err);

/* --- busy.c --- */

/* -ENOMEM */
int ext4_busy_add(
	struct ext4 *fs, uint64_t start, uint64_t len, struct ext4_range **out) must_check;
void ext4_busy_remove(struct ext4 *fs, struct ext4_range *r);
/* The first busy range that meets [start, start + len); NULL. */
const struct ext4_range *ext4_busy_find(struct ext4 *fs, uint64_t start, uint64_t len);

/* --- commit.c --- */

/* Make transaction tid durable, with all before.  1: the device was flushed meanwhile, so that what was written
 * before the call is durable, too; 0. */
int ext4_commit(struct ext4 *fs, uint32_t tid) must_check;
int ext4_commit_all(struct ext4 *fs) must_check;
/* The end: everything at its place, the journal empty, marked as cleanly unmounted. */
int ext4_finish(struct ext4 *fs) must_check;
static inline bool ext4_is_committed(const struct ext4_journal *j, uint32_t tid)
{
	return (int32_t)(j->committed - tid) >= 0;
}

/* --- log.c --- */

/* Read the journal's superblock, find its blocks.  -EUCLEAN, -EOPNOTSUPP. */
int ext4_log_open(struct ext4 *fs) must_check;
void ext4_log_close(struct ext4 *fs);
/* Where block n of the journal is. */
uint64_t ext4_log_place(const struct ext4_journal *j, uint32_t n);
/* Write the journal's superblock: the oldest transaction that counts, and where (0: none); durable. */
int ext4_log_write_super(struct ext4 *fs, uint32_t sequence, uint32_t start) must_check;
/* Write one transaction: blocks, commit record; durable.  n changes with copies, revoked numbers.  commit_lock. */
int ext4_log_write(struct ext4 *fs, uint32_t sequence, struct ext4_change *const *changes,
	unsigned n, struct list *revoked) must_check;
/* Blocks of the log a transaction needs. */
unsigned ext4_log_size(const struct ext4 *fs, unsigned n_changes, unsigned n_revoked);
unsigned ext4_tag_size(const struct ext4_journal *j);
/* CRC of a block that was copied into the log by that transaction. */
uint32_t ext4_log_checksum(const struct ext4 *fs, uint32_t sequence, const void *block);

/* --- replay.c --- */

/* Bring what the log holds to its place, durable.  Blocks of metadata read so far are out of date then. */
int ext4_replay(struct ext4 *fs) must_check;

/* --- seal.c --- */

/* Bitmaps before the descriptors that hold their checksums: pass 0, then 1. */
int ext4_seal(struct ext4 *fs, struct ext4_change *c, unsigned pass) must_check;
void ext4_super_seal(struct ext4 *fs, struct ext4_disk_super *s);

/* --- group.c --- */

struct ext4_group {
	struct ext4_block block; /* of its descriptor */
	uint32_t number;
	unsigned offset;
	struct ext4_disk_group d; /* a copy; fields beyond its size on disk are 0 */
};
int ext4_group_get(struct ext4 *fs, uint32_t number, struct ext4_group *out) must_check;
/* g->d goes into the transaction. */
int ext4_group_store(struct ext4 *fs, struct ext4_group *g) must_check;
void ext4_group_put(struct ext4_group *g);
void ext4_group_seal(struct ext4 *fs, uint32_t first, uint8_t *bytes);
uint64_t ext4_group_start(const struct ext4 *fs, uint32_t group);
uint32_t ext4_group_n_blocks(const struct ext4 *fs, uint32_t group); /* fewer in the last one */
static inline uint32_t ext4_group_of(const struct ext4 *fs, uint64_t block)
{
	return (uint32_t)((block - fs->first_data_block) / fs->blocks_per_group);
}
/* Its bitmaps, verified; made when they were never written (then the flag in g->d is cleared, and all goes into the
 * transaction). */
int ext4_block_bitmap(struct ext4 *fs, struct ext4_group *g, struct ext4_block *out) must_check;
int ext4_inode_bitmap(struct ext4 *fs, struct ext4_group *g, struct ext4_block *out) must_check;
#define EXT4_GROUP_COUNT(d, field) ((uint32_t)(d)->field##_lo | (uint32_t)(d)->field##_hi << 16)
#define EXT4_GROUP_SET(d, field, value)                                                            \
	do {                                                                                       \
		uint32_t value_ = (value);                                                         \
		(d)->field##_lo = (uint16_t)value_;                                                \
		(d)->field##_hi = (uint16_t)(value_ >> 16);                                        \
	} while (0)

/* --- blocks.c --- */

/* Is there room for n blocks besides what is promised to dirty pages?  -ENOSPC. */
int ext4_check_room(struct ext4 *fs, uint64_t n) must_check;
/* Free blocks, n at most, at goal or near: found, not taken.  They are busy until *out goes. -ENOSPC */
int ext4_blocks_find(
	struct ext4 *fs, uint64_t goal, uint32_t n, struct ext4_range **out) must_check;
/* Mark as in use / as free (from the end of the transaction on).  In an operation. */
int ext4_blocks_take(struct ext4 *fs, uint64_t start, uint64_t n) must_check;
int ext4_blocks_free(struct ext4 *fs, uint64_t start, uint64_t n) must_check;
/* One block for metadata of that inode. */
int ext4_block_allocate(struct ext4_inode *e, uint64_t goal, uint64_t *out) must_check;
/* A block of metadata that the inode gives up: revoked, freed. */
int ext4_block_release(struct ext4_inode *e, uint64_t number) must_check;

/* --- inodes.c --- */

int ext4_inode_take(struct ext4 *fs, uint32_t near_group, bool is_directory, bool top,
	uint32_t *out) must_check;
int ext4_inode_give(struct ext4 *fs, uint32_t number, bool is_directory) must_check;

/* --- store.c --- */

/* The inode's fields into its block.  In an operation. */
int ext4_store(struct ext4_inode *e) must_check;
/* Its own operation; what only times need. */
int ext4_store_now(struct ext4_inode *e) must_check;
int ext4_inode_change(struct inode *inode, const struct inode_change *change) must_check;
/* A new inode; ext4_inode.gone until it has a name.  *out is to be put, after the operation, even after an error
 * unless that is -ENOMEM.  In an operation. */
int ext4_inode_create(
	struct inode *dir, const struct inode_request *request, struct inode **out) must_check;
/* The contents of the inode, in its block, to be changed. */
int ext4_inode_for_change(
	struct ext4_inode *e, struct ext4_block *b, struct ext4_disk_inode **out) must_check;
void ext4_inode_seal(struct ext4_inode *e, struct ext4_disk_inode *d);
