/*
 * open(2): find or make the inode, check, and make the file of its kind.
 */
#include "abi/linux/errno.h"
#include "kernel/file/kinds.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/notify.h"
#include "kernel/lib/format.h"

#define OPEN_FLAGS                                                                                 \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |      \
		O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |          \
		O_CLOEXEC | O_PATH | O_TMPFILE)
#define OPEN_ONCE (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC) /* not kept: F_GETFL */

static bool wants_write(uint32_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

static int open_fifo(struct inode *i, uint32_t flags, struct file **out)
{
	int err = 0;
	mutex_lock(&i->lock);
	if (!i->pipe)
		err = pipe_new(&i->pipe);
	mutex_unlock(&i->lock);
	return err < 0 ? err : pipe_open(i->pipe, flags, out);
}

/* open(2) on what the dentry is, whatever it is called. */
static int open_by_kind(struct inode *i, uint32_t flags, struct file **out)
{
	if (flags & O_PATH)
		return file_new(&path_ops, NULL, flags, out);
	if (i->ops->open)
		return i->ops->open(i, flags, out);
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		return file_new(&regular_ops, NULL, flags, out);
	case S_IFDIR:
		return file_new(&directory_ops, NULL, flags, out);
	case S_IFIFO:
		return open_fifo(i, flags, out);
	case S_IFCHR:
	case S_IFBLK:
		return device_open(i, flags, out);
	case S_IFLNK:
		return -ELOOP;
	}
	return -ENXIO;
}

