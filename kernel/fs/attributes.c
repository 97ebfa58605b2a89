/*
 * What stat(2) shows of an inode, and the calls that change it.
 */
#include "abi/linux/errno.h"
#include "abi/linux/statfs.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/notify.h"

static int inode_stat(struct inode *i, struct linux_stat *out)
{
	*out = (struct linux_stat){
		.st_dev = i->super->device,
		.st_ino = i->number,
		.st_nlink = i->n_links,
		.st_mode = i->mode,
		.st_uid = i->uid,
		.st_gid = i->gid,
		.st_rdev = i->device,
		.st_size = (int64_t)inode_size(i),
		.st_blksize = i->super->block_size,
		.st_blocks = (int64_t)i->n_blocks,
		.st_atim = i->accessed,
		.st_mtim = i->modified,
		.st_ctim = i->changed,
		.st_btime_sec = i->born.tv_sec,
		.st_btime_nsec = i->born.tv_nsec,
	};
	if (i->ops->stat)
		i->ops->stat(i, out);
	return 0;
}

int vfs_stat(struct dentry *d, struct linux_stat *out)
{
	return d->inode ? inode_stat(d->inode, out) : -ENOENT;
}

int vfs_stat_file(struct file *f, struct linux_stat *out)
{
	if (f->inode)
		return inode_stat(f->inode, out);
	if (f->ops->stat)
		return f->ops->stat(f, out);
	*out = (struct linux_stat){.st_dev = FILE_ANONYMOUS_DEVICE,
		.st_ino = 1,
		.st_nlink = 1,
		.st_mode = 0600,
		.st_blksize = PAGE_SIZE};
	return 0;
}

int vfs_statfs(struct dentry *d, struct linux_statfs *out)
{
	struct super *s = dentry_super(d);
	*out = (struct linux_statfs){.f_bsize = s->block_size,
		.f_frsize = s->block_size,
		.f_namelen = NAME_MAX,
		.f_fsid = {(int32_t)s->device, 0},
		.f_flags = ST_VALID | ST_RELATIME};
	if (s->flags & SUPER_READ_ONLY)
		out->f_flags |= ST_RDONLY;
	if (s->flags & SUPER_NO_SET_ID)
		out->f_flags |= ST_NOSUID;
	if (s->flags & SUPER_NO_EXEC)
		out->f_flags |= ST_NOEXEC;
	if (s->flags & SUPER_NO_DEVICES)
		out->f_flags |= ST_NODEV;
	return s->ops->statfs ? s->ops->statfs(s, out) : -ENOSYS;
}

int vfs_access(struct dentry *d, unsigned mode)
{
	struct inode *i = d->inode;
	if (!i)
		return -ENOENT;
	if (mode & ~(unsigned)(R_OK | W_OK | X_OK))
		return -EINVAL;
	if ((mode & X_OK) && S_ISREG(i->mode) && (i->super->flags & SUPER_NO_EXEC))
		return -EACCES;
	return mode ? inode_permission(i, mode) : 0;
}

long vfs_readlink(struct dentry *d, char *buf, size_t size)
{
	struct inode *i = d->inode;
	if (!i)
		return -ENOENT;
	if (!S_ISLNK(i->mode) || !i->ops->readlink)
		return -EINVAL;
	inode_accessed(i, true);
	return i->ops->readlink(i, buf, size);
}

/* --- changes -------------------------------------------------------------------------------- */

static int inode_check_change(struct inode *i)
{
	if (!i)
		return -ENOENT;
	if (i->super->flags & SUPER_READ_ONLY)
		return -EROFS;
	return i->ops->change ? 0 : -EPERM;
}

static int inode_change_now(struct inode *i, struct inode_change *c)
{
	c->what |= CHANGE_CHANGED;
	c->changed = time_now();
	return i->ops->change(i, c);
}

