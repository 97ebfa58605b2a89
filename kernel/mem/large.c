/*
 * Large pages (2 MB) in anonymous areas.  One is entered at a fault where the area reaches around it, no table
 * stands in its place and a quarter of the memory stays free.  It is a block of frames with one entry; whatever
 * wants to treat a part of it differently cuts it into single frames first.
 *
 * Small machines get none unless the program asks (MADV_HUGEPAGE): a program that touches a little
 * here and there must fit.  When memory runs short anyway, frames that are still all zeroes are taken
 * back out of large pages.
 */
#include "kernel/mem/large.h"

#include "abi/linux/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define FRAMES (LARGE_PAGE_SIZE / PAGE_SIZE)
#define MACHINE_MIN (64ul << 20) /* below: only where the program asks */
#define LOOK_MAX 512u            /* places of large pages looked at in one go */
#define WORTH 16u                /* frames that must be zeroes for a page to be cut */

static atomic_uint policy = LARGE_ALWAYS;

void large_set_policy(enum large_policy p)
{
	atomic_store_explicit(&policy, p, memory_order_relaxed);
}

enum large_policy large_get_policy(void)
{
	return atomic_load_explicit(&policy, memory_order_relaxed);
}

/* May pages of the area be large at all, and does it reach around va's? */
static bool is_possible(const struct area *a, uintptr_t va)
{
	uintptr_t start = align_down(va, LARGE_PAGE_SIZE);
	return a->cache == NULL && !(a->flags & (AREA_STACK | AREA_SPECIAL | AREA_NO_HUGE)) &&
	       start >= a->start && start + LARGE_PAGE_SIZE <= a->end;
}

static bool is_wanted(const struct address_space *s, const struct area *a)
{
	enum large_policy p = large_get_policy();
	if (s->no_large_pages || p == LARGE_NEVER)
		return false;
	if (a->flags & AREA_HUGE)
		return true;
	return p == LARGE_ALWAYS && page_total() >= MACHINE_MIN / PAGE_SIZE;
}

static void count(struct address_space *s, long n)
{
	atomic_fetch_add_explicit(&s->large_pages, n, memory_order_relaxed);
}

int large_fault(struct address_space *s, const struct area *a, uintptr_t va)
{
	va = align_down(va, LARGE_PAGE_SIZE);
	if (!is_possible(a, va) || !is_wanted(s, a) || !mmu_is_bare(&s->mmu, va))
		return -EAGAIN;
	struct page *p = page_alloc(PAGE_ORDER_MAX, PAGE_ZERO | PAGE_NO_RECLAIM | PAGE_SPARE);
	if (p == NULL)
		return -ENOMEM;
	int err = mmu_map(&s->mmu, va, page_to_phys(p), LARGE_PAGE_SIZE, area_page_prot(a, p));
	if (err < 0) {
		page_put(p);
		return err;
	}
	count(s, 1);
	atomic_fetch_add_explicit(&s->resident_pages, FRAMES, memory_order_relaxed);
	page_count_anonymous(FRAMES);
	return 0;
}

void large_gone(struct address_space *s)
{
	count(s, -1);
}

/* --- cutting, under the spinlock ---------------------------------------------------------------- */

int large_split(struct address_space *s, uintptr_t va, const struct mmu_entry *e)
{
	int err = mmu_split(&s->mmu, va);
	if (err < 0)
		return err;
	page_split(page_from_phys(e->pa));
	count(s, -1);
	return 0;
}

int large_cut(struct address_space *s, uintptr_t at)
{
	if (is_aligned(at, LARGE_PAGE_SIZE) ||
		atomic_load_explicit(&s->large_pages, memory_order_relaxed) <= 0)
		return 0;
	struct mmu_entry e;
	int err = 0;
	irq_state state = space_lock(s);
	if (mmu_lookup(&s->mmu, at, &e) && e.size > PAGE_SIZE)
		err = large_split(s, at, &e);
	space_unlock(s, state);
	return err;
}

/* --- joining: MADV_COLLAPSE --------------------------------------------------------------------- */

/* What is mapped around va, out of the page tables; the number of entries. */
static unsigned take_out(struct address_space *s, uintptr_t va, struct page *old[])
{
	unsigned n = 0;
	irq_state state = space_lock(s);
	for (unsigned i = 0; i < FRAMES; i++) {
		struct mmu_entry e;
		bool there = mmu_unmap(&s->mmu, va + i * PAGE_SIZE, &e);
		old[i] = there ? page_from_phys(e.pa) : NULL;
		n += there;
	}
	mmu_flush(&s->mmu, va, va + LARGE_PAGE_SIZE);
	mmu_prune(&s->mmu, va, va + LARGE_PAGE_SIZE);
	space_unlock(s, state);
	return n;
}

static void copy_into(struct page *large, struct page *old[])
{
	char *to = page_address(large);
	long n_anonymous = 0;
	for (unsigned i = 0; i < FRAMES; i++, to += PAGE_SIZE) {
		if (old[i] == NULL) {
			memset(to, 0, PAGE_SIZE);
			continue;
		}
		memcpy(to, page_address(old[i]), PAGE_SIZE);
		n_anonymous += area_page_is_anonymous(old[i]);
		page_put(old[i]);
	}
	page_count_anonymous((long)FRAMES - n_anonymous);
}

