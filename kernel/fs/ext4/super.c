/*
 * Mounting ext2, ext3 and ext4.  What a journal holds is replayed first, even for a mount that only reads: without it what
 * the blocks say may be halfway.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define INCOMPAT_KNOWN                                                                             \
	(EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_RECOVER | EXT4_INCOMPAT_META_BG |                  \
		EXT4_INCOMPAT_EXTENTS | EXT4_INCOMPAT_64BIT | EXT4_INCOMPAT_MMP |                  \
		EXT4_INCOMPAT_FLEX_BG | EXT4_INCOMPAT_CSUM_SEED | EXT4_INCOMPAT_LARGEDIR |         \
		EXT4_INCOMPAT_INLINE_DATA)
/* What this kernel keeps up when it writes; with any other it only reads. */
#define RO_COMPAT_KNOWN                                                                            \
	(EXT4_RO_COMPAT_SPARSE_SUPER | EXT4_RO_COMPAT_LARGE_FILE | EXT4_RO_COMPAT_HUGE_FILE |      \
		EXT4_RO_COMPAT_GDT_CSUM | EXT4_RO_COMPAT_DIR_NLINK | EXT4_RO_COMPAT_EXTRA_ISIZE |  \
		EXT4_RO_COMPAT_METADATA_CSUM)
#define INCOMPAT_READ_ONLY (EXT4_INCOMPAT_INLINE_DATA | EXT4_INCOMPAT_MMP)
#define BLOCK_SHIFT_MIN 10u
#define BLOCK_SHIFT_MAX PAGE_SHIFT

/* Of the bits this kernel lacks, the ones a person may have heard of. */
static const struct {
	uint32_t bit;
	const char *name;
} incompat_names[] = {{0x1, "compression"}, {0x8, "journal_dev"}, {0x400, "ea_inode"},
	{0x1000, "dirdata"}, {0x10000, "encrypt"}, {0x20000, "casefold"}};

static int check_features(struct ext4 *fs)
{
	uint32_t unknown = fs->incompat & ~INCOMPAT_KNOWN;
	if (unknown == 0)
		return 0;
	const char *name = "one this kernel has never heard of";
	for (unsigned i = 0; i < array_size(incompat_names); i++)
		if (unknown & incompat_names[i].bit)
			name = incompat_names[i].name;
	log_error("%s: ext4: the file system has a feature that is not supported: %s (0x%x)",
		fs->device->name, name, (unsigned)unknown);
	return -EOPNOTSUPP;
}

static int check_checksum(struct ext4 *fs, const struct ext4_disk_super *s)
{
	if (!ext4_has_checksums(fs))
		return 0;
	if (s->s_checksum_type != EXT4_CHECKSUM_CRC32C)
		return ext4_corrupt(fs, "unknown checksum type %u", s->s_checksum_type);
	const size_t n = offsetof(struct ext4_disk_super, s_checksum);
	if (crc32c(~0u, s, n) == s->s_checksum)
		return 0;
	/* Cut off in the middle of being written, perhaps: it is two sectors.  Mounting and unmounting change but one bit; in
	 * between, as that bit says, the journal or the groups know better, if the rest fits them. */
	struct ext4_disk_super *other = heap_alloc(sizeof(*other));
	if (!other)
		return -ENOMEM;
	memcpy(other, s, sizeof(*other));
	other->s_feature_incompat ^= EXT4_INCOMPAT_RECOVER;
	bool torn = crc32c(~0u, other, n) == s->s_checksum;
	heap_free(other);
	fs->torn = torn || fs->incompat & EXT4_INCOMPAT_RECOVER;
	return fs->torn ? 0 : ext4_corrupt(fs, "superblock: wrong checksum");
}

/* The checksum of a descriptor is made with what the superblock says. */
static int check_torn(struct ext4 *fs)
{
	struct ext4_group g;
	if (!fs->torn)
		return 0;
	int err = ext4_group_get(fs, 0, &g);
	if (err < 0)
		return ext4_corrupt(fs, "superblock: wrong checksum");
	ext4_group_put(&g);
	log_warn("%s: ext4: the superblock was being written when the machine ended",
		fs->device->name);
	return 0;
}

