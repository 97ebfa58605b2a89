/*
 * Memory is short: take clean file pages out of the page tables, so that the page cache's clock can
 * evict them.  A clock of its own over the page tables: an entry whose accessed bit is set loses it
 * and stays.  Runs inside allocations made anywhere, with any lock held: so it takes no lock but the
 * space's spinlock, under which nobody waits for any other; unless this CPU holds that itself.
 */
#include "kernel/arch/timer.h"
#include "kernel/mem/area.h"
#include "kernel/mem/large.h"

#define LOOK_MAX 1024u            /* entries looked at in one go, with the spinlock held */
#define PAUSE_NS (10 * NS_PER_MS) /* after a round over everything that found nothing */

static struct address_space *_Atomic target;
static _Atomic uint64_t pause_until_ns;

void trim_set_target(struct address_space *s)
{
	atomic_store(&target, s);
}

bool area_page_is_trimmable(const struct page *p)
{
	return (p->flags & (PAGE_CACHED | PAGE_KEPT)) == PAGE_CACHED;
}

/* Take the entry out if it may go. */
static void look_at(struct gather *g, uintptr_t va, const struct mmu_entry *e)
{
	struct mmu *m = &g->s->mmu;
	/* Special pages are not among the frames; no cache's pages are writable and clean. */
	struct page *p = page_from_phys_any(e->pa);
	if (p == NULL || !area_page_is_trimmable(p) || p->flags & PAGE_DIRTY || e->prot & MMU_WRITE)
		return;
	struct mmu_entry gone;
	if (e->accessed)
		mmu_change(m, va, e->prot, NULL);
	else if (mmu_unmap(m, va, &gone))
		gather_add(g, va, &gone, p);
}

/* Under the spinlock; 1 when the end of the space was reached. */
static unsigned look_around(struct gather *g, unsigned long n)
{
	struct mmu *m = &g->s->mmu;
	uintptr_t va = g->s->trim_at;
	for (unsigned i = 0; i < LOOK_MAX && g->n < n && !gather_is_full(g); i++) {
		struct mmu_entry e;
		va = mmu_next(m, va, USER_END);
		if (va >= USER_END || !mmu_lookup(m, va, &e)) {
			g->s->trim_at = 0;
			return 1;
		}
		look_at(g, va, &e);
		va += e.size;
	}
	g->s->trim_at = va;
	return 0;
}

static bool is_held_here(struct address_space *s)
{
	irq_state state = irq_save();
	bool here = atomic_load_explicit(&s->lock_holder, memory_order_relaxed) == cpu_id() + 1;
	irq_restore(state);
	return here;
}

unsigned long address_space_trim(struct address_space *s, unsigned long n)
{
	if (is_held_here(s))
		return 0;
	/* From the middle to the end, all, and all again without marks. */
	unsigned n_ends = 0;
	unsigned long n_gone = 0;
	while (n_ends < 3 && n_gone < n && atomic_load(&s->n_trimmable) > 0) {
		struct gather g;
		gather_init(&g, s);
		irq_state state = space_lock(s);
		n_ends += look_around(&g, n - n_gone);
		n_gone += g.n;
		gather_flush(&g);
		space_unlock(s, state);
	}
	return n_gone;
}

/* Nothing of files is left to take. */
static unsigned long trim_large(struct address_space *s, unsigned long n)
{
	if (atomic_load(&s->large_pages) <= 0)
		return 0;
	irq_state state = space_lock(s);
	unsigned long n_gone = large_trim(s, n);
	space_unlock(s, state);
	return n_gone;
}

unsigned long trim_pages(unsigned long n)
{
	struct address_space *s = atomic_load(&target);
	uint64_t now_ns = clock_monotonic_ns();
	if (s == NULL || now_ns < atomic_load(&pause_until_ns) || is_held_here(s))
		return 0;
	unsigned long n_gone = address_space_trim(s, n);
	if (n_gone == 0)
		n_gone = trim_large(s, n);
	if (n_gone == 0)
		atomic_store(&pause_until_ns, now_ns + PAUSE_NS);
	return n_gone;
}
