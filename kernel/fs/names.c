/*
 * Making, removing and moving names.  Errors in the order in which Linux finds them, since programs look at them.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/notify.h"
#include "kernel/lib/string.h"

static struct mutex rename_lock;

void names_init(void)
{
	mutex_init(&rename_lock);
}

static int walk_parent(struct walk *w, struct dentry *base, const char *path)
{
	int err = walk_start(w, base, path, 0);
	if (err < 0)
		return err;
	err = walk_to_parent(w);
	if (err < 0)
		walk_end(w);
	return err;
}

int create_locked(struct dentry *dir, struct dentry *d, const struct inode_request *request)
{
	struct inode *parent = dir->inode, *made;
	struct name name = {d->name, d->name_len, d->hash};
	if (dir->flags & DENTRY_DELETED)
		return -ENOENT;
	int err = inode_may_create(parent);
	if (err < 0)
		return err;
	if (!parent->ops->create)
		return -EPERM;
	err = parent->ops->create(parent, &name, request, &made);
	if (err < 0)
		return err;
	dentry_fill(d, made);
	inode_modified(parent);
	notify_name(parent, &name, made, IN_CREATE, 0);
	return 0;
}

int make_node(struct dentry *base, const char *path, const struct inode_request *what,
	struct dentry **out)
{
	struct walk w;
	struct dentry *d = NULL;
	int err = walk_parent(&w, base, path);
	if (err < 0)
		return err;
	if (w.last_kind != LAST_NORMAL) {
		err = -EEXIST;
		goto end;
	}
	struct inode *dir = w.at->inode;
	struct inode_request request;
	inode_request_init(&request, dir, what->mode);
	request.device = what->device;
	request.target = what->target;
	mutex_lock(&dir->lock);
	err = walk_last_locked(&w, &d);
	if (!err && d->inode)
		err = -EEXIST;
	else if (!err && w.slash && !S_ISDIR(what->mode))
		err = -ENOENT;
	if (!err)
		err = create_locked(w.at, d, &request);
	mutex_unlock(&dir->lock);
	if (!err)
		*out = d;
	else if (d)
		dentry_put(d);
end:
	walk_end(&w);
	return err;
}

static int make(
	struct dentry *base, const char *path, uint32_t mode, uint64_t device, const char *target)
{
	struct dentry *d;
	struct inode_request what = {.mode = mode, .device = device, .target = target};
	int err = make_node(base, path, &what, &d);
	if (!err)
		dentry_put(d);
	return err;
}

int vfs_mkdir(struct dentry *base, const char *path, uint32_t mode)
{
	return make(base, path, S_IFDIR | (mode & 01777), 0, NULL);
}

int vfs_mknod(struct dentry *base, const char *path, uint32_t mode, uint64_t device)
{
	uint32_t kind = mode & S_IFMT;
	if (kind == S_IFDIR)
		return -EPERM;
	if (kind == 0)
		kind = S_IFREG;
	bool is_device = kind == S_IFCHR || kind == S_IFBLK;
	if (kind == S_IFLNK ||
		(!is_device && kind != S_IFREG && kind != S_IFIFO && kind != S_IFSOCK))
		return -EINVAL;
	if (is_device && !fs_credentials()->override)
		return -EPERM;
	return make(base, path, kind | (mode & 07777), is_device ? device : 0, NULL);
}

int vfs_symlink(const char *target, struct dentry *base, const char *path)
{
	size_t len = strnlen(target, PATH_MAX);
	if (len == 0)
		return -ENOENT;
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	return make(base, path, S_IFLNK | 0777, 0, target);
}

/* Both locked. */
static int link_locked(struct dentry *old, struct dentry *dir, struct dentry *d)
{
	struct inode *inode = old->inode, *parent = dir->inode;
	struct name name = {d->name, d->name_len, d->hash};
	if (dir->flags & DENTRY_DELETED)
		return -ENOENT;
	int err = inode_may_create(parent);
	if (err < 0)
		return err;
	if (S_ISDIR(inode->mode) || !parent->ops->link)
		return -EPERM;
	if (!inode->n_links && !(old->flags & DENTRY_LINKABLE))
		return -ENOENT;
	err = parent->ops->link(parent, &name, inode);
	if (err < 0)
		return err;
	inode_get(inode);
	dentry_fill(d, inode);
	inode_changed(inode);
	inode_modified(parent);
	notify_self(inode, IN_ATTRIB);
	notify_name(parent, &name, inode, IN_CREATE, 0);
	return 0;
}

static int link_at(struct walk *w, struct dentry *old)
{
	struct inode *dir = w->at->inode;
	struct dentry *d = NULL;
	mutex_lock(&dir->lock);
	int err = walk_last_locked(w, &d);
	if (!err && d->inode)
		err = -EEXIST;
	else if (!err && w->slash)
		err = -ENOENT;
	else if (!err && old->inode->super != dir->super)
		err = -EXDEV;
	else if (!err && S_ISDIR(old->inode->mode))
		err = -EPERM; /* before its lock: it may be dir itself */
	if (!err) {
		mutex_lock(&old->inode->lock);
		err = link_locked(old, w->at, d);
		mutex_unlock(&old->inode->lock);
	}
	mutex_unlock(&dir->lock);
	if (d)
		dentry_put(d);
	return err;
}