static bool is_power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* Sizes of structures on disk. */
static int read_sizes(struct ext4 *fs, const struct ext4_disk_super *s)
{
	fs->block_shift = BLOCK_SHIFT_MIN + min(s->s_log_block_size, 32u);
	if (fs->block_shift > BLOCK_SHIFT_MAX) {
		log_error("%s: ext4: blocks larger than 4096 bytes are not supported",
			fs->device->name);
		return -EOPNOTSUPP;
	}
	fs->block_size = 1u << fs->block_shift;
	bool old = s->s_rev_level == 0;
	fs->inode_size = old ? EXT4_INODE_SIZE_OLD : s->s_inode_size;
	fs->first_inode = old ? 11 : s->s_first_ino;
	bool wide = fs->incompat & EXT4_INCOMPAT_64BIT;
	fs->group_size = wide ? s->s_desc_size : EXT4_GROUP_SIZE_OLD;
	if (!is_power_of_two(fs->inode_size) || fs->inode_size < EXT4_INODE_SIZE_OLD ||
		fs->inode_size > fs->block_size || fs->first_inode < 3)
		return ext4_corrupt(fs, "superblock: inodes of %u bytes", fs->inode_size);
	if (!is_power_of_two(fs->group_size) || fs->group_size > fs->block_size ||
		(wide && fs->group_size < sizeof(struct ext4_disk_group)))
		return ext4_corrupt(
			fs, "superblock: group descriptors of %u bytes", fs->group_size);
	return 0;
}

/* Counts of blocks, groups and inodes, which must fit each other and the device. */
static int read_counts(struct ext4 *fs, const struct ext4_disk_super *s)
{
	fs->n_blocks = s->s_blocks_count_lo;
	if (fs->incompat & EXT4_INCOMPAT_64BIT)
		fs->n_blocks |= (uint64_t)s->s_blocks_count_hi << 32;
	fs->first_data_block = s->s_first_data_block;
	fs->blocks_per_group = s->s_blocks_per_group;
	fs->inodes_per_group = s->s_inodes_per_group;
	fs->n_inodes = s->s_inodes_count;
	uint64_t device_blocks = fs->device->n_sectors * SECTOR_SIZE >> fs->block_shift;
	if (fs->n_blocks > device_blocks)
		return ext4_corrupt(fs, "%llu blocks, but the device has only %llu",
			(unsigned long long)fs->n_blocks, (unsigned long long)device_blocks);
	if (fs->first_data_block > (fs->block_shift == BLOCK_SHIFT_MIN) ||
		fs->n_blocks <= fs->first_data_block + 1ull || fs->blocks_per_group == 0 ||
		fs->inodes_per_group == 0 || fs->inodes_per_group > fs->block_size * 8)
		return ext4_corrupt(fs, "superblock: nonsense geometry");
	uint64_t n_groups =
		div_round_up(fs->n_blocks - fs->first_data_block, (uint64_t)fs->blocks_per_group);
	if (n_groups * fs->inodes_per_group != fs->n_inodes)
		return ext4_corrupt(fs, "superblock: %u inodes do not fit %llu groups",
			fs->n_inodes, (unsigned long long)n_groups);
	fs->n_groups = (uint32_t)n_groups;
	return 0;
}

static void read_seeds(struct ext4 *fs, const struct ext4_disk_super *s)
{
	memcpy(fs->uuid, s->s_uuid, sizeof(fs->uuid));
	memcpy(fs->hash_seed, s->s_hash_seed, sizeof(fs->hash_seed));
	fs->hash_unsigned = s->s_flags & EXT4_SUPER_FLAG_UNSIGNED_HASH;
	fs->first_meta_group = s->s_first_meta_bg;
	fs->journal_inode = s->s_journal_inum;
	fs->checksum_seed = fs->incompat & EXT4_INCOMPAT_CSUM_SEED
				    ? s->s_checksum_seed
				    : crc32c(~0u, fs->uuid, sizeof(fs->uuid));
}

