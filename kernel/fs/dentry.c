/*
 * The cache of names.  A child counts as a reference on its parent, so only leaves are ever unused; unused ones wait in a
 * list, oldest first, and go when there are more than the machine's memory warrants.
 *
 * Everything is under dentry_lock, held for a few instructions; a count of 1 drops to 0 only under it.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/notify.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define BUCKETS 512u
#define EVICT_AT_ONCE 8u

struct spinlock dentry_lock;

static struct {
	/* under dentry_lock: */
	struct list buckets[BUCKETS];
	struct list unused;
	unsigned n_dentries, limit;
} cache;

void dentry_cache_init(void)
{
	for (unsigned n = 0; n < BUCKETS; n++)
		list_init(&cache.buckets[n]);
	list_init(&cache.unused);
	struct memory_usage usage;
	page_usage(&usage);
	cache.limit = (unsigned)min(max(usage.total / 8, (uint64_t)512), (uint64_t)65536);
}

uint32_t name_hash(const char *text, size_t len)
{
	uint32_t hash = NAME_HASH_START;
	for (size_t n = 0; n < len; n++)
		hash = name_hash_step(hash, (uint8_t)text[n]);
	return hash;
}

static struct list *dentry_bucket(const struct dentry *parent, uint32_t hash)
{
	uint32_t key = (hash ^ (uint32_t)((uintptr_t)parent >> 6)) * 0x9e3779b1u;
	return &cache.buckets[key >> 23];
}

void dentry_get(struct dentry *d)
{
	atomic_fetch_add_explicit(&d->references, 1, memory_order_relaxed);
}

/* Like memcmp() == 0, in line: names are short, and there are many. */
static inline bool same_text(const char *a, const char *b, uint32_t len)
{
	for (; len >= 8; a += 8, b += 8, len -= 8) {
		uint64_t x, y;
		__builtin_memcpy(&x, a, 8);
		__builtin_memcpy(&y, b, 8);
		if (x != y)
			return false;
	}
	for (; len; len--)
		if (*a++ != *b++)
			return false;
	return true;
}

/* Under the lock. */
static struct dentry *cache_find(struct dentry *parent, const struct name *name)
{
	struct dentry *d;
	list_for_each (d, dentry_bucket(parent, name->hash), hash_link)
		if (d->hash == name->hash && d->parent == parent && d->name_len == name->len &&
			same_text(d->name, name->text, name->len))
			return d;
	return NULL;
}

struct dentry *dentry_find(struct dentry *parent, const struct name *name)
{
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *d = cache_find(parent, name);
	if (d)
		dentry_get(d);
	spin_unlock(&dentry_lock, state);
	return d;
}

static bool is_plain(const struct name *name)
{
	return name->len && name->len <= NAME_MAX && (name->text[0] != '.' || name->len > 2);
}

static bool is_searchable(const struct inode *i, bool privileged)
{
	return i && S_ISDIR(i->mode) && (privileged || (i->mode & 0111) == 0111);
}

bool dentry_descend(struct dentry **from, const char **path, bool privileged, struct name *last)
{
	bool at_last = false;
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *at = *from;
	while (is_searchable(at->inode, privileged)) {
		const char *end = name_parse(skip_slashes(*path), last), *rest = skip_slashes(end);
		if (!is_plain(last))
			break;
		at_last = !*rest;
		if (at_last) {
			*path = end;
			break;
		}
		struct dentry *child = cache_find(at, last);
		while (child && child->mounted)
			child = child->mounted->root_dentry;
		if (!child || !child->inode || !S_ISDIR(child->inode->mode))
			break;
		at = child;
		*path = rest;
	}
	if (at == *from)
		at = NULL;
	else
		dentry_get(at);
	spin_unlock(&dentry_lock, state);
	if (at) {
		dentry_put(*from);
		*from = at;
	}
	return at_last;
}

/* Under the lock. */
static void dentry_unhash(struct dentry *d)
{
	if (d->flags & DENTRY_HASHED)
		list_remove(&d->hash_link);
	d->flags &= ~DENTRY_HASHED;
}

static void dentry_hash(struct dentry *d)
{
	list_push_front(dentry_bucket(d->parent, d->hash), &d->hash_link);
	d->flags |= DENTRY_HASHED;
}

/* Under the lock: out of all lists; the caller frees it afterwards. */
static void dentry_detach(struct dentry *d)
{
	dentry_unhash(d);
	if (d->flags & DENTRY_UNUSED)
		list_remove(&d->unused_link);
	cache.n_dentries--;
}

