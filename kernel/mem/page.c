/*
 * Frames.  Layers, from below:
 *
 *     ranges      the memory there is.  The descriptors of a range stand at its start, one array per
 *                 range; a 2 MB block's part of it is cleared when the block is first used, so
 *                 memory nobody asked for costs nothing.
 *     buddy       free blocks of 2^order frames, one lock.  Fed from the ranges, largest range first.
 *     CPU caches  single frames, interrupts off.
 *
 * A frame is free in the buddy's sense when PAGE_FREE is set in its descriptor; frames in a CPU's
 * cache look allocated to the buddy.
 */
#include "kernel/mem/page.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/poison.h"
#include "kernel/lib/string.h"
#include "kernel/mem/page_cache.h"

#define BLOCK_FRAMES (1ul << PAGE_ORDER_MAX)
#define CACHE_MAX 256u /* frames a CPU keeps at most, on a large machine */
#define CACHE_MOVE 16u /* moved at a time between it and the buddy */
#define CACHE_ORDER 4u
#define RANGE_MIN (16 * PAGE_SIZE)
#define RECLAIM_PAGES 64u /* evicted at a time when a request finds nothing */
#define TRIES_FRAME 4u
#define TRIES_BLOCK 64u

/* Frame numbers; the descriptor of frame f is pages[f - first]. */
struct range {
	struct page *pages;
	uint64_t first, end;
	uint64_t fresh; /* [fresh, end) was never used; under buddy.lock */
};

static struct range ranges[BOOT_MEMORY_RANGES]; /* largest first */
static unsigned n_ranges;

static struct {
	struct spinlock lock;
	/* under lock: */
	struct list free[PAGE_ORDER_MAX + 1];
	uint64_t n_free;  /* frames in the lists and never used ones */
	uint64_t reserve; /* of these, the last ones are for PAGE_URGENT */
	uint64_t total;
	unsigned cache_max; /* frames a CPU keeps */
} buddy;

/* Used by its own CPU, interrupts off; a chain through owner_a. */
static struct cpu_cache {
	struct page *first;
	unsigned n;
} aligned_to(64) caches[CPU_MAX];

static atomic_long n_anonymous, n_tables, n_stacks, n_heap;
static atomic_long fail_after = -1; /* -1: never */

/* --- descriptors and frames ---------------------------------------------------------------- */

static struct range *range_of_page(const struct page *p)
{
	for (struct range *r = ranges; r < ranges + n_ranges; r++)
		if (p >= r->pages && p < r->pages + (r->end - r->first))
			return r;
	panic("not a page: %p", (const void *)p);
}

phys_addr page_to_phys(const struct page *p)
{
	const struct range *r = range_of_page(p);
	return (phys_addr){(r->first + (uint64_t)(p - r->pages)) << PAGE_SHIFT};
}

struct page *page_from_phys_any(phys_addr pa)
{
	uint64_t frame = pa.pa >> PAGE_SHIFT;
	for (struct range *r = ranges; r < ranges + n_ranges; r++)
		if (frame >= r->first && frame < r->end)
			return r->pages + (frame - r->first);
	return NULL;
}

struct page *page_from_phys(phys_addr pa)
{
	struct page *p = page_from_phys_any(pa);
	if (unlikely(p == NULL))
		panic("not a frame of memory: %#llx", (unsigned long long)pa.pa);
	return p;
}

void *page_address(const struct page *p)
{
	return phys_to_virt(page_to_phys(p));
}

struct page *page_of_address(const void *direct_map_address)
{
	return page_from_phys(virt_to_phys(direct_map_address));
}

/* --- buddy, under its lock -------------------------------------------------------------------- */

/* A block that is not in any list yet: join it with its free neighbours, as far as that goes. */
static void block_put(struct range *r, uint64_t frame, unsigned order)
{
	for (; order < PAGE_ORDER_MAX; order++) {
		uint64_t other = frame ^ 1ul << order;
		if (other < r->first || other >= r->end)
			break;
		struct page *neighbour = r->pages + (other - r->first);
		if (!(neighbour->flags & PAGE_FREE) || neighbour->order != order)
			break;
		list_remove(&neighbour->link);
		neighbour->flags = 0;
		frame &= ~(1ul << order);
	}
	struct page *p = r->pages + (frame - r->first);
	p->flags = PAGE_FREE;
	p->order = (uint8_t)order;
	list_push_front(&buddy.free[order], &p->link);
}

/* Put the next never used block of some range, or what is left of it, into the lists. */
static bool use_fresh_block(void)
{
	struct range *r = ranges;
	while (r < ranges + n_ranges && r->fresh == r->end)
		r++;
	if (r == ranges + n_ranges)
		return false;
	uint64_t start = r->fresh, block_end = align_down(start, BLOCK_FRAMES) + BLOCK_FRAMES;
	uint64_t end = min(block_end, r->end);
	memset(r->pages + (start - r->first), 0, (end - start) * sizeof(struct page));
	r->fresh = end;
	for (uint64_t frame = start; frame < end;) {
		unsigned order = (unsigned)__builtin_ctzll(frame | BLOCK_FRAMES);
		while (frame + (1ul << order) > end)
			order--;
		block_put(r, frame, order);
		frame += 1ul << order;
	}
	return true;
}

