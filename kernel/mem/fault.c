/*
 * Page faults: R is held, so areas stand still; other CPUs may resolve faults of the same page.  Each
 * kind of fault first gets the page, without locks, then enters it if nothing is there yet, or, under the
 * spinlock, if the entry is still as it was; if not, somebody else was faster, and trying again is always
 * right.  Pages that trimming may take away enter under the spinlock, for the accounts.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/string.h"
#include "kernel/mem/area.h"
#include "kernel/mem/large.h"
#include "kernel/mem/thrash.h"

#define AROUND 16u /* pages of a file entered per fault, if they are in the cache; divides 64 */

struct fault {
	struct address_space *s;
	const struct area *area;
	uintptr_t va; /* page-aligned */
	bool write;
};

/* Enter p, whose reference becomes the entry's, where nothing is. */
static int enter_at(struct fault *f, uintptr_t va, struct page *p)
{
	return mmu_map(&f->s->mmu, va, page_to_phys(p), PAGE_SIZE, area_page_prot(f->area, p));
}

/* n pages like p were entered. */
static void count_entered(struct fault *f, const struct page *p, unsigned n)
{
	atomic_fetch_add_explicit(&f->s->resident_pages, n, memory_order_relaxed);
	if (area_page_is_trimmable(p))
		atomic_fetch_add_explicit(&f->s->n_trimmable, n, memory_order_relaxed);
	else if (area_page_is_anonymous(p))
		page_count_anonymous(n);
}

static int enter(struct fault *f, struct page *p)
{
	bool trimmable = area_page_is_trimmable(p);
	irq_state state = {0};
	if (trimmable)
		state = space_lock(f->s);
	int err = enter_at(f, f->va, p);
	if (err == 0)
		count_entered(f, p, 1);
	if (trimmable)
		space_unlock(f->s, state);
	if (likely(err == 0))
		return 0;
	page_put(p);
	return err == -EEXIST ? 0 : err;
}

static int fault_anonymous(struct fault *f)
{
	if (f->write && large_fault(f->s, f->area, f->va) == 0)
		return 0;
	struct page *p = area_zero_page();
	if (f->write)
		p = page_alloc(0, PAGE_ZERO);
	else
		page_get(p);
	return p == NULL ? -ENOMEM : enter(f, p);
}

/* AREA_SPECIAL: the frame need not have a descriptor. */
static int fault_special(struct fault *f)
{
	const void *page = f->area->pages[(f->va - f->area->start) / PAGE_SIZE];
	int err = mmu_map(
		&f->s->mmu, f->va, virt_to_phys(page), PAGE_SIZE, area_page_prot(f->area, NULL));
	return err == -EEXIST ? 0 : err;
}

/* --- files ------------------------------------------------------------------------------------- */

static uint64_t index_of(const struct area *a, uintptr_t va)
{
	return (a->offset + (va - a->start)) / PAGE_SIZE;
}

static uint64_t n_file_pages(const struct page_cache *c)
{
	return div_round_up(atomic_load_explicit(&c->size, memory_order_relaxed), PAGE_SIZE);
}

/* Neighbours that are in the cache already, to save their faults. */
static void enter_around(struct fault *f, uint64_t index)
{
	const struct area *a = f->area;
	uint64_t end = min(index_of(a, a->end), n_file_pages(a->cache));
	uint64_t first = max(align_down(index, AROUND), a->offset / PAGE_SIZE);
	end = min(end, align_down(index, AROUND) + AROUND);
	if (first + 1 >= end)
		return;
	struct page *pages[AROUND], *last = NULL;
	unsigned n = (unsigned)(end - first), n_entered = 0;
	uintptr_t va = a->start + (first * PAGE_SIZE - a->offset);
	page_cache_find_run(a->cache, first, n, pages);
	irq_state state = space_lock(f->s);
	for (unsigned i = 0; i < n; i++, va += PAGE_SIZE) {
		if (pages[i] == NULL)
			continue;
		if (enter_at(f, va, pages[i]) < 0) {
			page_put(pages[i]);
			continue;
		}
		last = pages[i];
		n_entered++;
	}
	if (last != NULL)
		count_entered(f, last, n_entered);
	space_unlock(f->s, state);
}

static int copy_page(struct page *from, struct page **out)
{
	struct page *copy = page_alloc(0, from == area_zero_page() ? PAGE_ZERO : 0);
	if (copy == NULL)
		return -ENOMEM;
	if (from != area_zero_page())
		memcpy(page_address(copy), page_address(from), PAGE_SIZE);
	*out = copy;
	return 0;
}

static int get_file_page(struct fault *f, uint64_t index, struct page **out)
{
	struct page_cache *c = f->area->cache;
	if (index >= n_file_pages(c))
		return -EIO;
	*out = page_cache_find(c, index);
	if (*out != NULL)
		return 0;
	if (f->area->prot & MMU_EXEC && thrash_check_code(c, index) < 0)
		return -ENOMEM;
	atomic_fetch_add_explicit(&f->s->major_faults, 1, memory_order_relaxed);
	int err = page_cache_get(c, index, out);
	return err < 0 && err != -ENOMEM ? -EIO : err;
}

static int fault_file(struct fault *f)
{
	const struct area *a = f->area;
	uint64_t index = index_of(a, f->va);
	struct page *p = NULL;
	int err = get_file_page(f, index, &p);
	if (err < 0)
		return err;
	if (f->write && a->flags & AREA_SHARED) {
		err = page_cache_dirty(a->cache, p);
		if (err < 0) {
			page_put(p);
			return err == -ENOMEM ? err : -EIO;
		}
	} else if (f->write) {
		struct page *copy = NULL;
		err = copy_page(p, &copy);
		page_put(p);
		return err < 0 ? err : enter(f, copy);
	}
	err = enter(f, p);
	if (err == 0 && !f->write)
		enter_around(f, index);
	return err;
}