int vfs_link(struct dentry *old, struct dentry *base, const char *path)
{
	struct walk w;
	int err = walk_parent(&w, base, path);
	if (err < 0)
		return err;
	err = w.last_kind != LAST_NORMAL ? -EEXIST : link_at(&w, old);
	walk_end(&w);
	return err;
}

static bool is_mount_root(const struct dentry *d)
{
	return d->parent == d;
}

/* The name d leaves the cache; its inode's end, if nobody has it open, is told before the name's. */
static void notify_removed(struct inode *dir, struct dentry *d, struct inode *victim)
{
	char text[NAME_MAX];
	struct name name = {text, d->name_len, d->hash};
	if (!notify_wanted()) {
		dentry_empty(d);
		return;
	}
	memcpy(text, d->name, d->name_len);
	if (victim->watches && S_ISDIR(victim->mode))
		dentry_drop_children(d);
	dentry_empty(d);
	notify_name(dir, &name, victim, IN_DELETE, 0);
}

/* The directory is locked. */
static int remove_locked(struct dentry *dir, struct dentry *d)
{
	struct inode *victim = d->inode, *parent = dir->inode;
	struct name name = {d->name, d->name_len, d->hash};
	if (is_mount_root(d))
		return -EBUSY;
	int err = inode_may_remove(parent, victim);
	if (err < 0)
		return err;
	if (!parent->ops->unlink)
		return -EPERM;
	if (victim == parent) /* a hostile image: a directory in itself */
		return -EIO;
	inode_get(victim);
	mutex_lock(&victim->lock);
	err = parent->ops->unlink(parent, &name, victim);
	if (!err) {
		if (!S_ISDIR(victim->mode))
			notify_self(victim, IN_ATTRIB);
		inode_changed(victim);
		inode_modified(parent);
		notify_removed(parent, d, victim);
	}
	mutex_unlock(&victim->lock);
	inode_put(victim);
	return err;
}

static int check_unlink(const struct walk *w, const struct dentry *d)
{
	if (!d->inode)
		return -ENOENT;
	if (S_ISDIR(d->inode->mode))
		return -EISDIR;
	return w->slash ? -ENOTDIR : 0;
}

static int check_rmdir(const struct walk *w, const struct dentry *d)
{
	(void)w;
	if (!d->inode)
		return -ENOENT;
	return S_ISDIR(d->inode->mode) ? 0 : -ENOTDIR;
}

static int remove_at(struct walk *w, int (*check)(const struct walk *w, const struct dentry *d))
{
	struct inode *dir = w->at->inode;
	struct dentry *d;
	mutex_lock(&dir->lock);
	int err = walk_last_locked(w, &d);
	if (err < 0) {
		mutex_unlock(&dir->lock);
		return err;
	}
	err = check(w, d);
	if (!err)
		err = remove_locked(w->at, d);
	mutex_unlock(&dir->lock);
	dentry_put(d);
	return err;
}

int vfs_unlink(struct dentry *base, const char *path)
{
	struct walk w;
	int err = walk_parent(&w, base, path);
	if (err < 0)
		return err;
	err = w.last_kind != LAST_NORMAL ? -EISDIR : remove_at(&w, check_unlink);
	walk_end(&w);
	return err;
}

int vfs_rmdir(struct dentry *base, const char *path)
{
	static const int errors[] = {
		[LAST_DOT] = -EINVAL, [LAST_DOT_DOT] = -ENOTEMPTY, [LAST_NONE] = -EBUSY};
	struct walk w;
	int err = walk_parent(&w, base, path);
	if (err < 0)
		return err;
	err = w.last_kind != LAST_NORMAL ? errors[w.last_kind] : remove_at(&w, check_rmdir);
	walk_end(&w);
	return err;
}

/* --- rename(2) ------------------------------------------------------------------------------ */

struct rename {
	struct walk *from, *to;
	struct dentry *old, *new; /* counted, once looked up; new may be negative */
	unsigned flags;
};

/* An ancestor is locked before what is below it; unrelated ones in any order, since nobody else holds two
 * unrelated directories: renames take turns. */
static void lock_directories(struct dentry *a, struct dentry *b)
{
	if (a->inode == b->inode) {
		mutex_lock(&a->inode->lock);
		return;
	}
	bool b_first = dentry_is_below(a, b);
	mutex_lock(b_first ? &b->inode->lock : &a->inode->lock);
	mutex_lock(b_first ? &a->inode->lock : &b->inode->lock);
}

static void unlock_directories(struct dentry *a, struct dentry *b)
{
	mutex_unlock(&a->inode->lock);
	if (a->inode != b->inode)
		mutex_unlock(&b->inode->lock);
}

