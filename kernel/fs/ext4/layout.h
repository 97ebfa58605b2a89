/*
 * ext2, ext3 and ext4 on disk: structures and numbers, little-endian, as
 * Documentation/filesystems/ext4 describes them.  Fields this kernel has no use for are left out of
 * sight as padding.
 */
#pragma once

#include "kernel/lib/base.h"

#define EXT4_MAGIC 0xef53u
#define EXT4_SUPER_OFFSET 1024u
#define EXT4_ROOT_INODE 2u
#define EXT4_N_BLOCK_BYTES 60u /* of i_block */

#define EXT4_COMPAT_HAS_JOURNAL 0x4u
#define EXT4_COMPAT_DIR_INDEX 0x20u
#define EXT4_COMPAT_SPARSE_SUPER2 0x200u
#define EXT4_COMPAT_ORPHAN_FILE 0x1000u

#define EXT4_INCOMPAT_FILETYPE 0x2u
#define EXT4_INCOMPAT_RECOVER 0x4u
#define EXT4_INCOMPAT_META_BG 0x10u
#define EXT4_INCOMPAT_EXTENTS 0x40u
#define EXT4_INCOMPAT_64BIT 0x80u
#define EXT4_INCOMPAT_MMP 0x100u
#define EXT4_INCOMPAT_FLEX_BG 0x200u
#define EXT4_INCOMPAT_CSUM_SEED 0x2000u
#define EXT4_INCOMPAT_LARGEDIR 0x4000u
#define EXT4_INCOMPAT_INLINE_DATA 0x8000u

#define EXT4_RO_COMPAT_SPARSE_SUPER 0x1u
#define EXT4_RO_COMPAT_LARGE_FILE 0x2u
#define EXT4_RO_COMPAT_HUGE_FILE 0x8u
#define EXT4_RO_COMPAT_GDT_CSUM 0x10u
#define EXT4_RO_COMPAT_DIR_NLINK 0x20u
#define EXT4_RO_COMPAT_EXTRA_ISIZE 0x40u
#define EXT4_RO_COMPAT_QUOTA 0x100u
#define EXT4_RO_COMPAT_BIGALLOC 0x200u
#define EXT4_RO_COMPAT_METADATA_CSUM 0x400u
#define EXT4_RO_COMPAT_READONLY 0x1000u
#define EXT4_RO_COMPAT_PROJECT 0x2000u
#define EXT4_RO_COMPAT_ORPHAN_PRESENT 0x10000u

#define EXT4_STATE_VALID 1u
#define EXT4_STATE_ERROR 2u

#define EXT4_SUPER_FLAG_UNSIGNED_HASH 0x2u
#define EXT4_CHECKSUM_CRC32C 1u

struct ext4_disk_super {
	uint32_t s_inodes_count, s_blocks_count_lo, s_r_blocks_count_lo, s_free_blocks_count_lo;
	uint32_t s_free_inodes_count, s_first_data_block, s_log_block_size, s_log_cluster_size;
	uint32_t s_blocks_per_group, s_clusters_per_group, s_inodes_per_group, s_mtime;
	uint32_t s_wtime;
	uint16_t s_mnt_count, s_max_mnt_count, s_magic, s_state, s_errors, s_minor_rev_level;
	uint32_t s_lastcheck, s_checkinterval, s_creator_os, s_rev_level;
	uint16_t s_def_resuid, s_def_resgid;
	uint32_t s_first_ino;
	uint16_t s_inode_size, s_block_group_nr;
	uint32_t s_feature_compat, s_feature_incompat, s_feature_ro_compat;
	uint8_t s_uuid[16];
	char s_volume_name[16], s_last_mounted[64];
	uint32_t s_algorithm_usage_bitmap;
	uint8_t s_prealloc_blocks, s_prealloc_dir_blocks;
	uint16_t s_reserved_gdt_blocks;
	uint8_t s_journal_uuid[16];
	uint32_t s_journal_inum, s_journal_dev, s_last_orphan, s_hash_seed[4];
	uint8_t s_def_hash_version, s_jnl_backup_type;
	uint16_t s_desc_size;
	uint32_t s_default_mount_opts, s_first_meta_bg, s_mkfs_time, s_jnl_blocks[17];
	uint32_t s_blocks_count_hi, s_r_blocks_count_hi, s_free_blocks_count_hi;
	uint16_t s_min_extra_isize, s_want_extra_isize;
	uint32_t s_flags;
	uint16_t s_raid_stride, s_mmp_interval;
	uint64_t s_mmp_block;
	uint32_t s_raid_stripe_width;
	uint8_t s_log_groups_per_flex, s_checksum_type;
	uint8_t unused[0x270 - 0x176];
	uint32_t s_checksum_seed;
	uint8_t unused2[1020 - 0x274];
	uint32_t s_checksum;
} packed;
_Static_assert(offsetof(struct ext4_disk_super, s_hash_seed) == 0xec, "superblock");
_Static_assert(offsetof(struct ext4_disk_super, s_flags) == 0x160, "superblock");
_Static_assert(offsetof(struct ext4_disk_super, s_checksum_type) == 0x175, "superblock");
_Static_assert(sizeof(struct ext4_disk_super) == 1024, "superblock");