/* W.  The page tables have room: a table stood there. */
static int join(struct address_space *s, const struct area *a, uintptr_t va)
{
	struct mmu_entry e;
	if (mmu_lookup(&s->mmu, va, &e) && e.size > PAGE_SIZE)
		return 0;
	struct page *large = page_alloc(PAGE_ORDER_MAX, 0);
	struct page **old = heap_alloc(FRAMES * sizeof(struct page *));
	int err = -ENOMEM;
	if (large == NULL || old == NULL || mmu_is_bare(&s->mmu, va))
		goto give_up;
	unsigned n = take_out(s, va, old);
	copy_into(large, old);
	atomic_fetch_add_explicit(&s->resident_pages, FRAMES - n, memory_order_relaxed);
	err = mmu_map(&s->mmu, va, page_to_phys(large), LARGE_PAGE_SIZE, area_page_prot(a, large));
	if (err < 0)
		panic("no place for a large page at %#lx", va);
	count(s, 1);
	large = NULL;
give_up:
	if (large != NULL)
		page_put(large);
	heap_free(old);
	return err;
}

int large_collapse(struct address_space *s, const struct area *a, uintptr_t start, uintptr_t end)
{
	uintptr_t va = align_up(max(start, a->start), LARGE_PAGE_SIZE);
	for (; va < end && end - va >= LARGE_PAGE_SIZE && is_possible(a, va);
		va += LARGE_PAGE_SIZE) {
		/* What was never touched comes in as a whole. */
		int err = mmu_is_bare(&s->mmu, va) ? large_fault(s, a, va) : join(s, a, va);
		if (err < 0 && err != -EEXIST)
			return err == -EAGAIN ? -EINVAL : err;
	}
	return 0;
}

/* --- memory is short ------------------------------------------------------------------------------ */

static bool is_zero(const struct page *p)
{
	const uint64_t *word = page_address(p), *end = word + PAGE_SIZE / sizeof(*word);
	while (word < end && *word == 0)
		word++;
	return word == end;
}

static unsigned count_zero(const struct page *p)
{
	unsigned n = 0;
	for (unsigned i = 0; i < FRAMES; i++)
		n += is_zero(p + i);
	return n;
}

/* Free the frames that hold nothing.  The program must not write meanwhile, and its faults
 * must find the place taken: so the entries stay, without access, until it is decided. */
static unsigned long drop_zero(struct address_space *s, uintptr_t va, const struct mmu_entry *e)
{
	struct page *p = page_from_phys(e->pa);
	if (count_zero(p) < WORTH || large_split(s, va, e) < 0)
		return 0;
	unsigned long n = 0;
	struct mmu_entry gone;
	for (unsigned i = 0; i < FRAMES; i++)
		mmu_change(&s->mmu, va + i * PAGE_SIZE, 0, NULL);
	mmu_flush(&s->mmu, va, va + LARGE_PAGE_SIZE);
	for (unsigned i = 0; i < FRAMES; i++) {
		if (!is_zero(p + i)) {
			mmu_change(&s->mmu, va + i * PAGE_SIZE, e->prot, NULL);
		} else if (mmu_unmap(&s->mmu, va + i * PAGE_SIZE, &gone)) {
			page_put(p + i);
			n++;
		}
	}
	atomic_fetch_sub_explicit(&s->resident_pages, n, memory_order_relaxed);
	page_count_anonymous(-(long)n);
	return n;
}

unsigned long large_trim(struct address_space *s, unsigned long n)
{
	unsigned long n_gone = 0;
	uintptr_t va = s->cut_at;
	for (unsigned i = 0; i < LOOK_MAX && n_gone < n; i++) {
		struct mmu_entry e;
		va = mmu_next(&s->mmu, va, USER_END);
		if (va >= USER_END) {
			va = 0;
			break;
		}
		if (mmu_lookup(&s->mmu, va, &e) && e.size > PAGE_SIZE)
			n_gone += drop_zero(s, align_down(va, LARGE_PAGE_SIZE), &e);
		va = align_down(va, LARGE_PAGE_SIZE) + LARGE_PAGE_SIZE;
	}
	s->cut_at = va;
	return n_gone;
}

uint64_t area_large_pages(struct address_space *s, const struct area *a)
{
	uint64_t n = 0;
	if (atomic_load(&s->large_pages) <= 0)
		return 0;
	for (uintptr_t va = align_up(a->start, LARGE_PAGE_SIZE);
		va < a->end && a->end - va >= LARGE_PAGE_SIZE; va += LARGE_PAGE_SIZE) {
		struct mmu_entry e;
		irq_state state = space_lock(s);
		va = align_down(mmu_next(&s->mmu, va, a->end), LARGE_PAGE_SIZE);
		n += va < a->end && mmu_lookup(&s->mmu, va, &e) && e.size > PAGE_SIZE;
		space_unlock(s, state);
	}
	return n;
}