/* Memory and references of a detached one; its parent, whose reference is now the caller's to put. */
static struct dentry *dentry_free(struct dentry *d)
{
	struct dentry *parent = d->parent == d ? NULL : d->parent;
	if (d->inode) {
		notify_gone(d->inode);
		inode_put(d->inode);
	}
	if (d->name != d->inline_name)
		heap_free(d->name);
	heap_free(d);
	return parent;
}

/* Under the lock, the count is 0: keep it among the unused, or detach it (true). */
static bool dentry_retire(struct dentry *d)
{
	if (!(d->flags & DENTRY_HASHED)) {
		dentry_detach(d);
		return true;
	}
	list_remove(&d->unused_link); /* from an earlier time, perhaps */
	list_push_back(&cache.unused, &d->unused_link);
	d->flags |= DENTRY_UNUSED;
	return false;
}

void dentry_put(struct dentry *d)
{
	while (d) {
		unsigned n = atomic_load_explicit(&d->references, memory_order_relaxed);
		while (n > 1)
			if (atomic_compare_exchange_weak_explicit(&d->references, &n, n - 1,
				    memory_order_acq_rel, memory_order_relaxed))
				return;
		irq_state state = spin_lock(&dentry_lock);
		bool gone = atomic_fetch_sub(&d->references, 1) == 1 && dentry_retire(d);
		spin_unlock(&dentry_lock, state);
		if (!gone)
			return;
		d = dentry_free(d);
	}
}

/* The oldest unused one, detached; NULL when there are not too many. */
static struct dentry *cache_take_oldest(void)
{
	struct dentry *victim = NULL;
	irq_state state = spin_lock(&dentry_lock);
	while (!victim && cache.n_dentries > cache.limit && !list_empty(&cache.unused)) {
		struct dentry *d = list_first(&cache.unused, struct dentry, unused_link);
		list_remove(&d->unused_link);
		d->flags &= ~DENTRY_UNUSED;
		if (!d->references) { /* else taken up again meanwhile */
			dentry_detach(d);
			victim = d;
		}
	}
	spin_unlock(&dentry_lock, state);
	return victim;
}

static void cache_evict(void)
{
	for (unsigned n = 0; n < EVICT_AT_ONCE; n++) {
		struct dentry *d = cache_take_oldest();
		if (!d)
			return;
		struct dentry *parent = dentry_free(d);
		if (parent)
			dentry_put(parent);
	}
}

/* An unused child of parent, detached; NULL. */
static struct dentry *cache_take_child(struct dentry *parent)
{
	struct dentry *d, *victim = NULL;
	irq_state state = spin_lock(&dentry_lock);
	list_for_each (d, &cache.unused, unused_link)
		if (d->parent == parent && !d->references) {
			dentry_detach(d);
			victim = d;
			break;
		}
	spin_unlock(&dentry_lock, state);
	return victim;
}

void dentry_drop_children(struct dentry *parent)
{
	struct dentry *d;
	while ((d = cache_take_child(parent)))
		if (dentry_free(d))
			dentry_put(parent);
}

static int dentry_set_name(struct dentry *d, const struct name *name)
{
	char *text = d->inline_name;
	if (name->len >= sizeof(d->inline_name)) {
		text = heap_alloc(name->len + 1);
		if (!text)
			return -ENOMEM;
	}
	memcpy(text, name->text, name->len);
	text[name->len] = 0;
	d->name = text;
	d->name_len = name->len;
	d->hash = name->hash;
	return 0;
}

static int dentry_make(const struct name *name, struct inode *inode, struct dentry **out)
{
	struct dentry *d = heap_zalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	int err = dentry_set_name(d, name);
	if (err < 0) {
		heap_free(d);
		return err;
	}
	d->references = 1;
	d->inode = inode;
	d->parent = d;
	list_init(&d->hash_link);
	list_init(&d->unused_link);
	*out = d;
	return 0;
}

int dentry_new(struct dentry *parent, const struct name *name, struct inode *inode, unsigned flags,
	struct dentry **out)
{
	struct dentry *d;
	int err = dentry_make(name, inode, &d);
	if (err < 0)
		return err;
	dentry_get(parent);
	d->parent = parent;
	d->flags = flags & ~DENTRY_HASHED;
	irq_state state = spin_lock(&dentry_lock);
	if (flags & DENTRY_HASHED)
		dentry_hash(d);
	bool many = ++cache.n_dentries > cache.limit;
	spin_unlock(&dentry_lock, state);
	if (many)
		cache_evict();
	*out = d;
	return 0;
}