/* A block off the lists, split down to order. */
static struct page *block_take(unsigned order)
{
	unsigned from = order;
	while (list_empty(&buddy.free[from])) {
		if (from < PAGE_ORDER_MAX) {
			from++;
			continue;
		}
		if (!use_fresh_block())
			return NULL;
		from = order;
	}
	struct page *p = list_first(&buddy.free[from], struct page, link);
	list_remove(&p->link);
	p->flags = 0;
	while (from > order) {
		from--;
		struct page *half = p + (1ul << from);
		half->flags = PAGE_FREE;
		half->order = (uint8_t)from;
		list_push_front(&buddy.free[from], &half->link);
	}
	return p;
}

static struct page *buddy_take(unsigned order, unsigned flags)
{
	uint64_t keep = flags & PAGE_URGENT  ? 0
			: flags & PAGE_SPARE ? buddy.total / 4
					     : buddy.reserve;
	if (buddy.n_free < keep + (1ul << order))
		return NULL;
	struct page *p = block_take(order);
	if (p != NULL)
		buddy.n_free -= 1ul << order;
	return p;
}

static void buddy_put(struct page *p, unsigned order)
{
	struct range *r = range_of_page(p);
	block_put(r, r->first + (uint64_t)(p - r->pages), order);
	buddy.n_free += 1ul << order;
}

/* --- CPU caches ---------------------------------------------------------------------------- */

/* Whole blocks of up to CACHE_MOVE frames, smallest first: that is cheaper than to split them. */
static unsigned refill_order(void)
{
	unsigned order = 0;
	while (order < CACHE_ORDER && list_empty(&buddy.free[order]))
		order++;
	return order;
}

static void cache_refill(struct cpu_cache *c, unsigned flags)
{
	irq_state state = spin_lock(&buddy.lock);
	while (c->n < CACHE_MOVE) {
		unsigned order = refill_order();
		struct page *p = buddy_take(order, flags);
		if (p == NULL && order > 0)
			p = buddy_take(order = 0, flags);
		if (p == NULL)
			break;
		/* The lowest frame comes out first. */
		for (unsigned i = 1u << order; i > 0; i--) {
			p[i - 1].owner_a = c->first;
			c->first = &p[i - 1];
			c->n++;
		}
	}
	spin_unlock(&buddy.lock, state);
}

static struct page *cache_take(unsigned flags)
{
	irq_state state = irq_save();
	struct cpu_cache *c = &caches[cpu_id()];
	if (c->n == 0)
		cache_refill(c, flags);
	struct page *p = c->first;
	if (p != NULL) {
		c->first = p->owner_a;
		c->n--;
	}
	irq_restore(state);
	return p;
}

/* Interrupts are off. */
static void cache_spill(struct cpu_cache *c, unsigned n)
{
	spin_lock_nested(&buddy.lock);
	for (; n > 0; n--) {
		struct page *p = c->first;
		c->first = p->owner_a;
		c->n--;
		buddy_put(p, 0);
	}
	spin_unlock_nested(&buddy.lock);
}

static void cache_put(struct page *p)
{
	irq_state state = irq_save();
	struct cpu_cache *c = &caches[cpu_id()];
	p->owner_a = c->first;
	c->first = p;
	if (++c->n > buddy.cache_max)
		cache_spill(c, CACHE_MOVE);
	irq_restore(state);
}

static void cache_empty(void)
{
	irq_state state = irq_save();
	struct cpu_cache *c = &caches[cpu_id()];
	cache_spill(c, c->n);
	irq_restore(state);
}

/* --- allocation ---------------------------------------------------------------------------- */

static struct page *take(unsigned order, unsigned flags)
{
	if (order == 0)
		return cache_take(flags);
	irq_state state = spin_lock(&buddy.lock);
	struct page *p = buddy_take(order, flags);
	spin_unlock(&buddy.lock, state);
	return p;
}

static bool must_fail(void)
{
	if (likely(atomic_load_explicit(&fail_after, memory_order_relaxed) < 0))
		return false;
	return atomic_fetch_sub(&fail_after, 1) == 0;
}

/* Some file pages out of memory, mapped ones too if need be. */
static bool evict(void)
{
	if (page_cache_reclaim(RECLAIM_PAGES) > 0)
		return true;
	if (trim_pages(RECLAIM_PAGES) == 0)
		return false;
	(void)page_cache_reclaim(RECLAIM_PAGES); /* or another CPU did that */
	return true;
}

