/*
 * ext4, read side: what its files share.  change.h has the write side.
 *
 *     super.c      mounting: features, geometry        group.c    group descriptors
 *     metadata.c   blocks of metadata, cached          pages.c    reading many pages at once
 *     inode.c      inodes                              inline.c   contents inside the inode
 *     extent.c, blockmap.c   logical to physical blocks           data.c   pages of regular files
 *     directory.c  entries                             index.c, hash.c   hashed directories
 *
 * Nothing on disk is believed: counts, offsets and block numbers are checked where they are used;
 * checksums (metadata_csum) where a structure is read.  What is wrong is logged and answered with
 * -EUCLEAN.
 */
#pragma once

#include "kernel/dev/block.h"
#include "kernel/fs/ext4/layout.h"
#include "kernel/fs/inode.h"

#define EXT4_VERIFIED 256u

/* A block held in memory: give it back with ext4_block_put(). */
struct ext4_block {
	struct page *page;
	const uint8_t *data; /* block_size bytes */
	uint64_t number;
};

/* A mounted file system; struct super's private. */
struct ext4 {
	struct block_device *device;
	struct super *super;
	struct page_cache metadata; /* of the device, by page */
	uint32_t compat, incompat, ro_compat;
	unsigned block_size, block_shift;
	uint64_t n_blocks;
	uint32_t first_data_block, blocks_per_group, inodes_per_group;
	uint32_t n_inodes, n_groups, first_inode;
	unsigned inode_size, group_size; /* of the structures on disk */
	uint32_t first_meta_group, journal_inode;
	uint8_t uuid[16];
	uint32_t checksum_seed;
	uint32_t hash_seed[4];
	bool hash_unsigned;
	struct linux_statfs statfs;
	atomic_uint n_complaints;
	/* Blocks whose checksum was right, block + 1, by hash: so that directories are not summed
	 * up at each look.  A hint: all else is checked at each look. */
	_Atomic uint64_t verified[EXT4_VERIFIED];

	/* Of those mounted for writing: change.h. */
	struct ext4_journal *journal; /* NULL: read-only */
	atomic_bool aborted;
	bool torn;          /* the superblock's checksum was wrong */
	bool cleaning;      /* orphans: inodes without links are read, too */
	bool changes_super; /* counts differ from what the superblock says */
	struct ext4_block super_block;
	struct ext4_disk_super *disk;    /* in it */
	struct ext4_disk_super *mounted; /* as it was at the mount */
	atomic_uint error;               /* for syncfs(2) */
	uint32_t error_told;
	uint64_t reserve;       /* blocks kept back, so that write-back finds some */
	atomic_long n_promised; /* blocks that dirty pages will take */
	struct mutex lock;      /* an operation changes metadata */
	/* under lock: */
	_Atomic uint64_t n_free;
	_Atomic uint32_t n_free_inodes;
	uint64_t n_root_reserved;
	uint32_t goal_group; /* where blocks were found last */
	struct tree busy;
	struct list orphans;
	/* under lock for changes, and: */
	struct spinlock changes_lock;
	struct list *changes; /* by number */
};

/* n consecutive blocks of a file. */
struct ext4_run {
	uint32_t logical, len; /* len >= 1 */
	uint64_t physical;     /* 0: a hole, or not written yet: zeroes */
	uint64_t unwritten;    /* where the blocks not written yet are; else 0 */
};

struct ext4_inode {
	struct inode inode;
	uint32_t flags;                                  /* EXT4_INODE_* */
	uint32_t checksum_seed;                          /* of what belongs to this inode */
	uint64_t disk_block;                             /* where the inode is, */
	unsigned disk_offset;                            /* in that block */
	uint8_t block[EXT4_N_BLOCK_BYTES] aligned_to(4); /* i_block */
	struct spinlock lock;
	/* under lock: */
	struct ext4_run last_run;
	struct rw_lock map_lock; /* the tree of extents, flags; changed only in operations, too */
	struct mutex write_lock; /* one writes dirty pages back, or takes blocks away */
	/* in operations: */
	uint64_t disk_size; /* what the disk says; the file's may be more */
	uint32_t generation;
	uint64_t attributes; /* block of extended attributes, or 0 */
	uint16_t extra_size;
	bool gone; /* free on disk, or not there yet: nothing to do for it at its end */
	struct list orphan_link;        /* fs->orphans, in the order on disk */
	uint32_t orphan_next;           /* number of the next on that list */
	_Atomic uint32_t tid, data_tid; /* transactions to wait for */
	atomic_bool times_changed;      /* to be stored */
	atomic_long n_promised;         /* of fs->n_promised */
};

static inline struct ext4 *ext4_of(const struct inode *i)
{
	return i->super->private;
}
static inline struct ext4_inode *ext4_inode_of(struct inode *i)
{
	return container_of(i, struct ext4_inode, inode);
}
static inline bool ext4_has_checksums(const struct ext4 *fs)
{
	return fs->ro_compat & EXT4_RO_COMPAT_METADATA_CSUM;
}

/* --- metadata.c --- */

