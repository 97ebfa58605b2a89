/*
 * Memory is short: take clean file pages out of the page tables, so that the page cache's clock can
 * evict them.  A clock of its own over the areas: a page whose accessed bit is set loses it and stays.
 */
#include "kernel/mem/area.h"

#define STEP (512 * PAGE_SIZE) /* looked at with the spinlock held */

/* Written pages hold what is nowhere else; locked and special areas stay. */
static bool is_candidate(const struct area *a)
{
	return a->cache != NULL && !(a->flags & (AREA_LOCKED | AREA_SPECIAL));
}

static void trim_range(struct gather *g, uintptr_t start, uintptr_t end, unsigned long *n)
{
	struct mmu *m = &g->s->mmu;
	struct mmu_entry e;
	for (uintptr_t va = start; *n > 0 && (va = mmu_next(m, va, end)) < end; va += e.size) {
		if (!mmu_lookup(m, va, &e))
			break;
		struct page *p = page_from_phys(e.pa);
		if (!(p->flags & PAGE_CACHED) || p->flags & PAGE_DIRTY || e.prot & MMU_WRITE)
			continue;
		if (e.accessed) {
			mmu_change(m, va, e.prot, NULL);
			continue;
		}
		if (!mmu_unmap(m, va, &e))
			break;
		gather_add(g, va, &e, p);
		(*n)--;
	}
}

static unsigned long trim_round(struct address_space *s, unsigned long n)
{
	unsigned long left = n;
	struct area *a;
	for_each_area_in(a, s, 0, USER_END)
	{
		for (uintptr_t at = a->start; left > 0 && is_candidate(a) && at < a->end;
			at += STEP) {
			struct gather g;
			g.s = s;
			g.n = 0;
			g.end = 0;
			irq_state state = spin_lock(&s->lock);
			trim_range(&g, at, min(at + STEP, a->end), &left);
			gather_end(&g);
			spin_unlock(&s->lock, state);
		}
	}
	return n - left;
}

unsigned long address_space_trim(struct address_space *s, unsigned long n)
{
	unsigned long gone = trim_round(s, n);
	/* The first round may only have taken marks off. */
	return gone > 0 ? gone : trim_round(s, n);
}
