/*
 * Kernel heap.  Up to 2 KB: size classes cut from slabs of one frame, in front of them per CPU a
 * magazine (a chain of free blocks) for each class, so that the usual case is a few instructions
 * with interrupts off.  Above: whole blocks of frames, up to 2 MB.
 *
 * A class's lock is never held while a frame is asked for: that may evict page cache, which frees
 * heap blocks.
 */
#include "kernel/mem/heap.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/poison.h"
#include "kernel/lib/string.h"
#include "kernel/mem/page.h"

#define N_CLASSES 16u
#define SMALL_MAX 2048u
#define LARGE_MAX (PAGE_SIZE << PAGE_ORDER_MAX)

/* 16 to 128 in steps of 16, then two per doubling. */
static const uint16_t class_size[N_CLASSES] = {
	16, 32, 48, 64, 80, 96, 112, 128, 192, 256, 384, 512, 768, 1024, 1360, 2048};

/* The first word of a free block. */
struct block {
	struct block *next;
};

struct class
{
	struct spinlock lock;
	struct list partial; /* under lock: slabs with free blocks */
};

/* Of a slab, struct page has: n_blocks, the blocks in use; index, the first free block; cache, the
 * number of its class. */

struct magazine {
	struct block *first;
	unsigned n;
};

static struct class classes[N_CLASSES];
static struct magazine magazines[CPU_MAX][N_CLASSES]; /* of its own CPU, interrupts off */

static unsigned class_of(size_t size)
{
	if (size <= 128)
		return size == 0 ? 0 : (unsigned)((size - 1) / 16);
	if (size > 1024)
		return size <= 1360 ? 14 : 15;
	unsigned top = 63 - (unsigned)__builtin_clzll(size - 1); /* 7, 8, 9 */
	return 8 + 2 * (top - 7) + (unsigned)((size - 1) >> (top - 1) & 1);
}

/* What a magazine takes at most, and moves by half. */
static unsigned magazine_size(unsigned class)
{
	return class_size[class] <= 256 ? 32 : 8;
}

/* --- slabs, under the lock of their class ---------------------------------------------------- */

static struct block *slab_first(const struct page *slab)
{
	return (struct block *)(uintptr_t)slab->index;
}

static struct block *slab_take(struct page *slab)
{
	struct block *b = slab_first(slab);
	slab->index = (uintptr_t)b->next;
	slab->n_blocks++;
	if (slab->index == 0)
		list_remove(&slab->link);
	return b;
}

/* The slab when it has run empty: off the list, for the caller to free without the lock. */
static struct page *slab_put(struct class *c, struct page *slab, struct block *b)
{
	if (slab->index == 0)
		list_push_front(&c->partial, &slab->link);
	b->next = slab_first(slab);
	slab->index = (uintptr_t)b;
	if (--slab->n_blocks != 0)
		return NULL;
	list_remove(&slab->link);
	return slab;
}

static struct page *slab_new(unsigned class)
{
	struct page *slab = page_alloc(0, 0);
	if (slab == NULL)
		return NULL;
	page_count_heap(1);
	char *base = page_address(slab);
	size_t size = class_size[class];
	struct block *first = NULL;
	for (size_t at = (PAGE_SIZE / size) * size; at > 0; at -= size) {
		struct block *b = (struct block *)(base + at - size);
		b->next = first;
		first = b;
	}
	for (struct block *b = first; b != NULL; b = b->next)
		poison(b + 1, size - sizeof(*b));
	list_init(&slab->link);
	slab->flags = PAGE_SLAB;
	slab->index = (uintptr_t)first;
	slab->cache = (struct page_cache *)(uintptr_t) class;
	return slab;
}

/* --- magazines, interrupts off --------------------------------------------------------------- */

static void magazine_fill(struct magazine *m, struct class *c, unsigned n)
{
	spin_lock_nested(&c->lock);
	while (m->n < n && !list_empty(&c->partial)) {
		struct block *b = slab_take(list_first(&c->partial, struct page, link));
		b->next = m->first;
		m->first = b;
		m->n++;
	}
	spin_unlock_nested(&c->lock);
}

static void slab_add(struct class *c, struct page *slab)
{
	spin_lock_nested(&c->lock);
	list_push_front(&c->partial, &slab->link);
	spin_unlock_nested(&c->lock);
}