void ext4_metadata_init(struct ext4 *fs);
/* -EIO, -ENOMEM; -EUCLEAN: the file system has no such block. */
int ext4_block_get(struct ext4 *fs, uint64_t number, struct ext4_block *out) must_check;
void ext4_block_put(struct ext4_block *b);
bool ext4_block_verified(struct ext4 *fs, const struct ext4_block *b);
void ext4_block_set_verified(struct ext4 *fs, const struct ext4_block *b);
/* Log what is wrong (the first few times), and return -EUCLEAN. */
int ext4_corrupt(struct ext4 *fs, const char *fmt, ...) printf_like(2, 3);

/* --- pages.c --- */

#define EXT4_READ_MAX 32u /* pages */

/* len bytes of the device from at on can be read; the first used of them count, zeroes follow. */
struct ext4_extent_bytes {
	uint64_t at, len, used;
};
/* Fill first, a page of c, and as many of the n - 1 behind it as are not there yet. */
int ext4_read_pages(struct ext4 *fs, struct page_cache *c, struct page *first, unsigned n,
	const struct ext4_extent_bytes *from) must_check;

/* --- group.c --- */

int ext4_group_inode_table(struct ext4 *fs, uint32_t group, uint64_t *out) must_check;
bool ext4_group_has_super(const struct ext4 *fs, uint32_t group);

/* --- inode.c --- */

int ext4_inode_read(struct inode *inode) must_check;
void ext4_inode_init(struct ext4_inode *e); /* locks and lists, of a new struct */
/* Operations by kind; -EUCLEAN: no such kind, or a size that is none. */
int ext4_set_kind(struct ext4_inode *e) must_check;
uint32_t ext4_inode_seed(const struct ext4 *fs, uint32_t number, uint32_t generation);
/* With fields of the checksum as zeroes. */
uint32_t ext4_inode_checksum(struct ext4_inode *e, const struct ext4_disk_inode *d);
/* Where inode number is. */
int ext4_inode_locate(struct ext4_inode *e) must_check;
/* The inode as it is on disk, in its block. */
int ext4_inode_on_disk(
	struct ext4_inode *e, struct ext4_block *b, const struct ext4_disk_inode **out) must_check;

/* --- extent.c, blockmap.c --- */

/* The run that holds block logical, from there on. */
int ext4_map(struct ext4_inode *e, uint32_t logical, struct ext4_run *out) must_check;
#define EXT4_ANY_DEPTH (~0u)
int ext4_extent_check(struct ext4_inode *e, const struct ext4_extent_header *h, unsigned size,
	unsigned depth) must_check;
/* A node below the root, verified. */
int ext4_extent_node(
	struct ext4_inode *e, uint64_t number, unsigned depth, struct ext4_block *out) must_check;
/* How many of the node's entries start at or before logical: the last of them may hold it. */
unsigned ext4_extent_count_up_to(const struct ext4_extent_header *h, uint32_t logical);
int ext4_blockmap_map(struct ext4_inode *e, uint32_t logical, struct ext4_run *out) must_check;

/* --- data.c --- */

int ext4_fill(struct page_cache *c, struct page *page) must_check;
void ext4_read_ahead(struct inode *inode, uint64_t first, unsigned n);
int64_t ext4_seek(struct inode *inode, uint64_t offset, int whence) must_check;

/* --- inline.c --- */

/* Bytes [0, size) of the contents: EXT4_N_BLOCK_BYTES in the inode's block array and the rest in an
 * attribute. */
int ext4_inline_read(struct ext4_inode *e, void *to, size_t size) must_check;
/* The most an inode can hold, for buffers. */
#define EXT4_INLINE_MAX 4096u

/* --- directory.c --- */

/* An entry that has been checked; name points into the block. */
struct ext4_entry {
	uint32_t inode;
	unsigned name_len, next; /* offset of the entry behind it */
	uint8_t type;            /* DT_* */
	const char *name;
};
/* The entry at offset in size bytes of entries; -EUCLEAN for nonsense.  inode 0: an empty one. */
int ext4_entry_at(struct ext4_inode *dir, const uint8_t *entries, unsigned size, unsigned offset,
	struct ext4_entry *out) must_check;
/* Block logical of a directory, its checksum verified. A hole: out->page is NULL. */
int ext4_directory_block(
	struct ext4_inode *dir, uint32_t logical, struct ext4_block *out) must_check;
/* Number of the inode with that name among the entries; -ENOENT. */
int ext4_entries_find(struct ext4_inode *dir, const uint8_t *entries, unsigned size,
	const struct name *name, uint32_t *out) must_check;
/* The same in a whole directory: also the block the entry is in (not of inline ones). */
int ext4_entry_find(struct ext4_inode *dir, const struct name *name, uint32_t *number,
	uint32_t *logical) must_check;
int ext4_lookup(struct inode *dir, const struct name *name, struct inode **out) must_check;
int ext4_list(struct inode *dir, uint64_t *position, struct directory_sink *sink) must_check;

/* --- index.c, hash.c --- */

/* Like ext4_entries_find, through the index.  -EOPNOTSUPP: it can not be used; look at all
 * entries. */
int ext4_index_find(struct ext4_inode *dir, const struct name *name, uint32_t *out,
	uint32_t *logical) must_check;
/* Hash of a name; version EXT4_HASH_*, signedness included.  False: unknown version. */
bool ext4_hash(
	const char *name, unsigned len, unsigned version, const uint32_t seed[4], uint32_t *out);
