/*
 * Page cache.  Per cache a radix tree from page index to struct page, under the cache's lock.  Over
 * all caches one clock: a list of the pages that can be evicted, with a hand that gives those
 * looked up since its last visit another round.
 *
 * A page is filled before it enters the tree, so whoever finds it can use it, and nobody ever waits
 * for another's read: two that miss together both read, and the second takes the first one's page.
 *
 * Lock order: cache, clock; nothing is allocated under the clock's.  Reclaim, which runs inside
 * allocations made under any other lock, goes the other way and only tries a cache's.  It decides on the reference count: under the cache's lock, a
 * page with the tree's reference alone can not gain another.
 */
#include "kernel/mem/page_cache.h"
#include "abi/linux/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/thrash.h"

#define NODE_BITS 6u
#define NODE_SLOTS (1u << NODE_BITS)
#define HEIGHT_MAX 11u /* 11 * 6 bits hold any index */
#define SCAN_MAX 16384ul
#define ROOM_PAGES 32ul
#define EVICT_FOR_NODE 64ul

/* Height 0: the root is the page at index 0.  Height h: the root is a node over 64^h indices. */
struct node {
	void *slot[NODE_SLOTS];
	unsigned n;
	uint64_t dirty; /* slots with a dirty page in or below */
};

static struct {
	struct spinlock lock;
	/* under lock: */
	struct list pages; /* the hand is at the front */
	unsigned long n;
} clock = {.pages = LIST_INIT(clock.pages)};

static atomic_long n_cached, n_dirty;

/* --- the tree, under the cache's lock ---------------------------------------------------------- */

static unsigned slot_of(uint64_t index, unsigned level)
{
	return index >> (level - 1) * NODE_BITS & (NODE_SLOTS - 1);
}

static bool tree_covers(const struct page_cache *c, uint64_t index)
{
	return c->height >= HEIGHT_MAX || index >> c->height * NODE_BITS == 0;
}

static struct page *tree_get(const struct page_cache *c, uint64_t index)
{
	if (!tree_covers(c, index))
		return NULL;
	void *at = c->root;
	for (unsigned level = c->height; level > 0 && at != NULL; level--)
		at = ((struct node *)at)->slot[slot_of(index, level)];
	return at;
}

/* Does the tree below (height levels of it) hold dirty pages? */
static bool tree_is_dirty(const void *at, unsigned level)
{
	return level > 0 ? ((const struct node *)at)->dirty != 0
			 : (((const struct page *)at)->flags & PAGE_DIRTY) != 0;
}

/* The page at index, which is there, became dirty or clean. */
static void tree_mark(struct page_cache *c, uint64_t index, bool dirty)
{
	struct node *path[HEIGHT_MAX + 1];
	void *at = c->root;
	for (unsigned level = c->height; level > 0; level--) {
		path[level] = at;
		at = path[level]->slot[slot_of(index, level)];
	}
	for (unsigned level = 1; level <= c->height; level++) {
		uint64_t bit = 1ull << slot_of(index, level);
		if (dirty)
			path[level]->dirty |= bit;
		else
			path[level]->dirty &= ~bit;
		if (!dirty && path[level]->dirty != 0)
			return;
	}
}

/* Put one more level on top. */
static int tree_grow(struct page_cache *c)
{
	if (c->root != NULL) {
		struct node *top = heap_zalloc(sizeof(*top));
		if (top == NULL)
			return -ENOMEM;
		top->slot[0] = c->root;
		top->n = 1;
		top->dirty = tree_is_dirty(c->root, c->height);
		c->root = top;
	}
	c->height++;
	return 0;
}

