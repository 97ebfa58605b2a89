/* Address spaces: life, mmap(2), munmap(2), brk(2), truncation of mapped files. */
#include "abi/linux/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mem/area.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/large.h"

static struct page *zero_page;

struct page *area_zero_page(void)
{
	return zero_page;
}

bool area_page_is_anonymous(const struct page *p)
{
	return p != zero_page && !(p->flags & PAGE_CACHED);
}

/* Writing is allowed at once only where no first write must be noticed: private copies, and shared
 * pages that are dirty already or whose owner does not ask. */
static bool is_writable(const struct area *a, const struct page *p)
{
	if (a->flags & AREA_SPECIAL)
		return false;
	if (!(a->flags & AREA_SHARED))
		return area_page_is_anonymous(p);
	return p->flags & PAGE_DIRTY ||
	       (a->cache->flags & PAGE_CACHE_KEEP && a->cache->ops->dirty == NULL);
}

unsigned area_page_prot(const struct area *a, const struct page *p)
{
	unsigned prot = a->prot;
	if (prot == 0)
		return 0;
	if (prot & MMU_WRITE && !is_writable(a, p))
		prot &= ~MMU_WRITE;
	return prot | MMU_READ | MMU_USER; /* what can be written or executed can be read */
}

int address_space_init(struct address_space *s, uintptr_t mmap_top)
{
	if (zero_page == NULL)
		zero_page = page_alloc(0, PAGE_ZERO);
	if (zero_page == NULL)
		return -ENOMEM;
	*s = (struct address_space){
		.mmap_top = mmap_top,
		.gap_top = mmap_top,
		.limit_bytes = UINT64_MAX,
		.data_limit_bytes = UINT64_MAX,
		.stack_limit_bytes = 8 << 20,
	};
	int err = mmu_init(&s->mmu);
	if (err == 0)
		trim_set_target(s);
	return err;
}

/* --- letting pages go --------------------------------------------------------------------------- */

void gather_init(struct gather *g, struct address_space *s)
{
	g->s = s;
	g->n = 0;
	g->end = 0;
}

void gather_flush(struct gather *g)
{
	if (g->end == 0)
		return;
	mmu_flush(&g->s->mmu, g->start, g->end);
	for (unsigned i = 0; i < g->n; i++)
		page_put(g->pages[i]);
	g->n = 0;
	g->end = 0;
}

void gather_add(struct gather *g, uintptr_t va, const struct mmu_entry *e, struct page *p)
{
	if (g->end == 0)
		g->start = va;
	g->end = va + e->size;
	if (p == NULL)
		return;
	uint64_t n_pages = e->size / PAGE_SIZE;
	if (n_pages > 1)
		large_gone(g->s);
	if (area_page_is_anonymous(p))
		page_count_anonymous(-(long)n_pages);
	if (area_page_is_trimmable(p))
		atomic_fetch_sub_explicit(&g->s->n_trimmable, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&g->s->resident_pages, n_pages, memory_order_relaxed);
	g->pages[g->n++] = p;
}

/* As many as the gather holds, under the spinlock; where to go on. */
static uintptr_t unmap_some(struct gather *g, const struct area *a, uintptr_t va, uintptr_t end)
{
	struct mmu *m = &g->s->mmu;
	irq_state state = space_lock(g->s);
	struct mmu_entry e;
	while (!gather_is_full(g) && (va = mmu_unmap_next(m, va, end, &e)) < end) {
		gather_add(g, va, &e, a->flags & AREA_SPECIAL ? NULL : page_from_phys(e.pa));
		va += e.size;
	}
	space_unlock(g->s, state);
	return va;
}

void area_unmap_pages(struct address_space *s, const struct area *a, uintptr_t start, uintptr_t end)
{
	struct gather g;
	uintptr_t first = start;
	gather_init(&g, s);
	while (start < end) {
		start = unmap_some(&g, a, start, end);
		gather_flush(&g);
	}
	if (end - first >= LARGE_PAGE_SIZE) {
		irq_state state = space_lock(s);
		mmu_prune(&s->mmu, first, end);
		space_unlock(s, state);
	}
}

/* No area reaches across start or end. */
static void unmap_whole(struct address_space *s, uintptr_t start, uintptr_t end)
{
	struct area *a = area_at_or_after(s, start);
	while (a != NULL && a->start < end) {
		struct area *next = area_next(a);
		area_unmap_pages(s, a, a->start, a->end);
		area_remove(s, a);
		area_free(a);
		a = next;
	}
}

void address_space_clear(struct address_space *s)
{
	unmap_whole(s, 0, USER_END);
	mmu_destroy(&s->mmu);
	s->brk_start = s->brk = 0;
	s->gap_top = s->mmap_top;
	s->gap_largest = 0;
}