static void read_statfs(struct ext4 *fs, const struct ext4_disk_super *s)
{
	bool wide = fs->incompat & EXT4_INCOMPAT_64BIT;
	uint64_t free = s->s_free_blocks_count_lo, reserved = s->s_r_blocks_count_lo;
	if (wide) {
		free |= (uint64_t)s->s_free_blocks_count_hi << 32;
		reserved |= (uint64_t)s->s_r_blocks_count_hi << 32;
	}
	fs->statfs = (struct linux_statfs){.f_type = EXT4_MAGIC,
		.f_bsize = fs->block_size,
		.f_blocks = fs->n_blocks,
		.f_bfree = free,
		.f_bavail = free > reserved ? free - reserved : 0,
		.f_files = fs->n_inodes,
		.f_ffree = s->s_free_inodes_count};
}

static int read_super(struct ext4 *fs)
{
	struct ext4_disk_super *s = heap_alloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	int err = block_read(fs->device, EXT4_SUPER_OFFSET, s, sizeof(*s));
	if (err == 0 && s->s_magic != EXT4_MAGIC)
		err = -EINVAL;
	if (err < 0)
		goto free;
	bool old = s->s_rev_level == 0;
	fs->compat = old ? 0 : s->s_feature_compat;
	fs->incompat = old ? 0 : s->s_feature_incompat;
	fs->ro_compat = old ? 0 : s->s_feature_ro_compat;
	err = check_checksum(fs, s);
	if (err == 0)
		err = check_features(fs);
	if (err == 0)
		err = read_sizes(fs, s);
	if (err == 0)
		err = read_counts(fs, s);
	if (err == 0) {
		read_seeds(fs, s);
		read_statfs(fs, s);
	}
free:
	heap_free(s);
	return err;
}

/* --- the super --- */

static int fs_statfs(struct super *super, struct linux_statfs *out)
{
	const struct ext4 *fs = super->private;
	*out = fs->statfs;
	memcpy(&out->f_fsid, fs->uuid, sizeof(out->f_fsid));
	if (!fs->journal)
		return 0;
	uint64_t promised = (uint64_t)max(atomic_load(&fs->n_promised), 0l);
	uint64_t free = fs->n_free - min((uint64_t)fs->n_free, promised);
	uint64_t kept = fs->n_root_reserved + fs->reserve;
	out->f_bfree = free;
	out->f_bavail = free - min(free, kept);
	out->f_ffree = fs->n_free_inodes;
	return 0;
}

static int fs_sync(struct super *super)
{
	struct ext4 *fs = super->private;
	if (!fs->journal)
		return 0;
	int err = write_back_super(super);
	int committed = ext4_commit(fs, fs->journal->running);
	if (committed == 0)
		committed = block_flush(fs->device);
	int late = page_cache_error_check(&fs->error, &fs->error_told);
	return err < 0 ? err : committed < 0 ? committed : late;
}

static void fs_tick(struct super *super)
{
	struct ext4 *fs = super->private;
	if (fs->journal && !fs->aborted) {
		int err = ext4_commit_all(fs);
		(void)err; /* an error has made it read-only, and said so */
	}
}

static void fs_unmount(struct super *super)
{
	struct ext4 *fs = super->private;
	if (!fs->journal)
		return;
	ext4_end_orphans(fs);
	if (!fs->aborted && ext4_finish(fs) < 0)
		log_error("%s: ext4: not cleanly unmounted", fs->device->name);
}

static const struct super_ops super_ops = {
	.inode_read = ext4_inode_read,
	.inode_release = ext4_release,
	.statfs = fs_statfs,
	.sync = fs_sync,
	.tick = fs_tick,
	.unmount = fs_unmount,
};
static const struct page_cache_ops page_ops = {
	.fill = ext4_fill,
	.dirty = ext4_dirty,
	.dirtied = ext4_dirtied,
	.unreserve = ext4_unreserve,
	.get = inode_pages_get,
	.put = inode_pages_put,
};