/* The slot is empty.  On failure empty nodes may stay: they do no harm. */
static int tree_put(struct page_cache *c, uint64_t index, struct page *p)
{
	while (!tree_covers(c, index))
		if (tree_grow(c) < 0)
			return -ENOMEM;
	void **at = &c->root;
	unsigned *n_above = NULL;
	for (unsigned level = c->height; level > 0; level--) {
		if (*at == NULL) {
			*at = heap_zalloc(sizeof(struct node));
			if (*at == NULL)
				return -ENOMEM;
			if (n_above != NULL)
				(*n_above)++;
		}
		struct node *node = *at;
		at = &node->slot[slot_of(index, level)];
		n_above = &node->n;
	}
	*at = p;
	if (n_above != NULL)
		(*n_above)++;
	return 0;
}

/* The page is there. */
static void tree_remove_at(struct page_cache *c, uint64_t index)
{
	void **path[HEIGHT_MAX + 1];
	void **at = &c->root;
	for (unsigned level = c->height; level > 0; level--) {
		path[level] = at;
		at = &((struct node *)*at)->slot[slot_of(index, level)];
	}
	*at = NULL;
	for (unsigned level = 1; level <= c->height; level++) {
		struct node *node = *path[level];
		if (--node->n > 0)
			return;
		*path[level] = NULL;
		heap_free(node);
	}
	c->height = 0;
}

/* First index >= from in use, or UINT64_MAX. */
static uint64_t tree_next(const struct page_cache *c, uint64_t from)
{
	uint64_t index = from;
	while (c->root != NULL && tree_covers(c, index)) {
		void *at = c->root;
		unsigned level = c->height;
		for (; level > 0; level--) {
			void *below = ((struct node *)at)->slot[slot_of(index, level)];
			if (below == NULL)
				break;
			at = below;
		}
		if (level == 0)
			return index;
		/* Nothing below this slot: on to the next one. */
		unsigned shift = (level - 1) * NODE_BITS;
		uint64_t next = ((index >> shift) + 1) << shift;
		if (next <= index)
			break;
		index = next;
	}
	return UINT64_MAX;
}

/* Dirty slots from the one on that leads to index; the level's slot that holds it need not be dirty for it. */
static uint64_t dirty_from(const struct node *node, uint64_t index, unsigned level)
{
	return node->dirty & (~0ull << slot_of(index, level));
}

/* First index >= from whose page is dirty, or UINT64_MAX. */
static uint64_t tree_next_dirty(const struct page_cache *c, uint64_t from)
{
	uint64_t index = from;
	if (c->root != NULL && c->height == 0)
		return index == 0 && tree_is_dirty(c->root, 0) ? 0 : UINT64_MAX;
	while (c->root != NULL && tree_covers(c, index)) {
		const struct node *node = c->root;
		unsigned level = c->height;
		for (;;) {
			uint64_t dirty = dirty_from(node, index, level);
			unsigned shift = (level - 1) * NODE_BITS;
			if (dirty == 0) { /* on to what follows this node */
				uint64_t next = ((index >> shift >> NODE_BITS) + 1)
						<< NODE_BITS << shift;
				if (next <= index)
					return UINT64_MAX;
				index = next;
				break;
			}
			unsigned slot = (unsigned)__builtin_ctzll(dirty);
			if (slot != slot_of(index, level))
				index = ((index >> shift >> NODE_BITS << NODE_BITS) | slot)
					<< shift;
			if (level == 1)
				return index;
			node = node->slot[slot];
			level--;
		}
	}
	return UINT64_MAX;
}

static void tree_free(void *at, unsigned level)
{
	if (at == NULL || level == 0)
		return;
	struct node *node = at;
	for (unsigned i = 0; i < NODE_SLOTS && level > 1; i++)
		tree_free(node->slot[i], level - 1);
	heap_free(node);
}

/* --- pages in and out, under the cache's lock ------------------------------------------------- */