int address_space_unmap(struct address_space *s, uintptr_t start, size_t length)
{
	if (!is_aligned(start, PAGE_SIZE) || length == 0 || start >= USER_END ||
		length > USER_END - start)
		return -EINVAL;
	uintptr_t end = align_up(start + length, PAGE_SIZE);
	int err = area_isolate(s, start, end);
	if (err < 0)
		return err;
	unmap_whole(s, start, end);
	return 0;
}

void address_space_unmap_cache(struct address_space *s, struct page_cache *c, uint64_t from)
{
	from = align_up(from, PAGE_SIZE);
	if (atomic_load(&c->n_areas) == 0)
		return;
	struct area *a;
	for_each_area_in(a, s, 0, USER_END)
	{
		if (a->cache != c || a->offset + (a->end - a->start) <= from)
			continue;
		uintptr_t start = a->start + (from > a->offset ? from - a->offset : 0);
		area_unmap_pages(s, a, start, a->end);
	}
}

/* --- mmap --------------------------------------------------------------------------------------- */

static int choose_address(
	struct address_space *s, const struct map_request *r, size_t length, uintptr_t *out)
{
	uintptr_t at = r->address;
	if (r->how & (MAP_AT | MAP_AT_NEW)) {
		if (!is_aligned(at, PAGE_SIZE))
			return -EINVAL;
		if (at > USER_END || length > USER_END - at)
			return -ENOMEM;
		if (at < USER_START)
			return -EPERM;
		if (r->how & MAP_AT_NEW && !area_is_free(s, at, at + length))
			return -EEXIST;
		*out = at;
		return 0;
	}
	at = align_down(at, PAGE_SIZE);
	uintptr_t limit = r->how & MAP_LOW ? LOW_END : USER_END;
	if (at >= USER_START && at < limit && length <= limit - at &&
		area_is_free(s, at, at + length)) {
		*out = at;
		return 0;
	}
	at = area_find_gap(s, length, r->how & MAP_LOW ? LOW_END : s->mmap_top);
	if (at == 0 && !(r->how & MAP_LOW))
		at = area_find_gap(s, length, USER_END);
	*out = at;
	return at == 0 ? -ENOMEM : 0;
}

int address_space_map(struct address_space *s, const struct map_request *r, uintptr_t *out)
{
	if (r->length == 0 || !is_aligned(r->offset, PAGE_SIZE))
		return -EINVAL;
	if (r->length > USER_END)
		return -ENOMEM;
	if (s->deny_exec_gain && (r->prot & MMU_EXEC) && (r->prot & MMU_WRITE))
		return -EACCES;
	size_t length = align_up(r->length, PAGE_SIZE);
	if (r->offset + length < r->offset)
		return -EOVERFLOW;
	if (s->total_bytes + length > s->limit_bytes || s->n_areas >= AREAS_MAX)
		return -ENOMEM;
	struct area like = {
		.prot = r->prot,
		.max_prot = r->max_prot,
		.flags = r->flags,
		.cache = r->cache,
		.offset = r->offset,
		.pages = r->pages,
		.name = (char *)(uintptr_t)r->name,
		.id = r->id,
		.device = r->device,
	};
	int err = 0;
	if (commit_counts(r->prot, r->flags, r->cache))
		err = commit_check(s, length);
	if (err == 0)
		err = choose_address(s, r, length, &like.start);
	if (err < 0)
		return err;
	like.end = like.start + length;
	struct area *a = NULL;
	err = area_new(&like, &a);
	if (err < 0)
		return err;
	if (r->how & MAP_AT) {
		err = address_space_unmap(s, like.start, length);
		if (err < 0) {
			area_free(a);
			return err;
		}
	}
	area_insert(s, a);
	area_join(s, like.start, like.end);
	if (r->how & MAP_POPULATE_NOW)
		address_space_populate(s, like.start, length);
	*out = like.start;
	return 0;
}

uintptr_t address_space_brk(struct address_space *s, uintptr_t new_brk)
{
	if (new_brk < s->brk_start || new_brk >= USER_END)
		return s->brk;
	uintptr_t old_end = align_up(s->brk, PAGE_SIZE), new_end = align_up(new_brk, PAGE_SIZE);
	if (new_end < old_end) {
		if (address_space_unmap(s, new_end, old_end - new_end) < 0)
			return s->brk;
	} else if (new_end > old_end) {
		const struct map_request r = {
			.address = old_end,
			.length = new_end - old_end,
			.how = MAP_AT_NEW,
			.prot = MMU_READ | MMU_WRITE,
			.max_prot = MMU_READ | MMU_WRITE | MMU_EXEC,
			.flags = AREA_HEAP,
		};
		uintptr_t at;
		/* One page stays free above, as a guard. */
		if (new_brk - s->brk_start > s->data_limit_bytes ||
			!area_is_free(s, old_end, new_end + PAGE_SIZE) ||
			address_space_map(s, &r, &at) < 0)
			return s->brk;
	}
	s->brk = new_brk;
	return new_brk;
}