static bool magazine_refill(struct magazine *m, unsigned class)
{
	struct class *c = &classes[class];
	if (unlikely(c->partial.next == NULL)) {
		spin_lock_nested(&c->lock);
		if (c->partial.next == NULL)
			list_init(&c->partial);
		spin_unlock_nested(&c->lock);
	}
	magazine_fill(m, c, magazine_size(class) / 2);
	if (m->n > 0)
		return true;
	struct page *slab = slab_new(class);
	if (slab != NULL) {
		slab_add(c, slab);
		magazine_fill(m, c, magazine_size(class) / 2);
	}
	return m->n > 0; /* eviction in slab_new() may have filled it, too */
}

/* Half of the magazine goes back to the slabs. */
static void magazine_spill(struct magazine *m, unsigned class)
{
	struct class *c = &classes[class];
	struct page *empty = NULL;
	spin_lock_nested(&c->lock);
	for (unsigned i = magazine_size(class) / 2; i > 0; i--) {
		struct block *b = m->first;
		m->first = b->next;
		m->n--;
		struct page *slab = slab_put(c, page_of_address(b), b);
		if (slab != NULL) {
			slab->owner_a = empty;
			empty = slab;
		}
	}
	spin_unlock_nested(&c->lock);
	while (empty != NULL) {
		struct page *next = empty->owner_a;
		page_count_heap(-1);
		page_put(empty);
		empty = next;
	}
}

static void *small_alloc(size_t size)
{
	unsigned class = class_of(size + POISON_GAP);
	irq_state state = irq_save();
	struct magazine *m = &magazines[cpu_id()][class];
	struct block *b = NULL;
	if (likely(m->n > 0) || magazine_refill(m, class)) {
		b = m->first;
		m->first = b->next;
		m->n--;
	}
	irq_restore(state);
	if (b != NULL)
		unpoison(b, size);
	return b;
}

static void small_free(struct page *slab, void *block)
{
	unsigned class = (unsigned)(uintptr_t)slab->cache;
	struct block *b = block;
	poison(b, class_size[class]);
	unpoison(b, sizeof(*b));
	irq_state state = irq_save();
	struct magazine *m = &magazines[cpu_id()][class];
	b->next = m->first;
	m->first = b;
	if (++m->n > magazine_size(class))
		magazine_spill(m, class);
	irq_restore(state);
}

/* --- large blocks ---------------------------------------------------------------------------- */

static unsigned order_of(size_t size)
{
	unsigned order = 0;
	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

static void *large_alloc(size_t size, unsigned flags)
{
	if (size > LARGE_MAX)
		return NULL;
	struct page *p = page_alloc(order_of(size), flags);
	if (p == NULL)
		return NULL;
	p->flags = PAGE_BLOCK;
	poison((char *)page_address(p) + size, (PAGE_SIZE << p->order) - size);
	page_count_heap(1l << p->order);
	return page_address(p);
}

/* --- the interface --------------------------------------------------------------------------- */

void *heap_alloc(size_t size)
{
	return size <= SMALL_MAX - POISON_GAP ? small_alloc(size) : large_alloc(size, 0);
}

void *heap_zalloc(size_t size)
{
	if (size > SMALL_MAX - POISON_GAP)
		return large_alloc(size, PAGE_ZERO);
	void *block = small_alloc(size);
	if (block != NULL)
		memset(block, 0, size);
	return block;
}

void *heap_array(size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return heap_zalloc(bytes);
}

static size_t usable_size(const struct page *p)
{
	return p->flags & PAGE_SLAB ? class_size[(uintptr_t)p->cache] : PAGE_SIZE << p->order;
}

void *heap_resize(void *old, size_t size)
{
	if (old == NULL)
		return heap_alloc(size);
	size_t usable = usable_size(page_of_address(old));
	if (POISON_GAP == 0 && size <= usable && size > usable / 4)
		return old;
	void *new = heap_alloc(size);
	if (new == NULL)
		return NULL;
	unpoison(old, usable);
	memcpy(new, old, min(size, usable));
	heap_free(old);
	return new;
}

void heap_free(void *block)
{
	if (block == NULL)
		return;
	struct page *p = page_of_address(block);
	if (likely(p->flags & PAGE_SLAB)) {
		small_free(p, block);
		return;
	}
	assert(p->flags & PAGE_BLOCK);
	page_count_heap(-(1l << p->order));
	page_put(p);
}

char *heap_string(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = heap_alloc(size);
	if (copy != NULL)
		memcpy(copy, s, size);
	return copy;
}

void *port_alloc(size_t size)
{
	return heap_zalloc(size);
}

void port_free(void *block)
{
	heap_free(block);
}
