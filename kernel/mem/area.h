/* Inside the address space: what its files share.  Callers elsewhere use address_space.h. */
#pragma once

#include "kernel/mem/address_space.h"

/* The space's spinlock, which remembers its holder for trimming.  Nothing but page tables, frames and
 * flushes may be asked for under it. */
static inline irq_state must_check space_lock(struct address_space *s)
{
	irq_state state = spin_lock(&s->lock);
	atomic_store_explicit(&s->lock_holder, cpu_id() + 1, memory_order_relaxed);
	return state;
}

static inline void space_unlock(struct address_space *s, irq_state state)
{
	atomic_store_explicit(&s->lock_holder, 0, memory_order_relaxed);
	spin_unlock(&s->lock, state);
}

#define STACK_GUARD_GAP (256 * PAGE_SIZE) /* as Linux keeps it */
#define AREAS_MAX 65530u                  /* vm.max_map_count */
#define LOW_END 0x80000000ul              /* MAP_LOW places below */

/* A copy of like that is in no tree, with a name and a reference on the cache of its own. */
int area_new(const struct area *like, struct area **out) must_check;
void area_free(struct area *a);

/* W.  In and out of the tree, with the accounts. */
void area_insert(struct address_space *s, struct area *a);
void area_remove(struct address_space *s, struct area *a);
/* W.  Move an end of an area outward; nothing is in the way. */
void area_extend(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end);

/* W.  See to it that no area reaches across that address.  -ENOMEM. */
int area_split(struct address_space *s, uintptr_t at) must_check;
/* W.  The same at both ends of the range. */
int area_isolate(struct address_space *s, uintptr_t start, uintptr_t end) must_check;
/* W.  Join neighbours that touch [start, end] and differ in nothing. */
void area_join(struct address_space *s, uintptr_t start, uintptr_t end);

/* R.  Does nothing lie in [start, end)? */
bool area_is_free(struct address_space *s, uintptr_t start, uintptr_t end);
/* R.  Is every address of [start, end) in an area? */
bool area_is_covered(struct address_space *s, uintptr_t start, uintptr_t end);
/* W.  Room for length bytes, as far up as it goes; 0 when there is none. */
uintptr_t area_find_gap(struct address_space *s, size_t length, uintptr_t top);

struct area *area_next(const struct area *a);
struct area *area_prev(const struct area *a);

/* Walk the areas that meet [start, end). */
#define for_each_area_in(a, s, from, to)                                                           \
	for (a = area_at_or_after((s), (from)); a != NULL && a->start < (to); a = area_next(a))

/* Does memory mapped like that count as a promise? */
bool commit_counts(unsigned prot, unsigned flags, const struct page_cache *cache);

/* What a page-table entry of that area may allow when it maps that page (any, for AREA_SPECIAL). */
unsigned area_page_prot(const struct area *a, const struct page *p);
/* The frame of zeroes that stands for anonymous pages never written. */
struct page *area_zero_page(void);
/* A private page: not the zero page, not of a cache. */
bool area_page_is_anonymous(const struct page *p);

/* Can trimming take it out of the page tables, if it is clean? */
bool area_page_is_trimmable(const struct page *p);
/* Trim this space when memory is short; the newest call counts. */
void trim_set_target(struct address_space *s);

/* W.  Take the pages of [start, end), inside a, out of the page tables and let them go. */
void area_unmap_pages(
	struct address_space *s, const struct area *a, uintptr_t start, uintptr_t end);

/* Pages that are on their way out: freed once no TLB can hold them. */
#define GATHER_MAX 64u
struct gather {
	struct address_space *s;
	uintptr_t start, end; /* what to flush */
	unsigned n;
	struct page *pages[GATHER_MAX];
};
void gather_init(struct gather *g, struct address_space *s);
static inline bool gather_is_full(const struct gather *g)
{
	return g->n == GATHER_MAX;
}
/* The entry e at va is gone; p is its page, or NULL (AREA_SPECIAL).  Not when it is full. */
void gather_add(struct gather *g, uintptr_t va, const struct mmu_entry *e, struct page *p);
/* Flush, free; it can be filled again.  Any lock may be held but those of page caches. */
void gather_flush(struct gather *g);
