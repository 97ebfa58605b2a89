/* madvise(2), mlock(2)'s flag, mincore(2): what programs say and ask about ranges. */
#include "abi/linux/errno.h"
#include "kernel/arch/upcall.h"
#include "kernel/mem/area.h"
#include "kernel/mem/large.h"

/* Linux's numbers (asm-generic/mman-common.h). */
enum advice {
	ADVISE_NORMAL = 0,
	ADVISE_RANDOM = 1,
	ADVISE_SEQUENTIAL = 2,
	ADVISE_WILLNEED = 3,
	ADVISE_DONTNEED = 4,
	ADVISE_FREE = 8,
	ADVISE_REMOVE = 9,
	ADVISE_DONTFORK = 10,
	ADVISE_DOFORK = 11,
	ADVISE_MERGEABLE = 12,
	ADVISE_UNMERGEABLE = 13,
	ADVISE_HUGEPAGE = 14,
	ADVISE_NOHUGEPAGE = 15,
	ADVISE_DONTDUMP = 16,
	ADVISE_DODUMP = 17,
	ADVISE_WIPEONFORK = 18,
	ADVISE_KEEPONFORK = 19,
	ADVISE_COLD = 20,
	ADVISE_PAGEOUT = 21,
	ADVISE_POPULATE_READ = 22,
	ADVISE_POPULATE_WRITE = 23,
	ADVISE_DONTNEED_LOCKED = 24,
	ADVISE_COLLAPSE = 25,
};

static int set_flags(
	struct address_space *s, uintptr_t start, uintptr_t end, unsigned set, unsigned clear)
{
	int err = area_isolate(s, start, end);
	if (err < 0)
		return err;
	struct area *a;
	for_each_area_in(a, s, start, end) a->flags = (a->flags & ~clear) | set;
	area_join(s, start, end);
	return 0;
}

/* Pages of the part of [start, end) that lies in a. */
static int drop_locked(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end)
{
	if (a->flags & AREA_SPECIAL)
		return -EINVAL;
	start = max(start, a->start);
	end = min(end, a->end);
	int err = large_cut(s, start);
	if (err == 0)
		err = large_cut(s, end);
	if (err == 0)
		area_unmap_pages(s, a, start, end);
	return err;
}

static int drop(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end)
{
	return a->flags & AREA_LOCKED ? -EINVAL : drop_locked(s, a, start, end);
}

/* Without swap there is nowhere to go, but what is locked may not even be asked. */
static int check_not_locked(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end)
{
	(void)s, (void)start, (void)end;
	return a->flags & (AREA_LOCKED | AREA_SPECIAL) ? -EINVAL : 0;
}

static int check_private(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end)
{
	(void)s, (void)start, (void)end;
	return a->cache != NULL || a->flags & AREA_SHARED ? -EINVAL : 0;
}

/* MADV_FREE: the pages may go at any time, so why not now. */
static int drop_free(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end)
{
	return a->cache != NULL ? -EINVAL : drop(s, a, start, end);
}

/* MADV_REMOVE: memory that lives only in the cache; files get holes by fallocate(2). */
static int drop_shared(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end)
{
	if (a->cache == NULL || !(a->flags & AREA_SHARED) || a->flags & AREA_LOCKED)
		return -EINVAL;
	if (!(a->max_prot & MMU_WRITE))
		return -EACCES;
	if (!(a->cache->flags & PAGE_CACHE_KEEP))
		return -EOPNOTSUPP;
	start = max(start, a->start);
	end = min(end, a->end);
	area_unmap_pages(s, a, start, end);
	page_cache_punch(a->cache, a->offset + (start - a->start), a->offset + (end - a->start));
	return 0;
}

static int collapse(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end)
{
	uintptr_t from = max(start, a->start), to = min(end, a->end);
	bool fits = align_up(from, LARGE_PAGE_SIZE) + LARGE_PAGE_SIZE <= to;
	return a->cache != NULL || a->flags & AREA_NO_HUGE || !fits
		       ? -EINVAL
		       : large_collapse(s, a, start, min(end, a->end));
}