/* --- a page is there ---------------------------------------------------------------------------- */

/* Replace the entry, if it is still e, by one for p (perhaps the same page); whether it was. */
static bool change(struct fault *f, const struct mmu_entry *e, struct page *p)
{
	struct mmu_entry now;
	irq_state state = space_lock(f->s);
	bool same =
		mmu_lookup(&f->s->mmu, f->va, &now) && now.pa.pa == e->pa.pa && now.prot == e->prot;
	if (same) {
		phys_addr pa = page_to_phys(p);
		mmu_change(&f->s->mmu, f->va, area_page_prot(f->area, p), &pa);
	}
	space_unlock(f->s, state);
	return same;
}

static int copy_on_write(struct fault *f, const struct mmu_entry *e, struct page *old)
{
	struct page *copy = NULL;
	int err = copy_page(old, &copy);
	if (err < 0)
		return err;
	if (!change(f, e, copy)) {
		page_put(copy);
		return 0;
	}
	/* Other CPUs may still read the old page through their TLBs. */
	mmu_flush(&f->s->mmu, f->va, f->va + PAGE_SIZE);
	if (area_page_is_trimmable(old))
		atomic_fetch_sub_explicit(&f->s->n_trimmable, 1, memory_order_relaxed);
	page_put(old);
	page_count_anonymous(1);
	return 0;
}

/* p is the entry's page, with a reference of ours. */
static int fault_present(struct fault *f, const struct mmu_entry *e, struct page *p)
{
	if (f->write && !(e->prot & MMU_WRITE)) {
		if (f->area->flags & AREA_SHARED) {
			int err = page_cache_dirty(f->area->cache, p);
			if (err < 0)
				return err == -ENOMEM ? err : -EIO;
		} else if (!area_page_is_anonymous(p)) {
			return copy_on_write(f, e, p);
		}
	}
	/* Access is only widened here, or was by somebody else: stale entries elsewhere fault again. */
	if (e->prot != area_page_prot(f->area, p))
		change(f, e, p);
	mmu_flush_local(&f->s->mmu, f->va);
	return 0;
}

/* What is entered, and its page with a reference (trimming could take it away); NULL: nothing is. */
static struct page *look(struct fault *f, struct mmu_entry *e)
{
	struct page *p = NULL;
	if (!mmu_lookup(&f->s->mmu, f->va, e))
		return NULL;
	irq_state state = space_lock(f->s);
	if (mmu_lookup(&f->s->mmu, f->va, e)) {
		p = page_from_phys(e->pa);
		page_get(p);
	}
	space_unlock(f->s, state);
	return p;
}

/* --- the way in ---------------------------------------------------------------------------------- */

/* The stack that may grow down to address, grown; NULL when there is none, or no room. */
static struct area *grow_stack(struct address_space *s, uintptr_t address)
{
	struct area *a = area_at_or_after(s, address);
	if (a == NULL || !(a->flags & AREA_STACK))
		return NULL;
	uintptr_t start = align_down(address, PAGE_SIZE);
	struct area *below = area_prev(a);
	uintptr_t floor =
		below == NULL ? USER_START : below->end + (below->prot ? STACK_GUARD_GAP : 0);
	irq_state state = space_lock(s);
	uint64_t grown = a->start > start ? a->start - start : 0;
	bool fits = start >= floor && a->end - start <= s->stack_limit_bytes &&
		    s->total_bytes + grown <= s->limit_bytes;
	if (fits && grown > 0)
		area_extend(s, a, start, a->end);
	space_unlock(s, state);
	return fits ? a : NULL;
}

static bool is_allowed(const struct area *a, unsigned access)
{
	if (access & FAULT_WRITE)
		return a->prot & MMU_WRITE;
	if (access & FAULT_EXEC)
		return a->prot & MMU_EXEC;
	return a->prot != 0;
}

int address_space_fault(struct address_space *s, uintptr_t address, unsigned access)
{
	const struct area *a = area_at(s, address);
	if (a == NULL)
		a = grow_stack(s, address);
	if (a == NULL)
		return -EFAULT;
	if (!is_allowed(a, access))
		return -EACCES;
	atomic_fetch_add_explicit(&s->minor_faults, 1, memory_order_relaxed);
	struct fault f = {s, a, align_down(address, PAGE_SIZE), access & FAULT_WRITE};
	if (a->flags & AREA_SPECIAL)
		return f.write ? -EACCES : fault_special(&f);
	struct mmu_entry e;
	struct page *p = look(&f, &e);
	if (p == NULL)
		return a->cache == NULL ? fault_anonymous(&f) : fault_file(&f);
	int err = fault_present(&f, &e, p);
	page_put(p);
	return err;
}

void address_space_populate(struct address_space *s, uintptr_t start, size_t length)
{
	for (uintptr_t va = align_down(start, PAGE_SIZE); va < start + length; va += PAGE_SIZE) {
		const struct area *a = area_at(s, va);
		if (a == NULL || a->prot == 0)
			continue;
		bool write = a->prot & MMU_WRITE && !(a->flags & AREA_SHARED);
		if (address_space_fault(s, va, write ? FAULT_WRITE : 0) < 0)
			return;
	}
}
