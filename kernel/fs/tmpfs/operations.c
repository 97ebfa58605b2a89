/*
 * inode_ops of the tree in memory.  What lies beneath a directory or file, if anything does, is overlay.c's.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/lib/string.h"

/* Positions of own entries follow those of the lower directory. */
#define OWN_POSITIONS (1ull << 61)

static int node_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
	struct node *d = node_of(dir);
	struct entry *e = entry_find(d, name);
	if (!e)
		return d->lower ? overlay_lookup(d, name, out) : -ENOENT;
	if (!e->inode)
		return -ENOENT;
	inode_get(e->inode);
	*out = e->inode;
	return 0;
}

static int compare_position(const void *key, const struct tree_node *node)
{
	uint64_t wanted = *(const uint64_t *)key;
	const struct entry *e = container_of(node, struct entry, by_position);
	return wanted < e->position ? -1 : wanted > e->position;
}

static void list_own(struct node *dir, uint64_t *position, struct directory_sink *sink)
{
	uint64_t from = *position - OWN_POSITIONS;
	struct tree_node *at = tree_find_from(&dir->by_position, &from, compare_position);
	for (; at; at = tree_next(at)) {
		struct entry *e = container_of(at, struct entry, by_position);
		*position = OWN_POSITIONS + e->position;
		if (e->inode && !sink->add(sink, e->text, e->len, e->inode->number,
					inode_entry_type(e->inode->mode), *position + 1))
			return;
		*position = OWN_POSITIONS + e->position + 1;
	}
}

static int node_list(struct inode *dir, uint64_t *position, struct directory_sink *sink)
{
	struct node *d = node_of(dir);
	if (*position < OWN_POSITIONS) {
		bool done = true;
		int err = d->lower ? overlay_list(d, position, sink, &done) : 0;
		if (err < 0 || !done)
			return err;
		*position = OWN_POSITIONS;
	}
	list_own(d, position, sink);
	return 0;
}

static int node_create(struct inode *dir, const struct name *name,
	const struct inode_request *request, struct inode **out)
{
	struct inode *i = node_new(dir->super, request);
	if (!i)
		return -ENOMEM;
	int err = entry_set(node_of(dir), name, i, false);
	if (err < 0) {
		inode_put(i);
		return err;
	}
	if (S_ISDIR(i->mode))
		dir->n_links++;
	*out = i;
	return 0;
}

static int node_link(struct inode *dir, const struct name *name, struct inode *inode)
{
	int err = entry_set(node_of(dir), name, inode, false);
	if (err < 0)
		return err;
	inode->n_links++;
	node_pin(node_of(inode));
	return 0;
}

static int check_empty(struct node *dir)
{
	for (struct tree_node *at = tree_first(&dir->by_position); at; at = tree_next(at))
		if (container_of(at, struct entry, by_position)->inode)
			return -ENOTEMPTY;
	return dir->lower ? overlay_check_empty(dir) : 0;
}

static int node_unlink(struct inode *dir, const struct name *name, struct inode *inode)
{
	struct node *d = node_of(dir), *n = node_of(inode);
	int err = S_ISDIR(inode->mode) ? check_empty(n) : 0;
	if (err < 0)
		return err;
	/* No entry: the name is below, and a whiteout shall hide it. */
	struct entry *e = entry_prepare(d, name, true);
	if (!e)
		return -ENOMEM;
	if (S_ISDIR(inode->mode))
		dir->n_links--;
	node_unlinked(n);
	entry_remove(d, e);
	return 0;
}

/* After a rename: directories' link counts, of parents and victim. */
static void rename_count_links(struct inode *from, struct inode *moved, struct inode *to,
	struct inode *victim, bool exchange)
{
	if (S_ISDIR(moved->mode) && from != to) {
		from->n_links--;
		to->n_links++;
	}
	if (!victim)
		return;
	if (exchange) {
		if (S_ISDIR(victim->mode) && from != to) {
			to->n_links--;
			from->n_links++;
		}
		return;
	}
	if (S_ISDIR(victim->mode))
		to->n_links--;
	node_unlinked(node_of(victim));
}

static int node_rename(struct inode *from, const struct name *old_name, struct inode *moved,
	struct inode *to, const struct name *new_name, struct inode *victim, unsigned flags)
{
	bool exchange = flags & RENAME_EXCHANGE;
	int err = victim && !exchange && S_ISDIR(victim->mode) ? check_empty(node_of(victim)) : 0;
	if (err < 0)
		return err;
	struct entry *old = entry_prepare(node_of(from), old_name, true);
	struct entry *new = entry_prepare(node_of(to), new_name, victim != NULL);
	if (!old || !new) {
		if (old)
			entry_discard(node_of(from), old);
		if (new)
			entry_discard(node_of(to), new);
		return -ENOMEM;
	}
	rename_count_links(from, moved, to, victim, exchange);
	/* Both inodes are held by the caller while the entries change hands. */
	entry_commit(node_of(to), new, moved);
	if (exchange)
		entry_commit(node_of(from), old, victim);
	else
		entry_remove(node_of(from), old);
	node_pin(node_of(moved));
	return 0;
}

