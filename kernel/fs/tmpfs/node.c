/*
 * Inodes in memory: their life, and the pages they are charged for.
 */
#include "abi/linux/errno.h"
#include "abi/linux/statfs.h"
#include "kernel/fs/tmpfs/tmpfs.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

struct inode *node_new(struct super *s, const struct inode_request *request)
{
	struct tmpfs *t = s->private;
	struct inode *i = inode_new(s, atomic_fetch_add(&t->next_number, 1));
	if (!i)
		return NULL;
	struct node *n = node_of(i);
	i->mode = request->mode;
	i->uid = request->uid;
	i->gid = request->gid;
	i->device = request->device;
	i->ops = node_ops(i->mode);
	i->pages.flags = PAGE_CACHE_KEEP; /* nothing beneath to fill them from */
	n->next_position = 2;
	if (S_ISDIR(i->mode))
		i->n_links = 2;
	if (!S_ISLNK(i->mode))
		return i;
	n->target = heap_string(request->target);
	if (!n->target) {
		inode_put(i);
		return NULL;
	}
	inode_set_size(i, strlen(n->target));
	return i;
}

void node_free(struct inode *i)
{
	struct node *n = node_of(i);
	page_cache_truncate(&i->pages, 0);
	node_uncharge(n);
	entries_free(n);
	attributes_free(n);
	heap_free(n->target);
	if (n->lower)
		inode_put(n->lower);
}

void node_pin(struct node *n)
{
	if (!n->lower || n->pinned || !n->inode.n_links)
		return;
	n->pinned = true;
	inode_get(&n->inode);
}

void node_unlinked(struct node *n)
{
	struct inode *i = &n->inode;
	if (S_ISDIR(i->mode))
		i->n_links = 0;
	else if (i->n_links) /* a hostile image may have counted too few */
		i->n_links--;
	if (i->n_links) {
		node_pin(n);
	} else if (n->pinned) { /* the caller has a reference of its own */
		n->pinned = false;
		inode_put(i);
	}
}

static _Atomic uint64_t n_all; /* of all file systems in memory */

uint64_t vfs_memory_pages(void)
{
	return atomic_load(&n_all);
}

int node_charge(struct node *n)
{
	struct tmpfs *t = n->inode.super->private;
	if (atomic_fetch_add(&t->n_used, 1) >= t->limit) {
		atomic_fetch_sub(&t->n_used, 1);
		return -ENOSPC;
	}
	n->n_charged++;
	atomic_fetch_add_explicit(&n_all, 1, memory_order_relaxed);
	return 0;
}

void node_uncharge(struct node *n)
{
	struct tmpfs *t = n->inode.super->private;
	uint64_t left = n->inode.pages.n_pages, charged = n->n_charged;
	if (charged <= left)
		return;
	n->n_charged = left;
	atomic_fetch_sub_explicit(&n_all, charged - left, memory_order_relaxed);
	atomic_fetch_sub(&t->n_used, charged - left);
}

static int node_dirty(struct page_cache *c, struct page *page)
{
	(void)page;
	return node_charge(node_of(inode_of_pages(c)));
}

static const struct page_cache_ops tmpfs_page_ops = {
	.dirty = node_dirty,
	.get = inode_pages_get,
	.put = inode_pages_put,
};

int tmpfs_statfs(struct super *s, struct linux_statfs *out)
{
	struct tmpfs *t = s->private;
	struct memory_usage usage;
	page_usage(&usage);
	uint64_t limit = min(t->limit, usage.total), used = min(t->n_used, limit);
	out->f_type = t->lower ? OVERLAYFS_SUPER_MAGIC : TMPFS_MAGIC;
	out->f_blocks = limit;
	out->f_bfree = out->f_bavail = limit - used;
	out->f_files = usage.total;
	out->f_ffree = usage.free;
	return 0;
}

const struct super_ops tmpfs_super_ops = {.inode_release = node_free, .statfs = tmpfs_statfs};

int tmpfs_make(uint64_t limit_bytes, struct super **out)
{
	struct super *s = super_new(&tmpfs_filesystem, &tmpfs_super_ops);
	struct tmpfs *t = heap_zalloc(sizeof(*t));
	if (!s || !t)
		goto fail;
	t->limit = limit_bytes / PAGE_SIZE;
	t->next_number = 1;
	s->private = t;
	s->page_ops = &tmpfs_page_ops;
	s->page_flags = PAGE_CACHE_KEEP;
	s->inode_size = sizeof(struct node);
	string_copy(s->source, "tmpfs", sizeof(s->source));
	s->root = node_new(s, &(struct inode_request){.mode = S_IFDIR | 01777});
	if (!s->root)
		goto fail;
	*out = s;
	return 0;
fail:
	heap_free(t);
	super_free(s);
	return -ENOMEM;
}

int tmpfs_nameless(struct super *s, const struct inode_request *request, struct inode **out)
{
	*out = node_new(s, request);
	if (!*out)
		return -ENOMEM;
	(*out)->n_links = 0;
	return 0;
}

int tmpfs_plant(struct inode *dir, const char *text, const struct inode_request *request,
	struct inode **out)
{
	size_t len = strlen(text);
	struct name name = {text, (uint32_t)len, name_hash(text, len)};
	struct inode *i = node_new(dir->super, request);
	if (!i)
		return -ENOMEM;
	int err = entry_set(node_of(dir), &name, i, true);
	if (err < 0) {
		inode_put(i);
		return err;
	}
	if (S_ISDIR(i->mode) && !node_of(dir)->lower)
		dir->n_links++;
	*out = i;
	return 0;
}

/* Half of the memory, as Linux does. */
static int tmpfs_mount(struct block_device *device, unsigned flags, struct super **out)
{
	(void)device, (void)flags;
	struct memory_usage usage;
	page_usage(&usage);
	return tmpfs_make(usage.total * PAGE_SIZE / 2, out);
}

const struct filesystem tmpfs_filesystem = {.name = "tmpfs", .mount = tmpfs_mount};