static int insert(struct page_cache *c, uint64_t index, struct page *p)
{
	int err = tree_put(c, index, p);
	if (err < 0)
		return err;
	page_get(p);
	p->cache = c;
	p->index = index;
	p->flags |= c->flags & PAGE_CACHE_KEEP ? PAGE_CACHED | PAGE_KEPT : PAGE_CACHED;
	c->n_pages++;
	atomic_fetch_add_explicit(&n_cached, 1, memory_order_relaxed);
	if (c->flags & PAGE_CACHE_KEEP)
		return 0;
	spin_lock_nested(&clock.lock);
	list_push_back(&clock.pages, &p->link);
	clock.n++;
	spin_unlock_nested(&clock.lock);
	return 0;
}

static void set_dirty(struct page_cache *c, struct page *p)
{
	p->flags |= PAGE_DIRTY | PAGE_WRITTEN;
	tree_mark(c, p->index, true);
	c->n_dirty++;
	if (c->ops->dirtied != NULL)
		atomic_fetch_add_explicit(&n_dirty, 1, memory_order_relaxed);
}

static void set_clean(struct page_cache *c, struct page *p)
{
	p->flags &= (uint8_t)~PAGE_DIRTY;
	tree_mark(c, p->index, false);
	c->n_dirty--;
	if (c->ops->dirtied != NULL)
		atomic_fetch_sub_explicit(&n_dirty, 1, memory_order_relaxed);
}

/* The tree's reference is the caller's now.  With the clock's lock held, too. */
static void take_out(struct page_cache *c, struct page *p)
{
	if (p->flags & PAGE_DIRTY)
		set_clean(c, p);
	if (p->flags & PAGE_RESERVED)
		c->ops->unreserve(c);
	tree_remove_at(c, p->index);
	if (p->flags & PAGE_WRITTEN)
		c->n_lost++;
	p->flags &= PAGE_CACHED | PAGE_KEPT;
	p->cache = NULL;
	c->n_pages--;
	atomic_fetch_sub_explicit(&n_cached, 1, memory_order_relaxed);
	if (c->flags & PAGE_CACHE_KEEP)
		return;
	list_remove(&p->link);
	clock.n--;
}

static struct page *lookup(struct page_cache *c, uint64_t index)
{
	struct page *p = tree_get(c, index);
	if (p == NULL)
		return NULL;
	if (!(p->flags & PAGE_USED))
		p->flags |= PAGE_USED;
	page_get(p);
	return p;
}

/* --- the interface --------------------------------------------------------------------------- */

void page_cache_init(struct page_cache *c, const struct page_cache_ops *ops, unsigned flags)
{
	static const struct page_cache_ops none = {0};
	*c = (struct page_cache){.ops = ops != NULL ? ops : &none, .flags = flags};
}

void page_cache_destroy(struct page_cache *c)
{
	page_cache_truncate(c, 0);
	tree_free(c->root, c->height);
	c->root = NULL;
	c->height = 0;
}

struct page *page_cache_find(struct page_cache *c, uint64_t index)
{
	irq_state state = spin_lock(&c->lock);
	struct page *p = lookup(c, index);
	spin_unlock(&c->lock, state);
	return p;
}

void page_cache_find_run(struct page_cache *c, uint64_t index, unsigned n, struct page *out[])
{
	irq_state state = spin_lock(&c->lock);
	void **slots = NULL;
	if (c->height > 0 && tree_covers(c, index)) {
		void *at = c->root;
		for (unsigned level = c->height; level > 1 && at != NULL; level--)
			at = ((struct node *)at)->slot[slot_of(index, level)];
		if (at != NULL)
			slots = &((struct node *)at)->slot[slot_of(index, 1)];
	} else if (c->height == 0 && index == 0) {
		slots = &c->root;
	}
	for (unsigned i = 0; i < n; i++) {
		out[i] = slots == NULL || (c->height == 0 && i > 0) ? NULL : slots[i];
		if (out[i] != NULL)
			page_get(out[i]);
	}
	spin_unlock(&c->lock, state);
}

