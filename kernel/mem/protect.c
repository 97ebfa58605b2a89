/* mprotect(2), and taking write access away from pages that are written back. */
#include "abi/linux/errno.h"
#include "kernel/mem/area.h"

#define STEP 256u /* entries changed with the spinlock held */

/* Some entries, from va on, under the spinlock; where to go on. */
static uintptr_t protect_some(struct address_space *s, const struct area *a, uintptr_t va)
{
	struct mmu_entry e;
	for (unsigned i = 0; i < STEP; i++, va += e.size) {
		va = mmu_next(&s->mmu, va, a->end);
		if (va >= a->end || !mmu_lookup(&s->mmu, va, &e))
			return a->end;
		const struct page *p = a->flags & AREA_SPECIAL ? NULL : page_from_phys(e.pa);
		unsigned prot = area_page_prot(a, p);
		if (prot != e.prot)
			mmu_change(&s->mmu, va, prot, NULL);
	}
	return va;
}

/* W.  Bring the entries of a in line with its permissions. */
static void protect_pages(struct address_space *s, const struct area *a)
{
	for (uintptr_t va = a->start; va < a->end;) {
		irq_state state = space_lock(s);
		va = protect_some(s, a, va);
		space_unlock(s, state);
	}
}

/* Memory that becomes writable is promised from then on. */
static int check_commit(struct address_space *s, uintptr_t start, uintptr_t end, unsigned prot)
{
	size_t bytes = 0;
	struct area *a;
	for_each_area_in(a, s, start, end) if (commit_counts(prot, a->flags, a->cache) &&
					       !commit_counts(a->prot, a->flags, a->cache)) bytes +=
		min(a->end, end) - max(a->start, start);
	return bytes > 0 ? commit_check(s, bytes) : 0;
}

int address_space_protect(struct address_space *s, uintptr_t start, size_t length, unsigned prot)
{
	if (!is_aligned(start, PAGE_SIZE))
		return -EINVAL;
	if (length == 0)
		return 0;
	if (start >= USER_END || length > USER_END - start)
		return -ENOMEM;
	uintptr_t end = align_up(start + length, PAGE_SIZE);
	if (!area_is_covered(s, start, end))
		return -ENOMEM;
	struct area *a;
	for_each_area_in(a, s, start, end)
	{
		if (prot & ~a->max_prot)
			return -EACCES;
		if (s->deny_exec_gain && (prot & MMU_EXEC) &&
			((prot & MMU_WRITE) || !(a->prot & MMU_EXEC)))
			return -EACCES;
	}
	int err = check_commit(s, start, end, prot);
	if (err == 0)
		err = area_isolate(s, start, end);
	if (err < 0)
		return err;
	bool narrowed = false;
	for_each_area_in(a, s, start, end)
	{
		unsigned old = a->prot;
		if (old == prot)
			continue;
		a->prot = prot;
		protect_pages(s, a);
		narrowed |= (old & ~prot) != 0;
	}
	/* Stale entries that allow too little fault once and are dropped then. */
	if (narrowed)
		mmu_flush(&s->mmu, start, end);
	area_join(s, start, end);
	return 0;
}

/* --- write-back ------------------------------------------------------------------------------------ */

/* Entries of [start, end), which lies in a.  Whether any was writable. */
static bool clean_pages(struct address_space *s, uintptr_t start, uintptr_t end)
{
	bool any = false;
	for (uintptr_t va = start; va < end;) {
		struct mmu_entry e;
		irq_state state = space_lock(s);
		va = mmu_next(&s->mmu, va, end);
		if (va < end && mmu_lookup(&s->mmu, va, &e)) {
			if (e.prot & MMU_WRITE) {
				mmu_change(&s->mmu, va, e.prot & ~MMU_WRITE, NULL);
				any = true;
			}
			va += e.size;
		}
		space_unlock(s, state);
	}
	return any;
}

void address_space_clean_cache(
	struct address_space *s, struct page_cache *c, uint64_t first, uint64_t n)
{
	if (atomic_load(&c->n_areas) == 0)
		return;
	uint64_t from = first * PAGE_SIZE, to = from + n * PAGE_SIZE;
	struct area *a;
	for_each_area_in(a, s, 0, USER_END)
	{
		uint64_t a_end = a->offset + (a->end - a->start);
		if (a->cache != c || !(a->flags & AREA_SHARED) || a_end <= from || a->offset >= to)
			continue;
		uintptr_t start = a->start + (from > a->offset ? from - a->offset : 0);
		uintptr_t end = a->start + (min(to, a_end) - a->offset);
		if (clean_pages(s, start, end))
			mmu_flush(&s->mmu, start, end);
	}
}
