/* Inodes: found in their group's table, verified, and made into the VFS's. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/crc32c.h"
#include "kernel/lib/string.h"

int ext4_inode_on_disk(
	struct ext4_inode *e, struct ext4_block *b, const struct ext4_disk_inode **out)
{
	int err = ext4_block_get(ext4_of(&e->inode), e->disk_block, b);
	if (err == 0)
		*out = (const void *)(b->data + e->disk_offset);
	return err;
}

int ext4_inode_locate(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	uint64_t number = e->inode.number, table = 0;
	if (number == 0 || number > fs->n_inodes)
		return ext4_corrupt(fs, "there is no inode %llu", (unsigned long long)number);
	uint32_t index = (uint32_t)(number - 1) % fs->inodes_per_group;
	int err = ext4_group_inode_table(fs, (uint32_t)(number - 1) / fs->inodes_per_group, &table);
	if (err < 0)
		return err;
	uint64_t offset = (uint64_t)index * fs->inode_size;
	e->disk_block = table + (offset >> fs->block_shift);
	e->disk_offset = (unsigned)offset & (fs->block_size - 1);
	return 0;
}

/* Fields beyond the first 128 bytes that this inode has. */
static unsigned extra_size(const struct ext4 *fs, const struct ext4_disk_inode *d)
{
	return fs->inode_size > EXT4_INODE_SIZE_OLD ? d->i_extra_isize : 0;
}

uint32_t ext4_inode_seed(const struct ext4 *fs, uint32_t number, uint32_t generation)
{
	uint32_t seed = crc32c(fs->checksum_seed, &number, sizeof(number));
	return crc32c(seed, &generation, sizeof(generation));
}

void ext4_inode_init(struct ext4_inode *e)
{
	rw_lock_init(&e->map_lock);
	mutex_init(&e->write_lock);
	list_init(&e->orphan_link);
}

/* Over the whole inode; 16 bits where there is no room for more. */
uint32_t ext4_inode_checksum(struct ext4_inode *e, const struct ext4_disk_inode *d)
{
	struct ext4 *fs = ext4_of(&e->inode);
	const uint8_t *raw = (const uint8_t *)d;
	static const uint8_t zero[2];
	const size_t low = offsetof(struct ext4_disk_inode, i_checksum_lo);
	const size_t high = offsetof(struct ext4_disk_inode, i_checksum_hi);
	uint32_t crc = crc32c(e->checksum_seed, raw, low);
	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, raw + low + 2, EXT4_INODE_SIZE_OLD - low - 2);
	if (extra_size(fs, d) < EXT4_EXTRA_UP_TO(i_checksum_hi))
		return (uint16_t)crc32c(
			crc, raw + EXT4_INODE_SIZE_OLD, fs->inode_size - EXT4_INODE_SIZE_OLD);
	crc = crc32c(crc, raw + EXT4_INODE_SIZE_OLD, high - EXT4_INODE_SIZE_OLD);
	crc = crc32c(crc, zero, sizeof(zero));
	return crc32c(crc, raw + high + 2, fs->inode_size - high - 2);
}

static bool checksum_right(struct ext4_inode *e, const struct ext4_disk_inode *d)
{
	bool wide = extra_size(ext4_of(&e->inode), d) >= EXT4_EXTRA_UP_TO(i_checksum_hi);
	uint32_t stored =
		wide ? (uint32_t)d->i_checksum_hi << 16 | d->i_checksum_lo : d->i_checksum_lo;
	return ext4_inode_checksum(e, d) == stored;
}

static int verify(struct ext4_inode *e, const struct ext4_disk_inode *d)
{
	struct ext4 *fs = ext4_of(&e->inode);
	unsigned long long number = e->inode.number;
	if (extra_size(fs, d) > fs->inode_size - EXT4_INODE_SIZE_OLD)
		return ext4_corrupt(fs, "inode %llu: bad extra size", number);
	if (ext4_has_checksums(fs)) {
		e->checksum_seed = ext4_inode_seed(fs, (uint32_t)number, d->i_generation);
		if (!checksum_right(e, d))
			return ext4_corrupt(fs, "inode %llu: wrong checksum", number);
	}
	if ((d->i_links_count == 0 && !fs->cleaning) || d->i_mode == 0)
		return ext4_corrupt(fs, "inode %llu: a name leads to it, but it is free", number);
	if (d->i_flags & (EXT4_INODE_ENCRYPTED | EXT4_INODE_COMPRESSED))
		return -EOPNOTSUPP;
	return 0;
}

/* The two low bits of extra carry seconds beyond 2038. */
static struct linux_timespec decode_time(uint32_t seconds, uint32_t extra)
{
	uint32_t ns = extra >> 2;
	return (struct linux_timespec){
		(int32_t)seconds + ((int64_t)(extra & 3) << 32), ns < NS_PER_S ? ns : 0};
}

static void read_times(struct inode *i, const struct ext4_disk_inode *d, unsigned extra)
{
	bool fine = extra >= EXT4_EXTRA_UP_TO(i_atime_extra);
	i->accessed = decode_time(d->i_atime, fine ? d->i_atime_extra : 0);
	i->modified = decode_time(d->i_mtime, fine ? d->i_mtime_extra : 0);
	i->changed = decode_time(d->i_ctime, fine ? d->i_ctime_extra : 0);
	if (extra >= EXT4_EXTRA_UP_TO(i_crtime_extra))
		i->born = decode_time(d->i_crtime, d->i_crtime_extra);
}

static uint64_t count_sectors(const struct ext4 *fs, const struct ext4_disk_inode *d)
{
	if (!(fs->ro_compat & EXT4_RO_COMPAT_HUGE_FILE))
		return d->i_blocks_lo;
	uint64_t n = (uint64_t)d->i_blocks_high << 32 | d->i_blocks_lo;
	return d->i_flags & EXT4_INODE_HUGE_FILE ? n << (fs->block_shift - 9) : n;
}