int page_cache_add(struct page_cache *c, uint64_t index, struct page *p, uint64_t n_lost)
{
	irq_state state = spin_lock(&c->lock);
	int err = c->n_lost != n_lost ? -EAGAIN : 0;
	if (err == 0)
		err = tree_get(c, index) != NULL ? -EEXIST : insert(c, index, p);
	spin_unlock(&c->lock, state);
	return err;
}

uint64_t page_cache_losses(struct page_cache *c)
{
	return __atomic_load_n(&c->n_lost, __ATOMIC_ACQUIRE);
}

int page_cache_add_dirty(struct page_cache *c, uint64_t index, struct page *p)
{
	p->cache = c;
	p->index = index;
	int reserved = c->ops->dirty != NULL ? c->ops->dirty(c, p) : 0;
	if (reserved < 0)
		return reserved;
	irq_state state = spin_lock(&c->lock);
	int err = tree_get(c, index) != NULL ? -EEXIST : insert(c, index, p);
	if (err == 0)
		set_dirty(c, p);
	if (err == 0 && reserved)
		p->flags |= PAGE_RESERVED;
	else if (reserved)
		c->ops->unreserve(c);
	spin_unlock(&c->lock, state);
	if (err == 0 && c->ops->dirtied != NULL)
		c->ops->dirtied(c);
	return err;
}

/* Put the caller's page there, or take the one that got there first: 0 and the page in *out.
 * -EAGAIN: what was read into it may be out of date. */
static int add_or_take(struct page_cache *c, struct page *new, uint64_t n_lost, struct page **out)
{
	irq_state state = spin_lock(&c->lock);
	int err = 0;
	*out = lookup(c, new->index);
	if (*out == NULL) {
		err = c->n_lost != n_lost ? -EAGAIN : insert(c, new->index, new);
		if (err == 0)
			*out = new;
	}
	spin_unlock(&c->lock, state);
	if (*out != new)
		page_put(new);
	return err;
}

static int get_missing(struct page_cache *c, uint64_t index, bool fill, struct page **out)
{
	uint64_t n_lost = __atomic_load_n(&c->n_lost, __ATOMIC_ACQUIRE);
	struct page *new = page_alloc(0, fill ? 0 : PAGE_ZERO);
	if (new == NULL)
		return -ENOMEM;
	new->cache = c;
	new->index = index;
	int err = fill ? c->ops->fill(c, new) : 0;
	if (err < 0) {
		page_put(new);
		return err;
	}
	return add_or_take(c, new, n_lost, out);
}

/* Nodes of the tree are asked for under the cache's lock, where its own pages can not be evicted. */
static bool make_room(int err, unsigned *tries)
{
	if (err != -ENOMEM || (*tries)++ >= 4)
		return false;
	return page_cache_reclaim(ROOM_PAGES) > 0 || trim_pages(ROOM_PAGES) > 0;
}

static int get(struct page_cache *c, uint64_t index, bool fill, struct page **out)
{
	unsigned tries = 0;
	int err;
	do {
		*out = page_cache_find(c, index);
		if (*out != NULL)
			return 0;
		err = get_missing(c, index, fill, out);
	} while (err == -EAGAIN || make_room(err, &tries));
	return err;
}

int page_cache_get(struct page_cache *c, uint64_t index, struct page **out)
{
	return get(c, index, c->ops->fill != NULL, out);
}

/* Cleared nevertheless: others may see it before the caller has written. */
int page_cache_get_unfilled(struct page_cache *c, uint64_t index, struct page **out)
{
	return get(c, index, false, out);
}

uint64_t page_cache_next(struct page_cache *c, uint64_t from)
{
	irq_state state = spin_lock(&c->lock);
	uint64_t index = tree_next(c, from);
	spin_unlock(&c->lock, state);
	return index;
}