static void drop_name(struct file *f)
{
	if (S_ISREG(f->inode->mode) && file_writable(f))
		atomic_fetch_sub(&f->inode->writers, 1);
	if (!(f->flags & O_PATH))
		notify_dentry(f->dentry, file_writable(f) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	vfs_locks_drop(f, f);
	dentry_put(f->dentry);
}

void open_init(void)
{
	file_set_name_dropper(drop_name);
}

/* Count among the writers, unless the file is being executed. */
static int writer_add(struct inode *i)
{
	int n = i->writers;
	do {
		if (n < 0)
			return -ETXTBSY;
	} while (!atomic_compare_exchange_weak(&i->writers, &n, n + 1));
	return 0;
}

int open_inode(struct dentry *d, uint32_t flags, struct file **out)
{
	struct inode *i = d->inode;
	bool writer = S_ISREG(i->mode) && wants_write(flags) && !(flags & O_PATH) &&
		      (flags & O_ACCMODE) != O_ACCMODE;
	int err = writer ? writer_add(i) : 0;
	if (err < 0)
		return err;
	err = open_by_kind(i, flags & ~OPEN_ONCE, out);
	if (err < 0) {
		if (writer)
			atomic_fetch_sub(&i->writers, 1);
		return err;
	}
	dentry_get(d);
	(*out)->dentry = d;
	(*out)->inode = i;
	if (!(flags & O_PATH))
		notify_dentry(d, IN_OPEN);
	if (S_ISREG(i->mode))
		(*out)->error_seen = page_cache_error_start(&i->data->error);
	return 0;
}

static int open_check(struct dentry *d, uint32_t flags, bool directory)
{
	struct inode *i = d->inode;
	if (directory && !S_ISDIR(i->mode))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (S_ISLNK(i->mode))
		return -ELOOP;
	if (S_ISDIR(i->mode) && (wants_write(flags) || (flags & O_CREAT)))
		return -EISDIR;
	unsigned mask = 0;
	if ((flags & O_ACCMODE) != O_WRONLY)
		mask |= R_OK;
	if (wants_write(flags) || (flags & O_TRUNC))
		mask |= W_OK;
	int err = inode_permission(i, mask);
	if (err < 0)
		return err;
	if ((i->super->flags & SUPER_NO_DEVICES) && (S_ISCHR(i->mode) || S_ISBLK(i->mode)))
		return -EACCES;
	return (flags & O_NOATIME) && !inode_is_owner(i) ? -EPERM : 0;
}

/* What opening for writing does to a regular file. */
static int open_for_write(struct dentry *d, uint32_t flags)
{
	struct inode *i = d->inode;
	int err = 0;
	mutex_lock(&i->lock);
	if (i->ops->prepare_write)
		err = i->ops->prepare_write(i);
	if (!err && (flags & O_TRUNC))
		err = regular_set_size(i, 0);
	mutex_unlock(&i->lock);
	if (!err && (flags & O_TRUNC))
		notify_dentry(d, IN_MODIFY);
	return err;
}

/* After all checks; what is truncated here was counted as written before. */
static int open_found(struct dentry *d, uint32_t flags, struct file **out)
{
	struct file *f;
	int err = open_inode(d, flags, &f);
	if (err < 0)
		return err;
	bool changes = wants_write(flags) || (flags & O_TRUNC);
	if (S_ISREG(d->inode->mode) && changes && !d->inode->ops->open && !(flags & O_PATH))
		err = open_for_write(d, flags);
	if (err < 0) {
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}

int open_dentry(struct dentry *d, uint32_t flags, struct file **out)
{
	flags &= OPEN_FLAGS & ~(uint32_t)(O_CREAT | O_EXCL);
	int err = open_check(d, flags, flags & O_DIRECTORY);
	return err < 0 ? err : open_found(d, flags, out);
}

/* The last component is not there: make it, with the directory locked.  *created says whether it was us. */
static int open_create(struct walk *w, uint32_t mode, struct dentry **out, bool *created)
{
	struct inode *dir = w->at->inode;
	struct dentry *d;
	mutex_lock(&dir->lock);
	int err = walk_last_locked(w, &d);
	if (!err && !d->inode) {
		struct inode_request request;
		inode_request_init(&request, dir, S_IFREG | (mode & 07777));
		err = create_locked(w->at, d, &request);
		*created = !err;
		if (err < 0)
			dentry_put(d);
	}
	mutex_unlock(&dir->lock);
	*out = d;
	return err;
}

/* The last component of w, made if need be. */
static int open_last(
	struct walk *w, uint32_t flags, uint32_t mode, struct dentry **out, bool *created)
{
	*created = false;
	/* "/proc/self/fd/2" has led to what is no directory: nothing is left to be created. */
	if ((flags & O_CREAT) && w->last_kind != LAST_NORMAL && S_ISDIR(w->at->inode->mode))
		return -EISDIR;
	int err = walk_last(w, out);
	if (err < 0 || (*out)->inode || !(flags & O_CREAT))
		return err;
	dentry_put(*out);
	return w->slash ? -EISDIR : open_create(w, mode, out, created);
}

static bool open_follows(const struct walk *w, const struct dentry *d, uint32_t flags)
{
	if (!S_ISLNK(d->inode->mode))
		return false;
	return w->slash || !(flags & O_NOFOLLOW);
}

static int open_walk(struct walk *w, uint32_t flags, uint32_t mode, struct file **out)
{
	for (;;) {
		struct dentry *d = NULL;
		bool created = false;
		int err = walk_to_parent(w);
		if (!err)
			err = open_last(w, flags, mode, &d, &created);
		if (err < 0)
			return err;
		if (!d->inode)
			err = -ENOENT;
		else if ((flags & O_CREAT) && (flags & O_EXCL) && !created)
			err = -EEXIST;
		else if (open_follows(w, d, flags)) {
			err = walk_follow(w, d);
			if (err < 0)
				return err;
			/* "/proc/self/fd/3" may lead to what is no part of the tree. */
			continue;
		} else if (!created)
			err = open_check(d, flags, (flags & O_DIRECTORY) || w->slash);
		if (!err)
			err = open_found(d, created ? flags & ~O_TRUNC : flags, out);
		dentry_put(d);
		return err;
	}
}

static int open_nameless(
	struct dentry *base, const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
	struct dentry *at, *d;
	struct inode *inode;
	if (!wants_write(flags) || (flags & O_CREAT))
		return -EINVAL;
	int err = vfs_lookup(base, path, LOOKUP_DIRECTORY, &at);
	if (err < 0)
		return err;
	struct inode *dir = at->inode;
	err = inode_may_create(dir);
	if (!err && !dir->ops->create_nameless)
		err = -EOPNOTSUPP;
	if (err < 0)
		goto put;
	struct inode_request request;
	inode_request_init(&request, dir, S_IFREG | (mode & 07777));
	mutex_lock(&dir->lock);
	err = dir->ops->create_nameless(dir, &request, &inode);
	mutex_unlock(&dir->lock);
	if (err < 0)
		goto put;
	char text[24];
	struct name name = {text, 0, 0};
	name.len = (uint32_t)format(text, sizeof(text), "#%llu", (unsigned long long)inode->number);
	unsigned d_flags = DENTRY_NAMELESS | (flags & O_EXCL ? 0 : DENTRY_LINKABLE);
	err = dentry_new(at, &name, inode, d_flags, &d);
	if (err < 0) {
		inode_put(inode);
		goto put;
	}
	err = open_inode(d, flags, out);
	dentry_put(d);
put:
	dentry_put(at);
	return err;
}

int vfs_open(
	struct dentry *base, const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
	return vfs_open_resolve(base, path, flags, mode, 0, out);
}

int vfs_open_resolve(struct dentry *base, const char *path, uint32_t flags, uint32_t mode,
	unsigned resolve, struct file **out)
{
	struct walk w;
	flags = (flags & OPEN_FLAGS) | O_LARGEFILE;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
	else if ((flags & O_TMPFILE) == O_TMPFILE && resolve)
		return -EOPNOTSUPP;
	else if ((flags & O_TMPFILE) == O_TMPFILE)
		return open_nameless(base, path, flags, mode, out);
	else if (flags & O_TMPFILE & ~O_DIRECTORY)
		return -EINVAL;
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	if ((resolve & RESOLVE_BENEATH) && *path == '/')
		return -EXDEV;
	if ((resolve & RESOLVE_IN_ROOT) && *path == '/')
		path = *skip_slashes(path) ? skip_slashes(path) : ".";
	int err = walk_start(&w, base, path, 0);
	if (err < 0)
		return err;
	if (resolve)
		walk_restrict(&w, resolve);
	err = open_walk(&w, flags, mode, out);
	walk_end(&w);
	if (err == -ENOENT)
		missing_path(path);
	return err;
}