static void read_fields(struct ext4_inode *e, const struct ext4_disk_inode *d)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct inode *i = &e->inode;
	e->flags = d->i_flags;
	memcpy(e->block, d->i_block, sizeof(e->block));
	i->mode = d->i_mode;
	i->uid = d->i_uid | (uint32_t)d->i_uid_high << 16;
	i->gid = d->i_gid | (uint32_t)d->i_gid_high << 16;
	i->n_links = d->i_links_count;
	i->n_blocks = count_sectors(fs, d);
	read_times(i, d, extra_size(fs, d));
	e->disk_size = (uint64_t)d->i_size_high << 32 | d->i_size_lo;
	inode_set_size(i, e->disk_size);
	e->generation = d->i_generation;
	e->attributes = (uint64_t)d->i_file_acl_high << 32 | d->i_file_acl_lo;
	e->extra_size = (uint16_t)extra_size(fs, d);
	/* Device numbers: 16 bits of old, else 32 as stat(2) has them. */
	const uint32_t *words = (const uint32_t *)e->block;
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode))
		i->device = words[0] ? (words[0] & 0xffff) : words[1];
}

/* --- symbolic links --- */

/* Short targets stand where block numbers would: then no block is taken but perhaps one of
 * attributes. */
static bool target_in_inode(struct ext4 *fs, const struct ext4_disk_inode *d)
{
	bool attributes = d->i_file_acl_lo || d->i_file_acl_high;
	return count_sectors(fs, d) == (attributes ? fs->block_size / SECTOR_SIZE : 0);
}

static int copy_target(struct ext4_inode *e, char *buf, size_t n)
{
	if (e->flags & EXT4_INODE_INLINE_DATA)
		return ext4_inline_read(e, buf, n);
	struct ext4_block b;
	const struct ext4_disk_inode *d = NULL;
	int err = ext4_inode_on_disk(e, &b, &d);
	if (err < 0)
		return err;
	bool here = target_in_inode(ext4_of(&e->inode), d) && n <= sizeof(e->block);
	ext4_block_put(&b);
	if (here) {
		memcpy(buf, e->block, n);
		return 0;
	}
	struct ext4_run run;
	err = ext4_map(e, 0, &run);
	if (err < 0)
		return err;
	err = ext4_block_get(ext4_of(&e->inode), run.physical, &b);
	if (err < 0)
		return err;
	memcpy(buf, b.data, n);
	ext4_block_put(&b);
	return 0;
}

static long read_link(struct inode *inode, char *buf, size_t size)
{
	size_t n = (size_t)min(inode_size(inode), (uint64_t)size);
	int err = copy_target(ext4_inode_of(inode), buf, n);
	if (err < 0)
		return err;
	if (memchr(buf, '\0', n))
		return ext4_corrupt(ext4_of(inode), "symbolic link %llu: its target has a NUL",
			(unsigned long long)inode->number);
	return (long)n;
}

/* --- kinds --- */

#define COMMON                                                                                     \
	.change = ext4_inode_change, .sync = ext4_sync, .write_back = ext4_write_back,             \
	.xattr_get = ext4_xattr_get, .xattr_set = ext4_xattr_set, .xattr_list = ext4_xattr_list

static const struct inode_ops file_ops = {
	COMMON,
	.seek = ext4_seek,
	.read_ahead = ext4_read_ahead,
	.truncate = ext4_truncate,
	.allocate = ext4_allocate,
	.stat = ext4_stat,
};
static const struct inode_ops directory_ops = {
	COMMON,
	.lookup = ext4_lookup,
	.list = ext4_list,
	.create = ext4_create,
	.link = ext4_link,
	.unlink = ext4_unlink,
	.rename = ext4_rename,
	.create_nameless = ext4_create_nameless,
};
static const struct inode_ops link_ops = {COMMON, .readlink = read_link};
static const struct inode_ops special_ops = {COMMON};

/* Choose the operations; sizes that no such inode has are refused. */
int ext4_set_kind(struct ext4_inode *e)
{
	struct inode *i = &e->inode;
	struct ext4 *fs = ext4_of(i);
	uint64_t size = inode_size(i), size_max = 0;
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		i->ops = &file_ops;
		size_max = e->flags & EXT4_INODE_INLINE_DATA ? EXT4_INLINE_MAX
							     : i->super->max_file_size;
		break;
	case S_IFDIR:
		i->ops = &directory_ops;
		size_max = fs->n_blocks << fs->block_shift;
		break;
	case S_IFLNK:
		i->ops = &link_ops;
		size_max = min(fs->block_size, PATH_MAX - 1u);
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		i->ops = &special_ops;
		size_max = UINT64_MAX;
		break;
	default:
		return ext4_corrupt(
			fs, "inode %llu: mode %o", (unsigned long long)i->number, i->mode);
	}
	if (size > size_max || (S_ISLNK(i->mode) && size == 0))
		return ext4_corrupt(fs, "inode %llu: size %llu", (unsigned long long)i->number,
			(unsigned long long)size);
	return 0;
}

int ext4_inode_read(struct inode *inode)
{
	struct ext4_inode *e = ext4_inode_of(inode);
	ext4_inode_init(e);
	int err = ext4_inode_locate(e);
	if (err < 0)
		return err;
	struct ext4_block b;
	const struct ext4_disk_inode *d = NULL;
	err = ext4_inode_on_disk(e, &b, &d);
	if (err < 0)
		return err;
	err = verify(e, d);
	if (err == 0)
		read_fields(e, d);
	ext4_block_put(&b);
	return err < 0 ? err : ext4_set_kind(e);
}