int page_cache_dirty(struct page_cache *c, struct page *p)
{
	if (p->flags & PAGE_DIRTY)
		return 0;
	int reserved = c->ops->dirty != NULL ? c->ops->dirty(c, p) : 0;
	if (reserved < 0)
		return reserved;
	irq_state state = spin_lock(&c->lock);
	/* Gone by now (truncated), or somebody else was quicker? */
	if (p->cache == c && !(p->flags & PAGE_DIRTY))
		set_dirty(c, p);
	if (reserved && p->cache == c && !(p->flags & PAGE_RESERVED))
		p->flags |= PAGE_RESERVED;
	else if (reserved)
		c->ops->unreserve(c);
	spin_unlock(&c->lock, state);
	if (c->ops->dirtied != NULL)
		c->ops->dirtied(c);
	return 0;
}

void page_cache_set_written(struct page_cache *c, struct page *p)
{
	irq_state state = spin_lock(&c->lock);
	p->flags |= PAGE_WRITTEN;
	spin_unlock(&c->lock, state);
}

/* --- writing back ---------------------------------------------------------------------------- */

uint64_t page_cache_next_dirty(struct page_cache *c, uint64_t from)
{
	irq_state state = spin_lock(&c->lock);
	uint64_t index = c->n_dirty > 0 ? tree_next_dirty(c, from) : UINT64_MAX;
	spin_unlock(&c->lock, state);
	return index;
}

unsigned page_cache_take_dirty(struct page_cache *c, uint64_t index, unsigned n, struct page *out[])
{
	unsigned n_taken = 0;
	irq_state state = spin_lock(&c->lock);
	for (; n_taken < n; n_taken++) {
		struct page *p = tree_get(c, index + n_taken);
		if (p == NULL || !(p->flags & PAGE_DIRTY))
			break;
		set_clean(c, p);
		p->flags |= PAGE_WRITING;
		page_get(p);
		out[n_taken] = p;
	}
	spin_unlock(&c->lock, state);
	return n_taken;
}

void page_cache_written(struct page_cache *c, struct page *pages[], unsigned n, int err)
{
	if (err < 0)
		page_cache_error_set(&c->error, err);
	irq_state state = spin_lock(&c->lock);
	for (unsigned i = 0; i < n; i++) {
		if (pages[i]->cache != c)
			continue;
		if (pages[i]->flags & PAGE_RESERVED)
			c->ops->unreserve(c);
		pages[i]->flags &= (uint8_t) ~(PAGE_WRITING | PAGE_RESERVED);
	}
	spin_unlock(&c->lock, state);
	for (unsigned i = 0; i < n; i++)
		page_put(pages[i]);
}

/* An error's number, whether anybody has been told, and how many there were. */
#define ERROR_MASK 0xfffu
#define ERROR_TOLD 0x1000u
#define ERROR_STEP 0x2000u

void page_cache_error_set(atomic_uint *error, int err)
{
	unsigned old = atomic_load(error), new;
	do {
		new = (old & ~(ERROR_MASK | ERROR_TOLD)) | (unsigned)-err;
		if (old & ERROR_TOLD || !(old & ERROR_MASK))
			new += ERROR_STEP;
	} while (!atomic_compare_exchange_weak(error, &old, new));
}

uint32_t page_cache_error_start(atomic_uint *error)
{
	unsigned now = atomic_load(error);
	return now & ERROR_TOLD ? now : 0;
}

int page_cache_error_check(atomic_uint *error, uint32_t *seen)
{
	unsigned now = atomic_load(error);
	if (now == *seen || !(now & ERROR_MASK))
		return 0;
	atomic_compare_exchange_strong(error, &now, now | ERROR_TOLD);
	*seen = now | ERROR_TOLD;
	return -(int)(now & ERROR_MASK);
}

/* Clear bytes [from, to) of the page at index, if it is there. */
static void clear_part(struct page_cache *c, uint64_t index, size_t from, size_t to)
{
	struct page *p = page_cache_find(c, index);
	if (p == NULL)
		return;
	memset((char *)page_address(p) + from, 0, to - from);
	page_put(p);
}