static int rename_check_names(const struct rename *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;
	if (!r->old->inode)
		return -ENOENT;
	if ((r->flags & RENAME_NOREPLACE) && r->new->inode)
		return -EEXIST;
	if (exchange && !r->new->inode)
		return -ENOENT;
	if (exchange && !S_ISDIR(r->new->inode->mode) && r->to->slash)
		return -ENOTDIR;
	if (!S_ISDIR(r->old->inode->mode) && (r->from->slash || (!exchange && r->to->slash)))
		return -ENOTDIR;
	if (dentry_is_below(r->to->at, r->old))
		return -EINVAL;
	if (r->new->inode && dentry_is_below(r->from->at, r->new))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int rename_check_target(const struct rename *r)
{
	struct inode *dir = r->to->at->inode, *old = r->old->inode, *victim = r->new->inode;
	if (r->to->at->flags & DENTRY_DELETED)
		return -ENOENT;
	if (!victim)
		return inode_may_create(dir);
	int err = inode_may_remove(dir, victim);
	if (err < 0 || (r->flags & RENAME_EXCHANGE))
		return err;
	if (S_ISDIR(old->mode) != S_ISDIR(victim->mode))
		return S_ISDIR(old->mode) ? -ENOTDIR : -EISDIR;
	return 0;
}

static int rename_check(const struct rename *r)
{
	int err = rename_check_names(r);
	if (err < 0)
		return err;
	if (is_mount_root(r->old) || (r->new->inode &&is_mount_root(r->new)))
		return -EBUSY;
	err = inode_may_remove(r->from->at->inode, r->old->inode);
	if (!err)
		err = rename_check_target(r);
	if (!err && S_ISDIR(r->old->inode->mode) && r->from->at != r->to->at)
		err = inode_permission(r->old->inode, W_OK); /* its ".." changes */
	if (!err && !r->from->at->inode->ops->rename)
		err = -EPERM;
	return err;
}

/* The cache follows; if it can not, it forgets, and asks the file system again next time. */
static void rename_dentries(const struct rename *r)
{
	/* A negative one swaps places, too: it knows that the old name is gone. */
	if ((r->flags & RENAME_EXCHANGE) || !r->new->inode) {
		if (dentry_swap(r->old, r->new) == 0)
			return;
	} else {
		if (r->new->inode->watches)
			dentry_drop_children(r->new);
		dentry_forget(r->new);
		if (dentry_move(r->old, r->to->at, &r->to->last) == 0)
			return;
	}
	dentry_forget(r->old);
}

static void notify_move(const struct walk *from, const struct walk *to, struct inode *moved)
{
	uint32_t cookie = notify_cookie();
	notify_name(from->at->inode, &from->last, moved, IN_MOVED_FROM, cookie);
	notify_name(to->at->inode, &to->last, moved, IN_MOVED_TO, cookie);
}

static void rename_notify(const struct rename *r, struct inode *moved, struct inode *victim)
{
	bool exchange = r->flags & RENAME_EXCHANGE;
	notify_move(r->from, r->to, moved);
	if (victim && !exchange)
		notify_self(victim, IN_ATTRIB);
	notify_self(moved, IN_MOVE_SELF);
	if (exchange) {
		notify_move(r->to, r->from, victim);
		notify_self(victim, IN_MOVE_SELF);
	}
}

static int rename_locked(const struct rename *r)
{
	struct inode *from = r->from->at->inode, *to = r->to->at->inode;
	struct inode *moved = r->old->inode, *victim = r->new->inode;
	int err = rename_check(r);
	if (err < 0 || moved == victim)
		return err;
	if (victim == from || victim == to || moved == from || moved == to)
		return -EIO; /* a hostile image: a directory in itself */
	if (victim)
		mutex_lock(&victim->lock);
	err = from->ops->rename(from, &r->from->last, moved, to, &r->to->last, victim, r->flags);
	if (!err) {
		inode_changed(moved);
		inode_modified(from);
		if (to != from)
			inode_modified(to);
		if (victim)
			inode_changed(victim);
	}
	if (victim)
		mutex_unlock(&victim->lock);
	if (!err) {
		rename_dentries(r);
		rename_notify(r, moved, victim);
	}
	return err;
}

static int rename_walked(struct rename *r)
{
	struct walk *from = r->from, *to = r->to;
	if (from->at->inode->super != to->at->inode->super)
		return -EXDEV;
	if (from->last_kind != LAST_NORMAL)
		return -EBUSY;
	if (to->last_kind != LAST_NORMAL)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	mutex_lock(&rename_lock);
	lock_directories(from->at, to->at);
	int err = walk_last_locked(from, &r->old);
	if (!err)
		err = walk_last_locked(to, &r->new);
	if (!err)
		err = rename_locked(r);
	unlock_directories(from->at, to->at);
	mutex_unlock(&rename_lock);
	if (r->old)
		dentry_put(r->old);
	if (r->new)
		dentry_put(r->new);
	return err;
}

int vfs_rename(struct dentry *old_base, const char *old, struct dentry *new_base, const char *new,
	unsigned flags)
{
	struct walk from, to;
	struct rename r = {.from = &from, .to = &to, .flags = flags};
	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
		flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	int err = walk_parent(&from, old_base, old);
	if (err < 0)
		return err;
	err = walk_parent(&to, new_base, new);
	if (!err) {
		err = rename_walked(&r);
		walk_end(&to);
	}
	walk_end(&from);
	return err;
}