static int make_super(struct ext4 *fs)
{
	struct super *s = super_new(&ext4_filesystem, &super_ops);
	if (!s)
		return -ENOMEM;
	s->private = fs;
	s->page_ops = &page_ops;
	s->inode_size = sizeof(struct ext4_inode);
	s->flags |= SUPER_READ_ONLY;
	s->block_size = fs->block_size;
	s->max_file_size = (uint64_t)UINT32_MAX << fs->block_shift;
	format(s->source, sizeof(s->source), "/dev/%s", fs->device->name);
	fs->super = s;
	return 0;
}

static int read_root(struct ext4 *fs)
{
	struct inode *root = NULL;
	int err = inode_by_number(fs->super, EXT4_ROOT_INODE, &root);
	if (err < 0)
		return err;
	if (!S_ISDIR(root->mode)) {
		inode_put(root);
		return ext4_corrupt(fs, "the root is no directory");
	}
	fs->super->root = root;
	return 0;
}

/* --- for writing --- */

static int refuse_writing(struct ext4 *fs, const char *why)
{
	log_error("%s: ext4: can not be written to: %s", fs->device->name, why);
	return -EROFS;
}

static int check_writable(struct ext4 *fs)
{
	if (fs->device->read_only)
		return refuse_writing(fs, "the disk is read-only");
	if (fs->ro_compat & (EXT4_RO_COMPAT_QUOTA | EXT4_RO_COMPAT_PROJECT))
		return refuse_writing(fs, "it has quotas, which this kernel does not keep");
	if (fs->ro_compat & EXT4_RO_COMPAT_ORPHAN_PRESENT)
		return refuse_writing(fs, "it was not cleanly unmounted: run e2fsck on it");
	if (fs->ro_compat & ~RO_COMPAT_KNOWN || fs->incompat & INCOMPAT_READ_ONLY)
		return refuse_writing(fs, "it has features this kernel only reads");
	if (!(fs->incompat & EXT4_INCOMPAT_EXTENTS))
		return refuse_writing(fs, "it is no ext4: tune2fs -O extents makes it one");
	return 0;
}

/* Counts of free blocks and inodes, from the groups: after a crash the superblock may not know. */
static int count_free(struct ext4 *fs)
{
	uint64_t blocks = 0;
	uint32_t inodes = 0;
	for (uint32_t i = 0; i < fs->n_groups; i++) {
		struct ext4_group g;
		int err = ext4_group_get(fs, i, &g);
		if (err < 0)
			return err;
		ext4_group_put(&g);
		blocks += EXT4_GROUP_COUNT(&g.d, bg_free_blocks_count);
		inodes += EXT4_GROUP_COUNT(&g.d, bg_free_inodes_count);
	}
	fs->changes_super = blocks != fs->n_free || inodes != fs->n_free_inodes;
	fs->n_free = blocks;
	fs->n_free_inodes = inodes;
	return 0;
}

#define RESERVE_MAX 4096u

static int hold_super(struct ext4 *fs)
{
	int err = ext4_block_get(fs, EXT4_SUPER_OFFSET >> fs->block_shift, &fs->super_block);
	if (err < 0)
		return err;
	fs->disk =
		(void *)(ext4_bytes(&fs->super_block) + (EXT4_SUPER_OFFSET & (fs->block_size - 1)));
	fs->mounted = heap_alloc(sizeof(*fs->mounted));
	if (!fs->mounted)
		return -ENOMEM;
	memcpy(fs->mounted, fs->disk, sizeof(*fs->mounted));
	fs->n_free = fs->statfs.f_bfree;
	fs->n_free_inodes = (uint32_t)fs->statfs.f_ffree;
	fs->n_root_reserved = fs->statfs.f_bfree - min(fs->statfs.f_bavail, fs->statfs.f_bfree);
	fs->reserve = min(fs->n_blocks / 50, (uint64_t)RESERVE_MAX);
	return 0;
}

