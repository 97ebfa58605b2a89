/* mprotect(2). */
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
	for_each_area_in(a, s, start, end) if (prot & ~a->max_prot) return -EACCES;
	int err = area_isolate(s, start, end);
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
