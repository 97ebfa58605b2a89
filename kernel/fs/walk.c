/*
 * The walk along a path: path_resolution(7).
 *
 * walk_to_parent() consumes all components but the last, following symbolic links; what happens to the last one depends on
 * who asks, so that is in their hands: walk_last(), then walk_follow() and once more from the start of the loop, or
 * the end.  A link's target is put before what is left of the path, so there is no recursion.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

static void (*missing_hook)(const char *path);

void vfs_set_missing_hook(void (*missing)(const char *path))
{
	missing_hook = missing;
}

void missing_path(const char *path)
{
	if (missing_hook)
		missing_hook(path);
}

static struct dentry *take(struct dentry *const *where)
{
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *d = *where;
	dentry_get(d);
	spin_unlock(&dentry_lock, state);
	return d;
}

struct dentry *vfs_root(void)
{
	return take(&root_dentry);
}

struct dentry *vfs_working(void)
{
	return take(&working_dentry);
}

int walk_start(struct walk *w, struct dentry *base, const char *path, unsigned flags)
{
	if (!*path && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	*w = (struct walk){.rest = path};
	if (*path == '/') {
		w->at = vfs_root();
	} else if (base) {
		dentry_get(base);
		w->at = base;
	} else {
		w->at = vfs_working();
	}
	return 0;
}

void walk_end(struct walk *w)
{
	dentry_put(w->at);
	if (w->top)
		dentry_put(w->top);
	heap_free(w->buffer);
}

void walk_restrict(struct walk *w, unsigned resolve)
{
	w->resolve = resolve;
	dentry_get(w->at);
	w->top = w->at;
}

/* RESOLVE_NO_XDEV: d is on another mount than where we are. */
static bool leaves_mount(const struct walk *w, struct dentry *d)
{
	return unlikely(w->resolve & RESOLVE_NO_XDEV) && dentry_super(d) != dentry_super(w->at);
}

/* w->at is to be searched: is it a directory, and may we? */
static int walk_check_directory(struct walk *w)
{
	struct inode *dir = w->at->inode;
	if (!dir)
		return -ENOENT;
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	return inode_permission(dir, X_OK);
}

static int walk_up(struct walk *w)
{
	struct dentry *old = w->at;
	if (unlikely(w->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) && old == w->top)
		return w->resolve & RESOLVE_BENEATH ? -EXDEV : 0;
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *d = old;
	/* Out of what is mounted here, but never above the process's root. */
	while (d != root_dentry && d->parent == d && dentry_super(d)->covers)
		d = dentry_super(d)->covers;
	if (d != root_dentry)
		d = d->parent;
	dentry_get(d);
	spin_unlock(&dentry_lock, state);
	d = dentry_cross(d);
	if (leaves_mount(w, d)) {
		dentry_put(d);
		return -EXDEV;
	}
	w->at = d;
	dentry_put(old);
	return 0;
}

/* Ask the file system.  The directory's lock is held. */
static int walk_lookup(struct dentry *parent, const struct name *name, struct dentry **out)
{
	struct inode *dir = parent->inode, *found = NULL;
	if (parent->flags & DENTRY_DELETED)
		return -ENOENT;
	int err = dir->ops->lookup ? dir->ops->lookup(dir, name, &found) : -ENOTDIR;
	if (err < 0 && err != -ENOENT)
		return err;
	unsigned hashed = dir->flags & INODE_UNCACHED ? 0 : DENTRY_HASHED;
	err = dentry_new(parent, name, found, hashed, out);
	if (err < 0 && found)
		inode_put(found);
	return err;
}

static int child_locked(struct dentry *parent, const struct name *name, struct dentry **out)
{
	struct dentry *d = dentry_find(parent, name);
	if (!d) {
		int err = walk_lookup(parent, name, &d);
		if (err < 0)
			return err;
	}
	*out = dentry_cross(d);
	return 0;
}

static int child(struct dentry *parent, const struct name *name, struct dentry **out)
{
	struct dentry *d = dentry_find(parent, name);
	if (likely(d)) {
		*out = dentry_cross(d);
		return 0;
	}
	mutex_lock(&parent->inode->lock);
	int err = child_locked(parent, name, out);
	mutex_unlock(&parent->inode->lock);
	return err;
}

/* Split the next component off w->rest; LAST_NONE: there is none. */
static int walk_component(struct walk *w, struct name *name, enum last_kind *kind)
{
	const char *s = skip_slashes(w->rest), *end = name_parse(s, name);
	if (end - s > NAME_MAX)
		return -ENAMETOOLONG;
	*kind = LAST_NORMAL;
	if (s == end)
		*kind = LAST_NONE;
	else if (s[0] == '.' && name->len == 1)
		*kind = LAST_DOT;
	else if (s[0] == '.' && s[1] == '.' && name->len == 2)
		*kind = LAST_DOT_DOT;
	w->rest = skip_slashes(end);
	if (s != end) /* else the slash of the last component still stands */
		w->slash = w->rest != end;
	return 0;
}