/* Nothing at hand: join what this CPU keeps, and evict. */
static struct page *take_harder(unsigned order, unsigned flags)
{
	struct page *p = NULL;
	if (order > 0 && !(flags & PAGE_SPARE)) {
		cache_empty();
		p = take(order, flags);
	}
	/* Evicted pages need not form a block of that order: then go on for longer. */
	unsigned tries = order > 0 ? TRIES_BLOCK : TRIES_FRAME;
	for (; p == NULL && !(flags & PAGE_NO_RECLAIM) && tries > 0; tries--) {
		if (!evict())
			break;
		if (order > 0)
			cache_empty();
		p = take(order, flags);
	}
	return p;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	if (unlikely(must_fail()))
		return NULL;
	struct page *p = take(order, flags);
	if (unlikely(p == NULL)) {
		p = take_harder(order, flags);
		if (p == NULL)
			return NULL;
	}
	p->order = (uint8_t)order;
	p->flags = 0;
	p->n_blocks = 0;
	p->cache = NULL;
	p->index = 0;
	atomic_store_explicit(&p->references, 1, memory_order_relaxed);
	unpoison(page_address(p), PAGE_SIZE << order);
	if (flags & PAGE_ZERO)
		memset(page_address(p), 0, PAGE_SIZE << order);
	return p;
}

void page_put(struct page *p)
{
	unsigned before = atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel);
	assert(before != 0);
	if (before != 1)
		return;
	poison(page_address(p), PAGE_SIZE << p->order);
	if (p->order == 0) {
		cache_put(p);
		return;
	}
	irq_state state = spin_lock(&buddy.lock);
	buddy_put(p, p->order);
	spin_unlock(&buddy.lock, state);
}

void page_split(struct page *p)
{
	unsigned n = 1u << p->order;
	for (unsigned i = 1; i < n; i++) {
		p[i] = (struct page){0};
		atomic_init(&p[i].references, 1);
	}
	p->order = 0;
}

void page_alloc_fail_after(long n)
{
	atomic_store(&fail_after, n);
}

/* --- start and accounts ---------------------------------------------------------------------- */

static void range_add(uint64_t start, uint64_t end)
{
	start = align_up(start, PAGE_SIZE);
	end = align_down(end, PAGE_SIZE);
	if (start + RANGE_MIN > end)
		return;
	struct range new = {.first = start >> PAGE_SHIFT, .end = end >> PAGE_SHIFT};
	uint64_t n_bytes = align_up((new.end - new.first) * sizeof(struct page), PAGE_SIZE);
	new.pages = phys_to_virt((phys_addr){start});
	new.fresh = new.first + (n_bytes >> PAGE_SHIFT);
	buddy.n_free += new.end - new.fresh;
	buddy.total += new.end - new.first;
	unsigned at = n_ranges++;
	for (; at > 0 && ranges[at - 1].end - ranges[at - 1].first < new.end - new.first; at--)
		ranges[at] = ranges[at - 1];
	ranges[at] = new;
}

void page_init(const struct memory_range *usable, unsigned n_usable)
{
	for (unsigned i = 0; i <= PAGE_ORDER_MAX; i++)
		list_init(&buddy.free[i]);
	/* Frame 0 stays out: a physical address of 0 means "none" in many a device. */
	for (unsigned i = 0; i < n_usable && n_ranges < array_size(ranges); i++)
		range_add(max(usable[i].start, (uint64_t)PAGE_SIZE), usable[i].end);
	uint64_t share = buddy.n_free / 64;
	buddy.reserve = min(max(share, 16ul), 1024ul);
	buddy.cache_max =
		(unsigned)min(max(buddy.n_free / 128, 2ul * CACHE_MOVE), (uint64_t)CACHE_MAX);
}

static uint64_t not_negative(atomic_long *n)
{
	long value = atomic_load_explicit(n, memory_order_relaxed);
	return value < 0 ? 0 : (uint64_t)value;
}

uint64_t page_total(void)
{
	return __atomic_load_n(&buddy.total, __ATOMIC_RELAXED);
}

void page_usage(struct memory_usage *out)
{
	irq_state state = spin_lock(&buddy.lock);
	*out = (struct memory_usage){.total = buddy.total, .free = buddy.n_free};
	spin_unlock(&buddy.lock, state);
	for (unsigned i = 0; i < cpu_count(); i++)
		out->free += caches[i].n;
	page_cache_usage(&out->cached, &out->dirty);
	out->heap = not_negative(&n_heap);
	out->anonymous = not_negative(&n_anonymous);
	out->page_tables = not_negative(&n_tables);
	out->stacks = not_negative(&n_stacks);
}

void page_count_anonymous(long n)
{
	atomic_fetch_add_explicit(&n_anonymous, n, memory_order_relaxed);
}

void page_count_heap(long n)
{
	atomic_fetch_add_explicit(&n_heap, n, memory_order_relaxed);
}

void page_count_stacks(long n)
{
	atomic_fetch_add_explicit(&n_stacks, n, memory_order_relaxed);
}

void *table_page_alloc(void)
{
	/* Asked for under the space's lock, where little can be evicted: the reserve is for this. */
	struct page *p = page_alloc(0, PAGE_ZERO | PAGE_URGENT);
	if (p == NULL)
		return NULL;
	atomic_fetch_add_explicit(&n_tables, 1, memory_order_relaxed);
	return page_address(p);
}

void table_page_free(void *page)
{
	atomic_fetch_sub_explicit(&n_tables, 1, memory_order_relaxed);
	page_put(page_of_address(page));
}