struct ext4_disk_group {
	uint32_t bg_block_bitmap_lo, bg_inode_bitmap_lo, bg_inode_table_lo;
	uint16_t bg_free_blocks_count_lo, bg_free_inodes_count_lo, bg_used_dirs_count_lo, bg_flags;
	uint32_t bg_exclude_bitmap_lo;
	uint16_t bg_block_bitmap_csum_lo, bg_inode_bitmap_csum_lo, bg_itable_unused_lo;
	uint16_t bg_checksum;
	/* with a descriptor size of 64: */
	uint32_t bg_block_bitmap_hi, bg_inode_bitmap_hi, bg_inode_table_hi;
	uint16_t bg_free_blocks_count_hi, bg_free_inodes_count_hi, bg_used_dirs_count_hi;
	uint16_t bg_itable_unused_hi;
	uint32_t bg_exclude_bitmap_hi;
	uint16_t bg_block_bitmap_csum_hi, bg_inode_bitmap_csum_hi;
	uint32_t unused;
};
#define EXT4_GROUP_INODE_UNINIT 1u /* no inode is in use, the bitmap was never written */
#define EXT4_GROUP_BLOCK_UNINIT 2u
#define EXT4_GROUP_INODE_ZEROED 4u
_Static_assert(sizeof(struct ext4_disk_group) == 64, "group descriptor");
#define EXT4_GROUP_SIZE_OLD 32u

#define EXT4_INODE_COMPRESSED 0x4u
#define EXT4_INODE_ENCRYPTED 0x800u
#define EXT4_INODE_INDEX 0x1000u
#define EXT4_INODE_HUGE_FILE 0x40000u
#define EXT4_INODE_EXTENTS 0x80000u
#define EXT4_INODE_INLINE_DATA 0x10000000u

struct ext4_disk_inode {
	uint16_t i_mode, i_uid;
	uint32_t i_size_lo, i_atime, i_ctime, i_mtime, i_dtime;
	uint16_t i_gid, i_links_count;
	uint32_t i_blocks_lo, i_flags, i_version;
	uint8_t i_block[EXT4_N_BLOCK_BYTES];
	uint32_t i_generation, i_file_acl_lo, i_size_high, i_obso_faddr;
	uint16_t i_blocks_high, i_file_acl_high, i_uid_high, i_gid_high;
	uint16_t i_checksum_lo, i_reserved;
	/* beyond 128 bytes, as far as i_extra_isize says: */
	uint16_t i_extra_isize, i_checksum_hi;
	uint32_t i_ctime_extra, i_mtime_extra, i_atime_extra, i_crtime, i_crtime_extra;
	uint32_t i_version_hi, i_projid;
};
#define EXT4_INODE_SIZE_OLD 128u
_Static_assert(offsetof(struct ext4_disk_inode, i_extra_isize) == EXT4_INODE_SIZE_OLD, "inode");
/* i_extra_isize that a field needs to be there. */
#define EXT4_EXTRA_UP_TO(field)                                                                    \
	(offsetof(struct ext4_disk_inode, field) + sizeof(((struct ext4_disk_inode *)0)->field) -  \
		EXT4_INODE_SIZE_OLD)

/* Extent trees: a header and its entries, in i_block or filling a block. */
#define EXT4_EXTENT_MAGIC 0xf30au
#define EXT4_EXTENT_DEPTH_MAX 5u
#define EXT4_EXTENT_LEN_MAX 32768u /* lengths above: that much less, not initialised */

struct ext4_extent_header {
	uint16_t eh_magic, eh_entries, eh_max, eh_depth;
	uint32_t eh_generation;
};
struct ext4_extent { /* of a leaf */
	uint32_t ee_block;
	uint16_t ee_len, ee_start_hi;
	uint32_t ee_start_lo;
};
struct ext4_extent_index {
	uint32_t ei_block, ei_leaf_lo;
	uint16_t ei_leaf_hi, ei_unused;
};
_Static_assert(
	sizeof(struct ext4_extent) == 12 && sizeof(struct ext4_extent_index) == 12, "extent");

/* Directory entries */
struct ext4_disk_entry {
	uint32_t inode;
	uint16_t rec_len;
	uint8_t name_len, file_type;
	char name[];
};
#define EXT4_ENTRY_HEADER 8u
#define EXT4_ENTRY_TAIL_TYPE 0xdeu

