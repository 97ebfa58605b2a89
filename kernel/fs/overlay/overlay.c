/*
 * The overlay: what is beneath a node of the tree in memory.  See kernel/fs/tmpfs/tmpfs.h for how the two fit.
 *
 * The lower tree is read-only; its inodes' locks are taken inside those of the nodes above them.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

/* Numbers of inodes without anything beneath: above all that a lower file system uses. */
#define OWN_NUMBERS (1ull << 32)

/* A node for the lower inode of that number. */
static int overlay_read(struct inode *i)
{
	struct tmpfs *t = i->super->private;
	struct node *n = node_of(i);
	struct inode *lower;
	int err = inode_by_number(t->lower, i->number, &lower);
	if (err < 0)
		return err;
	n->lower = lower;
	i->flags |= INODE_LOWER;
	n->next_position = 2;
	i->mode = lower->mode;
	i->uid = lower->uid;
	i->gid = lower->gid;
	i->n_links = lower->n_links;
	i->device = lower->device;
	i->n_blocks = lower->n_blocks;
	i->accessed = lower->accessed;
	i->modified = lower->modified;
	i->changed = lower->changed;
	i->born = lower->born;
	i->ops = node_ops(i->mode);
	i->data = lower->data; /* until prepare_write */
	return 0;
}

int overlay_lookup(struct node *dir, const struct name *name, struct inode **out)
{
	struct inode *lower = dir->lower, *found;
	if (!lower->ops->lookup)
		return -ENOTDIR;
	mutex_lock(&lower->lock);
	int err = lower->ops->lookup(lower, name, &found);
	mutex_unlock(&lower->lock);
	if (err < 0)
		return err;
	err = inode_by_number(dir->inode.super, found->number, out);
	inode_put(found);
	return err;
}

/* Hands on what no entry above hides. */
struct overlay_sink {
	struct directory_sink sink; /* first */
	struct directory_sink *to;
	struct node *dir;
	bool refused, found;
};

static bool hides(struct node *dir, const char *text, size_t len)
{
	if (!dir->by_name.root)
		return false;
	struct name name = {text, (uint32_t)len, name_hash(text, len)};
	return entry_find(dir, &name);
}

static bool overlay_add(struct directory_sink *s, const char *text, size_t len, uint64_t ino,
	uint8_t type, uint64_t next)
{
	struct overlay_sink *o = (struct overlay_sink *)s;
	if (hides(o->dir, text, len))
		return true;
	o->found = true;
	if (o->to && !o->to->add(o->to, text, len, ino, type, next))
		o->refused = true;
	return o->to && !o->refused;
}

static int overlay_walk(struct overlay_sink *o, uint64_t *position)
{
	struct inode *lower = o->dir->lower;
	if (!lower->ops->list)
		return -ENOTDIR;
	mutex_lock(&lower->lock);
	int err = lower->ops->list(lower, position, &o->sink);
	mutex_unlock(&lower->lock);
	return err;
}

int overlay_list(struct node *dir, uint64_t *position, struct directory_sink *sink, bool *done)
{
	struct overlay_sink o = {.sink = {overlay_add}, .to = sink, .dir = dir};
	int err = overlay_walk(&o, position);
	*done = !o.refused;
	return err;
}

int overlay_check_empty(struct node *dir)
{
	struct overlay_sink o = {.sink = {overlay_add}, .dir = dir};
	uint64_t position = 2;
	int err = overlay_walk(&o, &position);
	return err < 0 ? err : o.found ? -ENOTEMPTY : 0;
}

/* Inode locked.  From now on the node has pages of its own. */
int overlay_prepare_write(struct inode *i)
{
	struct node *n = node_of(i);
	if (!n->lower || i->data == &i->pages)
		return 0;
	n->lower_size = inode_size(i);
	i->pages.size = n->lower_size;
	node_pin(n);
	i->flags &= (uint8_t)~INODE_LOWER;
	atomic_thread_fence(memory_order_release); /* readers take no lock */
	i->data = &i->pages;
	return 0;
}

static int overlay_fill(struct page_cache *c, struct page *page)
{
	struct node *n = node_of(inode_of_pages(c));
	char *to = page_address(page);
	uint64_t offset = page->index * PAGE_SIZE, shows = n->lower_size;
	uint64_t len = offset < shows ? min(shows - offset, PAGE_SIZE) : 0;
	memset(to + len, 0, PAGE_SIZE - len);
	return len ? page_cache_read(n->lower->data, offset, to, len) : 0;
}

static int overlay_dirty(struct page_cache *c, struct page *page)
{
	(void)page;
	return node_charge(node_of(inode_of_pages(c)));
}

static const struct page_cache_ops overlay_page_ops = {
	.fill = overlay_fill,
	.dirty = overlay_dirty,
	.get = inode_pages_get,
	.put = inode_pages_put,
};

/* Where the lower file would show through a hole, zeroes must be kept. */
static int clear_page(struct page_cache *c, uint64_t index, size_t from, size_t to)
{
	struct page *page;
	int err = page_cache_get(c, index, &page);
	if (err < 0)
		return err;
	err = page_cache_dirty(c, page);
	if (!err)
		memset((char *)page_address(page) + from, 0, to - from);
	page_put(page);
	return err;
}

int overlay_punch(struct node *n, uint64_t start, uint64_t end)
{
	struct page_cache *c = &n->inode.pages;
	if (end >= n->lower_size) { /* nothing shows behind it: no need for pages there */
		uint64_t rest = max(start, align_up(n->lower_size, PAGE_SIZE));
		if (end > rest)
			page_cache_punch(c, rest, end);
		end = min(end, rest);
	}
	while (start < end) {
		uint64_t in_page = start % PAGE_SIZE, stop = min(end - start + in_page, PAGE_SIZE);
		int err = clear_page(c, start / PAGE_SIZE, in_page, stop);
		if (err < 0)
			return err;
		start += stop - in_page;
	}
	return 0;
}

static const struct super_ops overlay_super_ops = {
	.inode_read = overlay_read,
	.inode_release = node_free,
	.statfs = tmpfs_statfs,
};

int overlay_make(struct super *lower, struct super **out)
{
	struct super *s = super_new(&overlay_filesystem, &overlay_super_ops);
	struct tmpfs *t = heap_zalloc(sizeof(*t));
	struct memory_usage usage;
	int err = -ENOMEM;
	if (!s || !t)
		goto fail;
	page_usage(&usage);
	t->limit = usage.total / 2;
	t->next_number = OWN_NUMBERS;
	t->lower = lower;
	s->private = t;
	s->page_ops = &overlay_page_ops;
	s->inode_size = sizeof(struct node);
	s->max_file_size = INT64_MAX & ~(PAGE_SIZE - 1);
	string_copy(s->source, "overlay", sizeof(s->source));
	err = inode_by_number(s, lower->root->number, &s->root);
	if (err < 0)
		goto fail;
	*out = s;
	return 0;
fail:
	heap_free(t);
	super_free(s);
	return err;
}

const struct filesystem overlay_filesystem = {.name = "overlay"};
