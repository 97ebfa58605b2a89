/* Inodes onto the disk: fields into their blocks, new ones, changed attributes. */
#include "abi/linux/errno.h"
#include "kernel/fs/ext4/change_files.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"

#define TIME_MIN (-(1ll << 31))
#define TIME_MAX ((1ll << 34) - (1ll << 31) - 1) /* in 2446 */

int ext4_inode_for_change(struct ext4_inode *e, struct ext4_block *b, struct ext4_disk_inode **out)
{
	struct ext4 *fs = ext4_of(&e->inode);
	int err = ext4_block_get(fs, e->disk_block, b);
	if (err < 0)
		return ext4_abort(fs, "an inode can not be read", err);
	err = ext4_change(fs, b, EXT4_SEAL_NONE, 0);
	if (err < 0)
		ext4_block_put(b);
	else
		*out = (void *)(ext4_bytes(b) + e->disk_offset);
	return err;
}

void ext4_inode_seal(struct ext4_inode *e, struct ext4_disk_inode *d)
{
	struct ext4 *fs = ext4_of(&e->inode);
	if (!ext4_has_checksums(fs))
		return;
	uint32_t crc = ext4_inode_checksum(e, d);
	d->i_checksum_lo = (uint16_t)crc;
	if (e->extra_size >= EXT4_EXTRA_UP_TO(i_checksum_hi))
		d->i_checksum_hi = (uint16_t)(crc >> 16);
}

/* --- fields --- */

static uint32_t encode_time(const struct linux_timespec *t, uint32_t *extra)
{
	int64_t seconds = min(max((int64_t)t->tv_sec, TIME_MIN), TIME_MAX);
	uint32_t epoch = (uint32_t)((seconds - (int32_t)seconds) >> 32) & 3;
	*extra = (uint32_t)t->tv_nsec << 2 | epoch;
	return (uint32_t)seconds;
}

static void store_times(const struct ext4_inode *e, struct ext4_disk_inode *d)
{
	const struct inode *i = &e->inode;
	uint32_t atime_extra, mtime_extra, ctime_extra, born_extra;
	d->i_atime = encode_time(&i->accessed, &atime_extra);
	d->i_mtime = encode_time(&i->modified, &mtime_extra);
	d->i_ctime = encode_time(&i->changed, &ctime_extra);
	uint32_t born = encode_time(&i->born, &born_extra);
	if (e->extra_size >= EXT4_EXTRA_UP_TO(i_atime_extra)) {
		d->i_atime_extra = atime_extra;
		d->i_mtime_extra = mtime_extra;
		d->i_ctime_extra = ctime_extra;
	}
	if (e->extra_size >= EXT4_EXTRA_UP_TO(i_crtime_extra)) {
		d->i_crtime = born;
		d->i_crtime_extra = born_extra;
	}
}

/* In sectors; in blocks, marked so, where sectors do not fit. */
static void store_n_blocks(struct ext4_inode *e, struct ext4_disk_inode *d)
{
	const struct ext4 *fs = ext4_of(&e->inode);
	uint64_t n = e->inode.n_blocks;
	e->flags &= ~EXT4_INODE_HUGE_FILE;
	if (n >> 48) {
		e->flags |= EXT4_INODE_HUGE_FILE;
		n >>= fs->block_shift - 9;
	}
	d->i_blocks_lo = (uint32_t)n;
	d->i_blocks_high = (uint16_t)(n >> 32);
}

/* Files beyond 2 GB need their own mark in the superblock. */
static void note_large_file(struct ext4 *fs, uint64_t size)
{
	if (size <= INT32_MAX || fs->ro_compat & EXT4_RO_COMPAT_LARGE_FILE)
		return;
	fs->ro_compat |= EXT4_RO_COMPAT_LARGE_FILE;
	fs->disk->s_feature_ro_compat = fs->ro_compat;
	fs->changes_super = true;
}

static void store_fields(struct ext4_inode *e, struct ext4_disk_inode *d)
{
	const struct inode *i = &e->inode;
	uint64_t size = S_ISREG(i->mode) ? e->disk_size : inode_size(i);
	store_n_blocks(e, d);
	d->i_mode = (uint16_t)i->mode;
	d->i_uid = (uint16_t)i->uid;
	d->i_uid_high = (uint16_t)(i->uid >> 16);
	d->i_gid = (uint16_t)i->gid;
	d->i_gid_high = (uint16_t)(i->gid >> 16);
	d->i_size_lo = (uint32_t)size;
	d->i_size_high = (uint32_t)(size >> 32);
	d->i_links_count = (uint16_t)i->n_links;
	d->i_flags = e->flags;
	d->i_generation = e->generation;
	d->i_file_acl_lo = (uint32_t)e->attributes;
	d->i_file_acl_high = (uint16_t)(e->attributes >> 32);
	memcpy(d->i_block, e->block, sizeof(d->i_block));
	store_times(e, d);
	note_large_file(ext4_of(i), size);
}