struct ext4_entry_tail { /* at the end of a directory's block, with checksums */
	uint32_t zero;
	uint16_t rec_len; /* 12 */
	uint8_t zero2, type;
	uint32_t checksum;
};

/* Hashed directories: the root is block 0, behind "." and "..". */
#define EXT4_HASH_LEGACY 0u
#define EXT4_HASH_HALF_MD4 1u
#define EXT4_HASH_TEA 2u
#define EXT4_HASH_UNSIGNED 3u /* added to the three above */

struct ext4_hash_root_info { /* at 24 */
	uint32_t reserved;
	uint8_t hash_version, info_length, indirect_levels, unused_flags;
};
#define EXT4_HASH_ROOT_INFO 24u
#define EXT4_HASH_ROOT_ENTRIES 32u
#define EXT4_HASH_NODE_ENTRIES 8u

struct ext4_hash_entry { /* the first one's hash is a limit and a count */
	union {
		uint32_t hash;
		struct {
			uint16_t limit, count;
		};
	};
	uint32_t block;
};
struct ext4_hash_tail {
	uint32_t reserved, checksum;
};

/* Extended attributes inside the inode, of which only "system.data" is looked at. */
#define EXT4_XATTR_MAGIC 0xea020000u
#define EXT4_XATTR_SYSTEM 7u
struct ext4_xattr_header { /* of a block */
	uint32_t h_magic, h_refcount, h_blocks, h_hash, h_checksum, h_reserved[3];
};

struct ext4_xattr_entry {
	uint8_t e_name_len, e_name_index;
	uint16_t e_value_offs;
	uint32_t e_value_inum, e_value_size, e_hash;
	char e_name[];
};

/* The journal (jbd2), big-endian. */
#define EXT4_JOURNAL_MAGIC 0xc03b3998u
#define EXT4_JOURNAL_DESCRIPTOR 1u
#define EXT4_JOURNAL_COMMIT 2u
#define EXT4_JOURNAL_SUPER_V1 3u
#define EXT4_JOURNAL_SUPER_V2 4u
#define EXT4_JOURNAL_REVOKE 5u

struct ext4_journal_header {
	uint32_t magic, type, sequence;
};
struct ext4_journal_super {
	struct ext4_journal_header header;
	uint32_t s_blocksize, s_maxlen, s_first;
	uint32_t s_sequence, s_start; /* 0: empty */
	uint32_t s_errno;
	/* version 2: */
	uint32_t s_feature_compat, s_feature_incompat, s_feature_ro_compat;
	uint8_t s_uuid[16];
	uint32_t s_nr_users, s_dynsuper, s_max_transaction, s_max_trans_data;
	uint8_t s_checksum_type, padding[3];
	uint32_t s_num_fc_blks, s_head;
	uint32_t unused[40];
	uint32_t s_checksum;
	uint8_t s_users[768];
};
_Static_assert(offsetof(struct ext4_journal_super, s_checksum) == 0xfc, "journal superblock");
_Static_assert(sizeof(struct ext4_journal_super) == 1024, "journal superblock");

#define EXT4_JOURNAL_COMPAT_CHECKSUM 1u
#define EXT4_JOURNAL_INCOMPAT_REVOKE 1u
#define EXT4_JOURNAL_INCOMPAT_64BIT 2u
#define EXT4_JOURNAL_INCOMPAT_ASYNC_COMMIT 4u
#define EXT4_JOURNAL_INCOMPAT_CSUM_V2 8u
#define EXT4_JOURNAL_INCOMPAT_CSUM_V3 16u
#define EXT4_JOURNAL_INCOMPAT_FAST_COMMIT 32u

#define EXT4_JOURNAL_CRC32C 4u
/* A descriptor block: the header, tags, a checksum in the last four bytes.  A tag is that of checksums v3, */
struct ext4_journal_tag3 {
	uint32_t block, flags, block_high, checksum;
};
/* or the older one, cut off where the features end; then, without SAME_UUID, 16 bytes more. */
struct ext4_journal_tag {
	uint32_t block;
	uint16_t checksum, flags;
	uint32_t block_high;
};
#define EXT4_TAG_ESCAPE 1u /* the block began with the magic number */
#define EXT4_TAG_SAME_UUID 2u
#define EXT4_TAG_DELETED 4u
#define EXT4_TAG_LAST 8u

struct ext4_journal_commit {
	struct ext4_journal_header header;
	uint8_t checksum_type, checksum_size, padding[2];
	uint32_t checksum[8];
	uint32_t commit_sec_high, commit_sec, commit_ns;
};
struct ext4_journal_revoke {
	struct ext4_journal_header header;
	uint32_t n_bytes; /* used, this header included */
};