/* Forget the pages [first, end). */
static void forget(struct page_cache *c, uint64_t first, uint64_t end)
{
	irq_state state = spin_lock(&c->lock);
	c->n_lost++;
	for (;;) {
		uint64_t index = tree_next(c, first);
		if (index >= end)
			break;
		struct page *p = tree_get(c, index);
		spin_lock_nested(&clock.lock);
		take_out(c, p);
		spin_unlock_nested(&clock.lock);
		spin_unlock(&c->lock, state);
		page_put(p);
		state = spin_lock(&c->lock);
		first = index + 1;
	}
	spin_unlock(&c->lock, state);
}

void page_cache_truncate(struct page_cache *c, uint64_t size)
{
	forget(c, div_round_up(size, PAGE_SIZE), UINT64_MAX);
	if (!is_aligned(size, PAGE_SIZE))
		clear_part(c, size / PAGE_SIZE, size % PAGE_SIZE, PAGE_SIZE);
}

void page_cache_punch(struct page_cache *c, uint64_t start, uint64_t end)
{
	uint64_t first = div_round_up(start, PAGE_SIZE), last = end / PAGE_SIZE;
	if (first > last) { /* inside one page */
		clear_part(c, last, start % PAGE_SIZE, end % PAGE_SIZE);
		return;
	}
	forget(c, first, last);
	if (!is_aligned(start, PAGE_SIZE))
		clear_part(c, start / PAGE_SIZE, start % PAGE_SIZE, PAGE_SIZE);
	if (!is_aligned(end, PAGE_SIZE))
		clear_part(c, last, 0, end % PAGE_SIZE);
}

int page_cache_read(struct page_cache *c, uint64_t offset, void *to, size_t n)
{
	for (char *at = to; n > 0;) {
		struct page *p = NULL;
		int err = page_cache_get(c, offset / PAGE_SIZE, &p);
		if (err < 0)
			return err;
		size_t in_page = offset % PAGE_SIZE, part = min(n, PAGE_SIZE - in_page);
		memcpy(at, (char *)page_address(p) + in_page, part);
		page_put(p);
		at += part;
		offset += part;
		n -= part;
	}
	return 0;
}

/* --- eviction -------------------------------------------------------------------------------- */

/* The clock's lock is held: p is in a cache, and that cache lives.  True: p is out of it. */
static bool evict(struct page *p)
{
	struct page_cache *c = p->cache;
	if (!spin_try_lock_nested(&c->lock))
		return false;
	bool idle = atomic_load(&p->references) == 1 && !(p->flags & (PAGE_DIRTY | PAGE_USED));
	if (idle) {
		thrash_evicted(c, p->index);
		take_out(c, p);
	} else {
		p->flags &= (uint8_t)~PAGE_USED;
	}
	spin_unlock_nested(&c->lock);
	return idle;
}

unsigned long page_cache_reclaim(unsigned long n)
{
	struct page *gone = NULL;
	unsigned long n_gone = 0;
	irq_state state = spin_lock(&clock.lock);
	/* Two rounds: the first may only take marks off. */
	unsigned long left = min(2 * clock.n, SCAN_MAX);
	for (; left > 0 && n_gone < n && clock.n > 0; left--) {
		struct page *p = list_first(&clock.pages, struct page, link);
		if (evict(p)) {
			p->owner_a = gone;
			gone = p;
			n_gone++;
		} else {
			list_remove(&p->link);
			list_push_back(&clock.pages, &p->link);
		}
	}
	spin_unlock(&clock.lock, state);
	while (gone != NULL) {
		struct page *next = gone->owner_a;
		page_put(gone);
		gone = next;
	}
	return n_gone;
}

void page_cache_usage(uint64_t *cached, uint64_t *dirty)
{
	*cached = (uint64_t)atomic_load_explicit(&n_cached, memory_order_relaxed);
	*dirty = (uint64_t)atomic_load_explicit(&n_dirty, memory_order_relaxed);
}