static void start_journal(struct ext4 *fs)
{
	struct ext4_journal *j = fs->journal;
	uint32_t room = j->inode ? (j->end - j->first) / 4 : UINT32_MAX;
	j->max = (unsigned)min((uint64_t)room, max(page_total() / 128, (uint64_t)64));
	j->running = j->super ? be32_to_cpu(j->super->s_sequence) : 1;
	j->committed = j->running - 1;
	j->head = j->first;
}

static int make_writable(struct ext4 *fs, bool replayed)
{
	int err = check_writable(fs);
	if (err == 0)
		err = hold_super(fs);
	if (err == 0 && (replayed || fs->torn))
		err = count_free(fs);
	if (err < 0)
		return err;
	if (fs->disk->s_state & EXT4_STATE_ERROR || !(fs->disk->s_state & EXT4_STATE_VALID))
		log_warn(
			"%s: ext4: it holds errors, or was not cleanly unmounted: run e2fsck on it",
			fs->device->name);
	start_journal(fs);
	fs->super->flags &= ~SUPER_READ_ONLY;
	return ext4_orphans_clean(fs);
}

/* --- mounting --- */

/* Everything read so far may be out of date. */
static int read_again(struct ext4 *fs)
{
	page_cache_truncate(&fs->metadata, 0);
	memset((void *)(uintptr_t)fs->verified, 0, sizeof(fs->verified));
	struct ext4_disk_super *s = heap_alloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	int err = block_read(fs->device, EXT4_SUPER_OFFSET, s, sizeof(*s));
	if (err == 0) {
		s->s_feature_incompat &= ~EXT4_INCOMPAT_RECOVER;
		ext4_super_seal(fs, s);
		err = block_write(fs->device, EXT4_SUPER_OFFSET, s, sizeof(*s));
	}
	heap_free(s);
	if (err == 0)
		err = block_flush(fs->device);
	return err < 0 ? err : read_super(fs);
}

/* Open the journal and replay it if it holds anything. */
static int prepare_journal(struct ext4 *fs, bool *replayed)
{
	int err = ext4_changes_init(fs);
	if (err < 0 || !(fs->compat & EXT4_COMPAT_HAS_JOURNAL))
		return err;
	if (fs->journal_inode == 0)
		return ext4_corrupt(fs, "its journal is on another device, or nowhere");
	err = ext4_log_open(fs);
	if (err < 0 || fs->journal->super->s_start == 0)
		return err;
	err = ext4_replay(fs);
	ext4_log_close(fs);
	if (err == 0)
		err = read_again(fs);
	*replayed = true;
	return err < 0 ? err : ext4_log_open(fs);
}

static int mount_super(struct ext4 *fs, unsigned flags)
{
	bool reads = flags & SUPER_READ_ONLY, replayed = false;
	int err = 0;
	if (!reads || fs->incompat & EXT4_INCOMPAT_RECOVER)
		err = prepare_journal(fs, &replayed);
	if (err == 0 && reads && fs->journal)
		ext4_changes_free(fs);
	if (err == 0 && !reads)
		err = make_writable(fs, replayed);
	return err < 0 ? err : read_root(fs);
}

static void drop(struct ext4 *fs)
{
	if (fs->journal)
		ext4_changes_free(fs);
	ext4_block_put(&fs->super_block);
	heap_free(fs->mounted);
	page_cache_destroy(&fs->metadata);
	if (fs->super)
		super_free(fs->super);
	heap_free(fs);
}

static int mount(struct block_device *device, unsigned flags, struct super **out)
{
	struct ext4 *fs = heap_zalloc(sizeof(*fs));
	if (!fs)
		return -ENOMEM;
	fs->device = device;
	ext4_metadata_init(fs);
	int err = read_super(fs);
	if (err == 0)
		err = check_torn(fs);
	if (err == 0)
		err = make_super(fs);
	if (err == 0)
		err = mount_super(fs, flags);
	if (err < 0) {
		drop(fs);
		return err;
	}
	*out = fs->super;
	return 0;
}

const struct filesystem ext4_filesystem = {
	.name = "ext4", .flags = FILESYSTEM_DEVICE, .mount = mount};
