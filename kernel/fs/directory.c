/*
 * Open directories, and files opened with O_PATH, which are good for nothing but their name.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/notify.h"

/* Positions: 0 is ".", 1 is "..", the file system's start here. */
#define FIRST_POSITION 2u

static long directory_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)f, (void)to, (void)offset;
	return -EISDIR;
}

static long directory_seek(struct file *f, int64_t offset, int whence)
{
	long result = -EINVAL;
	mutex_lock(&f->position_lock);
	if (whence == SEEK_CUR)
		offset += (int64_t)f->position;
	if ((whence == SEEK_SET || whence == SEEK_CUR) && offset >= 0) {
		f->position = (uint64_t)offset;
		result = offset;
	} else if (whence == SEEK_END && offset == 0) {
		f->position = INT64_MAX;
		result = INT64_MAX;
	}
	mutex_unlock(&f->position_lock);
	return result;
}

/* "." and "..": true when both are out. */
static bool directory_list_dots(struct file *f, struct directory_sink *sink)
{
	struct inode *dir = f->inode;
	if (f->position == 0) {
		if (!sink->add(sink, ".", 1, dir->number, DT_DIR, 1))
			return false;
		f->position = 1;
	}
	if (f->position == 1) {
		struct dentry *parent = dentry_parent(f->dentry);
		bool fits = sink->add(sink, "..", 2, parent->inode->number, DT_DIR, FIRST_POSITION);
		dentry_put(parent);
		if (!fits)
			return false;
		f->position = FIRST_POSITION;
	}
	return true;
}

static int directory_list(struct file *f, struct directory_sink *sink)
{
	struct inode *dir = f->inode;
	if (!dir->ops->list)
		return -ENOTDIR;
	mutex_lock(&dir->lock);
	int err = f->dentry->flags & DENTRY_DELETED ? -ENOENT : 0;
	if (!err && directory_list_dots(f, sink))
		err = dir->ops->list(dir, &f->position, sink);
	mutex_unlock(&dir->lock);
	if (!err && !(f->flags & O_NOATIME))
		inode_accessed(dir, true);
	if (!err)
		notify_dentry(f->dentry, IN_ACCESS);
	return err;
}

static int directory_sync(struct file *f, bool data_only)
{
	return f->inode->ops->sync ? f->inode->ops->sync(f->inode, data_only) : 0;
}

static int directory_flush(struct file *f)
{
	vfs_locks_drop(f, NULL);
	return 0;
}

const struct file_ops directory_ops = {
	.kind = "directory",
	.read = directory_read,
	.seek = directory_seek,
	.list = directory_list,
	.sync = directory_sync,
	.flush = directory_flush,
};

static long path_seek(struct file *f, int64_t offset, int whence)
{
	(void)f, (void)offset, (void)whence;
	return -EBADF;
}

static long path_ioctl(struct file *f, unsigned request, unsigned long argument)
{
	(void)f, (void)request, (void)argument;
	return -EBADF;
}

static int path_map(struct file *f, struct page_cache **out, uint64_t *id, uint64_t *device)
{
	(void)f, (void)out, (void)id, (void)device;
	return -EBADF;
}

static int path_sync(struct file *f, bool data_only)
{
	(void)f, (void)data_only;
	return -EBADF;
}

static int path_truncate(struct file *f, uint64_t size)
{
	(void)f, (void)size;
	return -EBADF;
}

static int path_allocate(struct file *f, int mode, uint64_t offset, uint64_t len)
{
	(void)f, (void)mode, (void)offset, (void)len;
	return -EBADF;
}

static int path_list(struct file *f, struct directory_sink *sink)
{
	(void)f, (void)sink;
	return -EBADF;
}

const struct file_ops path_ops = {
	.kind = "path",
	.seek = path_seek,
	.ioctl = path_ioctl,
	.map = path_map,
	.sync = path_sync,
	.truncate = path_truncate,
	.allocate = path_allocate,
	.list = path_list,
};
