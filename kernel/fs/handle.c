/*
 * Handles of files, for name_to_handle_at(2): the inode's number in its super, and when it was born, so that a number used again
 * is not mistaken.  Opened by handle are files that are not directories: a directory without a name has no path.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"

static bool has_handles(const struct super *s)
{
	return s->max_file_size && (s->ops->inode_read || s->page_flags & PAGE_CACHE_KEEP);
}

int vfs_handle_of(struct dentry *d, struct file_handle_key *out, int *mount_id)
{
	struct inode *i = d->inode;
	if (!i)
		return -ENOENT;
	if (!has_handles(i->super))
		return -EOPNOTSUPP;
	inode_publish_once(i);
	*out = (struct file_handle_key){.number = i->number,
		.born_s = i->born.tv_sec,
		.born_ns = (uint64_t)i->born.tv_nsec};
	*mount_id = (int)i->super->device;
	return 0;
}

static int find(struct super *s, const struct file_handle_key *key, struct inode **out)
{
	/* A file system on a disk is not asked for numbers that are made up: those it does not remember are gone. */
	bool ask = s->ops->inode_read && !(s->type->flags & FILESYSTEM_DEVICE);
	struct inode *i = inode_in_memory(s, key->number);
	int err = i ? 0 : ask ? inode_by_number(s, key->number, &i) : -ESTALE;
	if (err < 0)
		return err == -ENOMEM ? err : -ESTALE;
	if (i->born.tv_sec != key->born_s || (uint64_t)i->born.tv_nsec != key->born_ns ||
		!i->n_links || S_ISDIR(i->mode)) {
		inode_put(i);
		return -ESTALE;
	}
	*out = i;
	return 0;
}

int vfs_open_handle(
	struct dentry *mount, const struct file_handle_key *key, uint32_t flags, struct file **out)
{
	struct inode *i;
	struct dentry *d;
	struct super *s = dentry_super(mount);
	if (!has_handles(s))
		return -ESTALE;
	int err = find(s, key, &i);
	if (err < 0)
		return err;
	err = dentry_new_nameless(&(struct name){"/", 1, 0}, i, &d);
	if (err < 0) {
		inode_put(i);
		return err;
	}
	err = open_dentry(d, flags, out);
	dentry_put(d);
	return err;
}