static int node_create_nameless(
	struct inode *dir, const struct inode_request *request, struct inode **out)
{
	return tmpfs_nameless(dir->super, request, out);
}

static long node_readlink(struct inode *i, char *buf, size_t size)
{
	struct node *n = node_of(i);
	if (!n->target)
		return n->lower->ops->readlink ? n->lower->ops->readlink(n->lower, buf, size)
					       : -EINVAL;
	size_t len = min(strlen(n->target), size);
	memcpy(buf, n->target, len);
	return (long)len;
}

static int node_change(struct inode *i, const struct inode_change *change)
{
	inode_apply(i, change);
	node_pin(node_of(i));
	return 0;
}

static int node_truncate(struct inode *i, uint64_t size)
{
	struct node *n = node_of(i);
	n->lower_size = min(n->lower_size, size);
	bool shrinks = size < inode_size(i);
	inode_set_size(i, size);
	if (shrinks) { /* now and not by the caller, so that their room is free at once */
		unmap_pages(&i->pages, size);
		page_cache_truncate(&i->pages, size);
		node_uncharge(n);
	}
	return 0;
}

static int node_zero(struct node *n, uint64_t offset, uint64_t end)
{
	if (n->lower_size > offset)
		return overlay_punch(n, offset, end);
	page_cache_punch(&n->inode.pages, offset, end);
	node_uncharge(n);
	return 0;
}

/* Nothing is set aside beforehand, but what can never fit is refused. */
static int node_allocate(struct inode *i, int mode, uint64_t offset, uint64_t len)
{
	struct node *n = node_of(i);
	struct tmpfs *t = i->super->private;
	uint64_t end = offset + len;
	if (mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE))
		return -EOPNOTSUPP;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		uint64_t size = inode_size(i);
		return offset < size ? node_zero(n, offset, min(end, size)) : 0;
	}
	uint64_t free = t->limit - min(t->n_used, t->limit);
	uint64_t have = i->pages.n_pages, want = div_round_up(len, PAGE_SIZE);
	return want > have && want - have > free ? -ENOSPC : 0;
}

/* With something beneath there is data up to lower_size, whatever the holes there. */
static int64_t node_seek(struct inode *i, uint64_t offset, int whence)
{
	struct node *n = node_of(i);
	uint64_t size = inode_size(i), index = offset / PAGE_SIZE;
	if (n->lower)
		return whence == SEEK_DATA ? (int64_t)offset : (int64_t)size;
	if (whence == SEEK_DATA) {
		uint64_t next = page_cache_next(&i->pages, index);
		if (next > (size - 1) / PAGE_SIZE)
			return -ENXIO;
		return (int64_t)max(offset, next * PAGE_SIZE);
	}
	while (index * PAGE_SIZE < size && page_cache_next(&i->pages, index) == index)
		index++;
	return (int64_t)min(max(offset, index * PAGE_SIZE), size);
}

static void node_read_ahead(struct inode *i, uint64_t first, unsigned n)
{
	struct inode *lower = node_of(i)->lower;
	if (lower && lower->ops->read_ahead)
		lower->ops->read_ahead(lower, first, n);
}

static void node_stat(struct inode *i, struct linux_stat *out)
{
	if (S_ISREG(i->mode) && i->data == &i->pages)
		out->st_blocks = (int64_t)(i->pages.n_pages * (PAGE_SIZE / 512));
	if (S_ISDIR(i->mode) && !node_of(i)->lower)
		out->st_size = 40;
}

const struct inode_ops node_directory_ops = {
	.lookup = node_lookup,
	.list = node_list,
	.create = node_create,
	.link = node_link,
	.unlink = node_unlink,
	.rename = node_rename,
	.create_nameless = node_create_nameless,
	.change = node_change,
	.stat = node_stat,
	.xattr_get = node_xattr_get,
	.xattr_set = node_xattr_set,
	.xattr_list = node_xattr_list,
};

const struct inode_ops node_file_ops = {
	.change = node_change,
	.truncate = node_truncate,
	.allocate = node_allocate,
	.prepare_write = overlay_prepare_write,
	.seek = node_seek,
	.read_ahead = node_read_ahead,
	.stat = node_stat,
	.xattr_get = node_xattr_get,
	.xattr_set = node_xattr_set,
	.xattr_list = node_xattr_list,
};

const struct inode_ops node_link_ops = {
	.readlink = node_readlink,
	.change = node_change,
	.xattr_get = node_xattr_get,
	.xattr_set = node_xattr_set,
	.xattr_list = node_xattr_list,
};

const struct inode_ops node_other_ops = {
	.change = node_change,
	.xattr_get = node_xattr_get,
	.xattr_set = node_xattr_set,
	.xattr_list = node_xattr_list,
};

const struct inode_ops *node_ops(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return &node_directory_ops;
	case S_IFREG:
		return &node_file_ops;
	case S_IFLNK:
		return &node_link_ops;
	}
	return &node_other_ops;
}