int ext4_store(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_block b;
	struct ext4_disk_inode *d;
	e->times_changed = false;
	int err = ext4_inode_for_change(e, &b, &d);
	if (err < 0)
		return err;
	store_fields(e, d);
	ext4_inode_seal(e, d);
	ext4_block_put(&b);
	e->tid = e->data_tid = fs->journal->running;
	return 0;
}

int ext4_store_now(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	if (!e->times_changed)
		return 0;
	int err = ext4_begin(fs, 1);
	if (err < 0)
		return err;
	uint32_t data_tid = e->data_tid;
	err = ext4_store(e);
	e->data_tid = data_tid;
	ext4_end(fs);
	return err;
}

/* --- attributes --- */

int ext4_inode_change(struct inode *i, const struct inode_change *change)
{
	struct ext4_inode *e = ext4_inode_of(i);
	struct ext4 *fs = ext4_of(i);
	if (!fs->journal || fs->aborted)
		return -EROFS;
	if (!(change->what & (CHANGE_MODE | CHANGE_OWNER))) {
		inode_apply(i, change);
		if (!e->times_changed) {
			e->times_changed = true;
			write_back_add(i);
		}
		return 0;
	}
	int err = ext4_begin(fs, 1);
	if (err < 0)
		return err;
	inode_apply(i, change);
	err = ext4_store(e);
	ext4_end(fs);
	return err;
}

/* --- new ones --- */

static void init_contents(struct ext4_inode *e, const struct inode_request *r)
{
	uint32_t *words = (uint32_t *)e->block;
	if (S_ISREG(r->mode) || S_ISDIR(r->mode)) {
		e->flags = EXT4_INODE_EXTENTS;
		ext4_extent_init(e);
	} else if (S_ISCHR(r->mode) || S_ISBLK(r->mode)) {
		/* Old numbers of 16 bits, or new ones of 32. */
		bool old = r->device < 65536;
		words[0] = old ? (uint32_t)r->device : 0;
		words[1] = old ? 0 : (uint32_t)r->device;
	}
}

/* Everything of the old inode there goes. */
static int clear_on_disk(struct ext4_inode *e)
{
	struct ext4 *fs = ext4_of(&e->inode);
	struct ext4_block b;
	struct ext4_disk_inode *d;
	int err = ext4_inode_for_change(e, &b, &d);
	if (err < 0)
		return err;
	memset(d, 0, fs->inode_size);
	if (fs->inode_size > EXT4_INODE_SIZE_OLD) {
		e->extra_size = sizeof(*d) - EXT4_INODE_SIZE_OLD;
		d->i_extra_isize = e->extra_size;
	}
	ext4_block_put(&b);
	return 0;
}

int ext4_inode_create(struct inode *dir, const struct inode_request *r, struct inode **out)
{
	struct ext4 *fs = ext4_of(dir);
	uint32_t number, group = (uint32_t)(dir->number - 1) / fs->inodes_per_group;
	bool is_directory = S_ISDIR(r->mode);
	struct inode *i = inode_new(dir->super, 0);
	if (!i)
		return -ENOMEM;
	struct ext4_inode *e = ext4_inode_of(i);
	ext4_inode_init(e);
	e->gone = true;
	int err = ext4_inode_take(fs, group, is_directory, dir->number == EXT4_ROOT_INODE, &number);
	if (err < 0) {
		*out = i; /* to be put outside of the operation */
		return err;
	}
	i->number = number;
	i->mode = r->mode;
	i->uid = r->uid;
	i->gid = r->gid;
	i->device = r->device;
	e->generation = (uint32_t)random_u64();
	e->checksum_seed = ext4_inode_seed(fs, number, e->generation);
	init_contents(e, r);
	err = ext4_inode_locate(e);
	if (err == 0)
		err = clear_on_disk(e);
	*out = i;
	return err < 0 ? ext4_abort(fs, "a new inode can not be written", err) : 0;
}
