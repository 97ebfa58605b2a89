/*
 * Mounting ext2, ext3 and ext4, for reading.  A file system whose journal holds changes is refused:
 * what its blocks say without them may be halfway.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/ext4.h"
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
	if (crc32c(~0u, s, offsetof(struct ext4_disk_super, s_checksum)) != s->s_checksum)
		return ext4_corrupt(fs, "superblock: wrong checksum");
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

static int fs_statfs(struct super *super, struct linux_statfs *out)
{
	const struct ext4 *fs = super->private;
	*out = fs->statfs;
	memcpy(&out->f_fsid, fs->uuid, sizeof(out->f_fsid));
	return 0;
}

static const struct super_ops super_ops = {.inode_read = ext4_inode_read, .statfs = fs_statfs};
static const struct page_cache_ops page_ops = {
	.fill = ext4_fill, .get = inode_pages_get, .put = inode_pages_put};

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

static int mount_device(struct ext4 *fs)
{
	int err = read_super(fs);
	if (err < 0)
		return err;
	err = make_super(fs);
	if (err < 0)
		return err;
	err = ext4_journal_check(fs);
	if (err == 0)
		err = read_root(fs);
	if (err < 0)
		super_free(fs->super);
	return err;
}

static int mount(struct block_device *device, unsigned flags, struct super **out)
{
	if (!(flags & SUPER_READ_ONLY)) {
		log_error("%s: ext4: writing to the image is not supported yet; start without --rw",
			device->name);
		return -EROFS;
	}
	struct ext4 *fs = heap_zalloc(sizeof(*fs));
	if (!fs)
		return -ENOMEM;
	fs->device = device;
	ext4_metadata_init(fs);
	int err = mount_device(fs);
	if (err < 0) {
		page_cache_destroy(&fs->metadata);
		heap_free(fs);
		return err;
	}
	*out = fs->super;
	return 0;
}

const struct filesystem ext4_filesystem = {
	.name = "ext4", .flags = FILESYSTEM_DEVICE, .mount = mount};
