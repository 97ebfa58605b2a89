/* mprotect(2). */
#include "abi/linux/errno.h"
#include "kernel/mem/area.h"

/* W.  Bring the entries of a in line with its permissions. */
static void protect_pages(struct address_space *s, const struct area *a)
{
	struct mmu_entry e;
	for (uintptr_t va = a->start; (va = mmu_next(&s->mmu, va, a->end)) < a->end; va += e.size) {
		if (!mmu_lookup(&s->mmu, va, &e))
			panic("no entry at %#lx", va);
		const struct page *p = a->flags & AREA_SPECIAL ? NULL : page_from_phys(e.pa);
		unsigned prot = area_page_prot(a, p);
		if (prot != e.prot)
			mmu_change(&s->mmu, va, prot, NULL);
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