int dentry_new_nameless(const struct name *shown, struct inode *inode, struct dentry **out)
{
	int err = dentry_make(shown, inode, out);
	if (err < 0)
		return err;
	(*out)->flags = DENTRY_NAMELESS;
	irq_state state = spin_lock(&dentry_lock);
	cache.n_dentries++;
	spin_unlock(&dentry_lock, state);
	return 0;
}

int dentry_new_root(struct inode *inode, struct dentry **out)
{
	struct name name = {"/", 1, 0};
	int err = dentry_new_nameless(&name, inode, out);
	if (!err)
		(*out)->flags = 0;
	return err;
}

void dentry_fill(struct dentry *d, struct inode *inode)
{
	irq_state state = spin_lock(&dentry_lock);
	assert(!d->inode);
	d->inode = inode;
	spin_unlock(&dentry_lock, state);
}

void dentry_forget(struct dentry *d)
{
	irq_state state = spin_lock(&dentry_lock);
	dentry_unhash(d);
	d->flags |= DENTRY_DELETED;
	spin_unlock(&dentry_lock, state);
}

void dentry_empty(struct dentry *d)
{
	struct inode *inode = NULL;
	irq_state state = spin_lock(&dentry_lock);
	if (d->references == 1 && (d->flags & DENTRY_HASHED)) {
		inode = d->inode;
		d->inode = NULL;
	}
	spin_unlock(&dentry_lock, state);
	if (inode) {
		notify_gone(inode);
		inode_put(inode);
	} else
		dentry_forget(d);
}

int dentry_move(struct dentry *d, struct dentry *parent, const struct name *name)
{
	struct dentry fresh = {0};
	int err = dentry_set_name(&fresh, name);
	if (err < 0)
		return err;
	dentry_get(parent);
	irq_state state = spin_lock(&dentry_lock);
	char *old_name = d->name != d->inline_name ? d->name : NULL;
	struct dentry *old_parent = d->parent;
	bool hashed = d->flags & DENTRY_HASHED;
	dentry_unhash(d);
	memcpy(d->inline_name, fresh.inline_name, sizeof(d->inline_name));
	d->name = fresh.name == fresh.inline_name ? d->inline_name : fresh.name;
	d->name_len = fresh.name_len;
	d->hash = fresh.hash;
	d->parent = parent;
	if (hashed)
		dentry_hash(d);
	spin_unlock(&dentry_lock, state);
	heap_free(old_name);
	dentry_put(old_parent);
	return 0;
}

/* Both stay allocated, and each takes the other's place. */
int dentry_swap(struct dentry *a, struct dentry *b)
{
	struct dentry *parent_a = dentry_parent(a);
	struct name name_b = {b->name, b->name_len, b->hash};
	struct dentry copy_a = {0};
	struct name name_a = {a->name, a->name_len, a->hash};
	int err = dentry_set_name(&copy_a, &name_a);
	if (err < 0)
		goto put;
	name_a.text = copy_a.name;
	err = dentry_move(a, b->parent, &name_b);
	if (!err)
		err = dentry_move(b, parent_a, &name_a);
	if (copy_a.name != copy_a.inline_name)
		heap_free(copy_a.name);
put:
	dentry_put(parent_a);
	return err;
}

struct inode *dentry_inode(struct dentry *d)
{
	return d->inode;
}

struct dentry *dentry_parent(struct dentry *d)
{
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *parent = d->parent;
	dentry_get(parent);
	spin_unlock(&dentry_lock, state);
	return parent;
}

bool dentry_is_below(struct dentry *d, struct dentry *ancestor)
{
	irq_state state = spin_lock(&dentry_lock);
	while (d != ancestor && d->parent != d)
		d = d->parent;
	spin_unlock(&dentry_lock, state);
	return d == ancestor;
}

/* A negative one has no inode; the directory it is missing from has. */
struct super *dentry_super(struct dentry *d)
{
	return d->inode ? d->inode->super : d->parent->inode->super;
}

struct dentry *dentry_cross(struct dentry *d)
{
	if (likely(!d->mounted))
		return d;
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *inner = d;
	while (inner->mounted)
		inner = inner->mounted->root_dentry;
	dentry_get(inner);
	spin_unlock(&dentry_lock, state);
	dentry_put(d);
	return inner;
}