/* Link target of d before the rest of the path. */
static int walk_push_target(struct walk *w, struct inode *link)
{
	char *old = w->buffer;
	size_t rest_len = strlen(w->rest);
	if (!link->ops->readlink)
		return -EINVAL;
	char *buffer = heap_alloc(2 * PATH_MAX);
	if (!buffer)
		return -ENOMEM;
	long len = link->ops->readlink(link, buffer, PATH_MAX);
	if (len <= 0 || (size_t)len + 1 + rest_len >= 2 * PATH_MAX) {
		heap_free(buffer);
		return len < 0 ? (int)len : len == 0 ? -ENOENT : -ENAMETOOLONG;
	}
	/* The slash behind the link says that it leads to a directory. */
	if (w->slash)
		buffer[len++] = '/';
	memcpy(buffer + len, w->rest, rest_len + 1);
	heap_free(old);
	w->buffer = buffer;
	w->rest = buffer;
	return 0;
}

/* Rules of openat2(2) for symbolic links. */
static int walk_may_follow(const struct walk *w, const struct inode *link)
{
	if (w->resolve & RESOLVE_NO_SYMLINKS)
		return -ELOOP;
	if (!link->ops->jump)
		return 0;
	if (w->resolve & RESOLVE_NO_MAGICLINKS)
		return -ELOOP;
	return w->resolve & ~RESOLVE_CACHED ? -EXDEV : 0;
}

/* Where a path that starts with a slash starts. */
static int walk_absolute(const struct walk *w, struct dentry **to)
{
	if (w->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if (w->resolve & RESOLVE_IN_ROOT) {
		dentry_get(w->top);
		*to = w->top;
		return 0;
	}
	*to = vfs_root();
	if (!leaves_mount(w, *to))
		return 0;
	dentry_put(*to);
	*to = NULL;
	return -EXDEV;
}

int walk_follow(struct walk *w, struct dentry *d)
{
	struct inode *link = d->inode;
	struct dentry *to = NULL;
	int err = ++w->n_links > LINKS_MAX ? -ELOOP : 0;
	if (!err && unlikely(w->resolve))
		err = walk_may_follow(w, link);
	if (!err && link->ops->jump) {
		err = link->ops->jump(link, &to);
	} else if (!err) {
		err = walk_push_target(w, link);
		if (!err && *w->rest == '/')
			err = walk_absolute(w, &to);
	}
	dentry_put(d);
	if (to) {
		dentry_put(w->at);
		w->at = dentry_cross(to);
	}
	return err;
}

/* Enter a component that is not the last. */
static int walk_enter(struct walk *w, const struct name *name)
{
	struct dentry *d;
	int err = child(w->at, name, &d);
	if (err < 0)
		return err;
	if (!d->inode || leaves_mount(w, d)) {
		err = d->inode ? -EXDEV : -ENOENT;
		dentry_put(d);
		return err;
	}
	if (S_ISLNK(d->inode->mode))
		return walk_follow(w, d);
	dentry_put(w->at);
	w->at = d;
	return 0;
}

int walk_to_parent(struct walk *w)
{
	if (!w->resolve && dentry_descend(&w->at, &w->rest, fs_credentials()->override, &w->last)) {
		w->last_kind = LAST_NORMAL;
		w->slash = *w->rest == '/';
		w->rest = skip_slashes(w->rest);
		return 0;
	}
	for (;;) {
		struct name name;
		int err = walk_component(w, &name, &w->last_kind);
		if (err < 0)
			return err;
		if (w->last_kind == LAST_NONE)
			return 0;
		err = walk_check_directory(w);
		if (err < 0)
			return err;
		if (!*w->rest) {
			w->last = name;
			return 0;
		}
		if (w->last_kind == LAST_DOT_DOT)
			err = walk_up(w);
		else if (w->last_kind == LAST_NORMAL)
			err = walk_enter(w, &name);
		if (err < 0)
			return err;
	}
}

int walk_last(struct walk *w, struct dentry **out)
{
	int err = 0;
	if (w->last_kind == LAST_NORMAL) {
		err = child(w->at, &w->last, out);
		if (!err && leaves_mount(w, *out)) {
			dentry_put(*out);
			err = -EXDEV;
		}
		return err;
	}
	if (w->last_kind == LAST_DOT_DOT)
		err = walk_up(w);
	if (err < 0)
		return err;
	dentry_get(w->at);
	*out = w->at;
	return 0;
}

int walk_last_locked(struct walk *w, struct dentry **out)
{
	assert(w->last_kind == LAST_NORMAL);
	return child_locked(w->at, &w->last, out);
}

/* To the end of the path; the result may be negative. */
static int walk_to_end(struct walk *w, unsigned flags, struct dentry **out)
{
	for (;;) {
		int err = walk_to_parent(w);
		if (err < 0)
			return err;
		err = walk_last(w, out);
		if (err < 0)
			return err;
		struct inode *i = (*out)->inode;
		if (!i || !S_ISLNK(i->mode) || ((flags & LOOKUP_NO_FOLLOW) && !w->slash))
			return 0;
		err = walk_follow(w, *out);
		if (err < 0)
			return err;
	}
}

static int check_found(struct dentry *d, bool directory)
{
	if (!d->inode)
		return -ENOENT;
	return directory && !S_ISDIR(d->inode->mode) ? -ENOTDIR : 0;
}

int vfs_lookup(struct dentry *base, const char *path, unsigned flags, struct dentry **out)
{
	struct walk w;
	struct dentry *d;
	int err = walk_start(&w, base, path, flags);
	if (err < 0)
		return err;
	err = walk_to_end(&w, flags, &d);
	if (!err) {
		err = check_found(d, (flags & LOOKUP_DIRECTORY) || w.slash);
		if (err < 0)
			dentry_put(d);
		else
			*out = d;
	}
	walk_end(&w);
	if (err == -ENOENT)
		missing_path(path);
	return err;
}