static int for_each_part(struct address_space *s, uintptr_t start, uintptr_t end,
	int (*apply)(struct address_space *, struct area *, uintptr_t, uintptr_t))
{
	struct area *a;
	for_each_area_in(a, s, start, end)
	{
		int err = apply(s, a, start, end);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Unlike populating, which gives up quietly, this says what went wrong. */
static int populate(struct address_space *s, uintptr_t start, uintptr_t end, unsigned access)
{
	for (uintptr_t va = start; va < end; va += PAGE_SIZE) {
		int err = address_space_fault(s, va, access);
		if (err == -EACCES)
			return -EINVAL;
		if (err < 0)
			return err == -EIO ? -EFAULT : -ENOMEM;
	}
	return 0;
}

static int apply_advice(struct address_space *s, uintptr_t start, uintptr_t end, int advice)
{
	switch (advice) {
	case ADVISE_NORMAL:
	case ADVISE_RANDOM:
	case ADVISE_SEQUENTIAL:
	case ADVISE_WILLNEED:
	case ADVISE_DONTFORK:
	case ADVISE_DOFORK:
	case ADVISE_MERGEABLE:
	case ADVISE_UNMERGEABLE:
		return 0;
	case ADVISE_COLD:
	case ADVISE_PAGEOUT:
		return for_each_part(s, start, end, check_not_locked);
	case ADVISE_DONTNEED:
		return for_each_part(s, start, end, drop);
	case ADVISE_DONTNEED_LOCKED:
		return for_each_part(s, start, end, drop_locked);
	case ADVISE_FREE:
		return for_each_part(s, start, end, drop_free);
	case ADVISE_REMOVE:
		return for_each_part(s, start, end, drop_shared);
	case ADVISE_HUGEPAGE:
		return set_flags(s, start, end, AREA_HUGE, AREA_NO_HUGE);
	case ADVISE_NOHUGEPAGE:
		return set_flags(s, start, end, AREA_NO_HUGE, AREA_HUGE);
	case ADVISE_COLLAPSE:
		return for_each_part(s, start, end, collapse);
	case ADVISE_DONTDUMP:
		return set_flags(s, start, end, AREA_DONTDUMP, 0);
	case ADVISE_DODUMP:
		return set_flags(s, start, end, 0, AREA_DONTDUMP);
	case ADVISE_WIPEONFORK:
		if (for_each_part(s, start, end, check_private) < 0)
			return -EINVAL;
		return set_flags(s, start, end, AREA_WIPE_ON_FORK, 0);
	case ADVISE_KEEPONFORK:
		return set_flags(s, start, end, 0, AREA_WIPE_ON_FORK);
	case ADVISE_POPULATE_READ:
		return populate(s, start, end, 0);
	case ADVISE_POPULATE_WRITE:
		return populate(s, start, end, FAULT_WRITE);
	default:
		return -EINVAL;
	}
}

int address_space_advise(struct address_space *s, uintptr_t start, size_t length, int advice)
{
	if (!is_aligned(start, PAGE_SIZE) || length > USER_END)
		return -EINVAL;
	uintptr_t end = align_up(start + length, PAGE_SIZE);
	if (end < start)
		return -EINVAL;
	/* As Linux: what is mapped gets the advice, and a hole is told afterwards. */
	int err = apply_advice(s, start, end, advice);
	if (err == 0 && end > start && !area_is_covered(s, start, end))
		return -ENOMEM;
	return err;
}

int address_space_flag(
	struct address_space *s, uintptr_t start, size_t length, unsigned set, unsigned clear)
{
	if (length > USER_END || start > USER_END - length)
		return -ENOMEM;
	uintptr_t end = align_up(start + length, PAGE_SIZE);
	start = align_down(start, PAGE_SIZE);
	if (end > start && !area_is_covered(s, start, end))
		return -ENOMEM;
	return set_flags(s, start, end, set, clear);
}

/* --- what is in memory -------------------------------------------------------------------------- */

static bool is_in_cache(const struct area *a, uintptr_t va)
{
	struct page *p = page_cache_find(a->cache, (a->offset + (va - a->start)) / PAGE_SIZE);
	if (p == NULL)
		return false;
	page_put(p);
	return true;
}

void address_space_residency(struct address_space *s, uintptr_t start, size_t n_pages, uint8_t *out)
{
	for (size_t i = 0; i < n_pages; i++) {
		uintptr_t va = start + i * PAGE_SIZE;
		const struct area *a = area_at(s, va);
		struct mmu_entry e;
		irq_state state = space_lock(s);
		bool mapped = mmu_lookup(&s->mmu, va, &e);
		space_unlock(s, state);
		out[i] = mapped || (a != NULL && a->cache != NULL && is_in_cache(a, va));
	}
}

uint64_t area_resident_pages(struct address_space *s, const struct area *a)
{
	uint64_t n = 0;
	irq_state state = space_lock(s);
	for (uintptr_t va = a->start; (va = mmu_next(&s->mmu, va, a->end)) < a->end;) {
		struct mmu_entry e;
		size_t size = mmu_lookup(&s->mmu, va, &e) ? e.size : PAGE_SIZE;
		n += size / PAGE_SIZE;
		va += size;
	}
	space_unlock(s, state);
	return n;
}