int vfs_chmod(struct dentry *d, uint32_t mode)
{
	struct inode *i = d->inode;
	int err = inode_check_change(i);
	if (err < 0)
		return err;
	if (S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	if (!inode_is_owner(i))
		return -EPERM;
	struct inode_change c = {.what = CHANGE_MODE, .mode = mode & 07777};
	if (!fs_credentials()->override && !in_own_group(i->gid))
		c.mode &= ~(uint32_t)S_ISGID;
	mutex_lock(&i->lock);
	err = inode_change_now(i, &c);
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(d, IN_ATTRIB);
	return err;
}

/* Inode locked. */
static int chown_locked(struct inode *i, uint32_t uid, uint32_t gid)
{
	struct inode_change c = {.what = CHANGE_OWNER, .mode = i->mode};
	c.uid = uid == UINT32_MAX ? i->uid : uid;
	c.gid = gid == UINT32_MAX ? i->gid : gid;
	const struct fs_credentials *who = fs_credentials();
	bool owner = who->uid == i->uid;
	if (!who->override && (c.uid != i->uid || !owner))
		return -EPERM;
	if (!who->override && c.gid != i->gid && !in_own_group(c.gid))
		return -EPERM;
	uint32_t drop = S_ISUID | (i->mode & 010 ? S_ISGID : 0);
	if (!S_ISDIR(i->mode) && (i->mode & drop)) {
		c.what |= CHANGE_MODE;
		c.mode &= ~drop;
	}
	return inode_change_now(i, &c);
}

int vfs_chown(struct dentry *d, uint32_t uid, uint32_t gid)
{
	struct inode *i = d->inode;
	int err = inode_check_change(i);
	if (err < 0 || (uid == UINT32_MAX && gid == UINT32_MAX))
		return err;
	mutex_lock(&i->lock);
	err = chown_locked(i, uid, gid);
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(d, IN_ATTRIB);
	return err;
}

/* One of the two times: what to change it to, if at all. */
static int time_wanted(const struct linux_timespec *given, struct linux_timespec *out)
{
	if (!given || given->tv_nsec == UTIME_NOW) {
		*out = time_now();
		return 1;
	}
	if (given->tv_nsec == UTIME_OMIT)
		return 0;
	if (given->tv_nsec < 0 || given->tv_nsec >= (int64_t)NS_PER_S)
		return -EINVAL;
	*out = *given;
	return 1;
}

static bool is_now(const struct linux_timespec *t)
{
	return !t || (t[0].tv_nsec == UTIME_NOW && t[1].tv_nsec == UTIME_NOW);
}

int vfs_utimes(struct dentry *d, const struct linux_timespec times[2])
{
	struct inode *i = d->inode;
	struct inode_change c = {0};
	int accessed = time_wanted(times, &c.accessed);
	int modified = time_wanted(times ? &times[1] : NULL, &c.modified);
	if (accessed < 0 || modified < 0)
		return -EINVAL;
	if (!accessed && !modified)
		return i ? 0 : -ENOENT;
	int err = inode_check_change(i);
	if (err < 0)
		return err;
	if (!inode_is_owner(i)) {
		err = is_now(times) ? inode_permission(i, W_OK) : -EPERM;
		if (err < 0)
			return err;
	}
	c.what = (accessed ? CHANGE_ACCESSED : 0) | (modified ? CHANGE_MODIFIED : 0);
	mutex_lock(&i->lock);
	err = inode_change_now(i, &c);
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(d, accessed && modified ? IN_ATTRIB
				 : accessed           ? IN_ACCESS
						      : IN_MODIFY);
	return err;
}

int vfs_truncate(struct dentry *d, uint64_t size)
{
	struct inode *i = d->inode;
	if (!i)
		return -ENOENT;
	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode))
		return -EINVAL;
	int err = inode_permission(i, W_OK);
	if (err < 0)
		return err;
	if (i->writers < 0)
		return -ETXTBSY;
	mutex_lock(&i->lock);
	err = regular_set_size(i, size);
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(d, IN_MODIFY);
	return err;
}
