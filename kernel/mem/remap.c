/* mremap(2): shrink, grow where it stands, or move by moving page-table entries; remap_file_pages(2). */
#include "abi/linux/errno.h"
#include "kernel/mem/area.h"
#include "kernel/mem/large.h"

#define REMAP_MAY_MOVE 1u /* MREMAP_MAYMOVE */
#define REMAP_FIXED 2u    /* MREMAP_FIXED */
#define REMAP_KEEP 4u     /* MREMAP_DONTUNMAP */

/* The first entry in [va, end) to the same place in a range that starts at to instead of from, under
 * the spinlock; va: behind it.  The tables at the old place stay, so it can always be put back. */
static int move_page(
	struct address_space *s, uintptr_t *va, uintptr_t end, uintptr_t from, uintptr_t to)
{
	struct mmu_entry e;
	uintptr_t at = mmu_next(&s->mmu, *va, end);
	*va = end;
	if (at >= end || !mmu_lookup(&s->mmu, at, &e))
		return 0;
	/* A large page goes as one where it can stay one. */
	if (e.size > PAGE_SIZE && (!is_aligned(from - to, LARGE_PAGE_SIZE) ||
					  !mmu_is_bare(&s->mmu, at - from + to))) {
		int failed = large_split(s, at, &e);
		*va = at;
		if (failed < 0)
			return failed;
	}
	if (!mmu_unmap(&s->mmu, at, &e))
		return 0;
	int err = mmu_map(&s->mmu, at - from + to, e.pa, e.size, e.prot);
	if (err < 0 && mmu_map(&s->mmu, at, e.pa, e.size, e.prot) < 0)
		panic("page tables went missing at %#lx", at);
	*va = at + e.size;
	return err;
}

/* W.  The entries of [from, from + length) to a place where none are. */
static int move_pages(struct address_space *s, uintptr_t from, uintptr_t to, size_t length)
{
	int err = 0;
	for (uintptr_t va = from; err == 0 && va < from + length;) {
		irq_state state = space_lock(s);
		err = move_page(s, &va, from + length, from, to);
		space_unlock(s, state);
	}
	return err;
}

static int move_area(struct address_space *s, struct area *a, uintptr_t old, size_t old_length,
	uintptr_t new, size_t new_length, bool keep)
{
	struct area like = *a, *moved = NULL;
	like.start = new;
	like.end = new + new_length;
	like.flags &= ~AREA_STACK;
	if (a->cache != NULL)
		like.offset += old - a->start;
	int err = area_new(&like, &moved);
	if (err < 0)
		return err;
	/* So that taking the old range away can not fail any more. */
	err = old_length > 0 ? area_isolate(s, old, old + old_length) : 0;
	if (err < 0)
		goto free_moved;
	err = move_pages(s, old, new, old_length);
	mmu_flush(&s->mmu, old, old + old_length);
	if (err < 0)
		goto move_back;
	area_insert(s, moved);
	if (!keep) {
		err = address_space_unmap(s, old, old_length);
		assert(err == 0);
	} else if (old_length > 0) {
		area_at(s, old)->flags &= ~AREA_LOCKED;
		area_join(s, old, old + old_length);
	}
	area_join(s, new, new + new_length);
	return 0;

move_back:
	if (move_pages(s, new, old, old_length) < 0)
		panic("page tables went missing at %#lx", old);
	mmu_flush(&s->mmu, new, new + old_length);
	area_join(s, old, old + old_length);
free_moved:
	area_free(moved);
	return err;
}

static bool grow_in_place(struct address_space *s, struct area *a, uintptr_t end, uintptr_t new_end)
{
	if (a->end != end || new_end > USER_END || !area_is_free(s, end, new_end))
		return false;
	struct area *above = area_at_or_after(s, end);
	if (above != NULL && above->flags & AREA_STACK && above->start - new_end < STACK_GUARD_GAP)
		return false;
	area_extend(s, a, a->start, new_end);
	area_join(s, a->start, new_end);
	return true;
}

static int check(uintptr_t old, size_t old_length, size_t new_length, unsigned flags, uintptr_t new)
{
	if (flags & ~(REMAP_MAY_MOVE | REMAP_FIXED | REMAP_KEEP) || !is_aligned(old, PAGE_SIZE) ||
		new_length == 0 || new_length > USER_END)
		return -EINVAL;
	if (flags & REMAP_KEEP && (!(flags & REMAP_MAY_MOVE) || old_length != new_length))
		return -EINVAL;
	if (!(flags & REMAP_FIXED))
		return 0;
	if (!(flags & REMAP_MAY_MOVE) || !is_aligned(new, PAGE_SIZE) || new > USER_END - new_length)
		return -EINVAL;
	if (old + old_length > new &&new + new_length > old)
		return -EINVAL;
	return new < USER_START ? -EPERM : 0;
}

/* Where to move to: given, or the next best room. */
static int make_room(struct address_space *s, size_t length, unsigned flags, uintptr_t *new)
{
	if (flags & REMAP_FIXED)
		return address_space_unmap(s, *new, length);
	*new = area_find_gap(s, length, s->mmap_top);
	if (*new == 0)
		*new = area_find_gap(s, length, USER_END);
	return *new == 0 ? -ENOMEM : 0;
}

int address_space_remap(struct address_space *s, uintptr_t old, size_t old_length,
	size_t new_length, unsigned flags, uintptr_t new, uintptr_t *out)
{
	if (old_length > USER_END || old > USER_END - old_length)
		return -EFAULT;
	old_length = align_up(old_length, PAGE_SIZE);
	new_length = align_up(new_length, PAGE_SIZE);
	int err = check(old, old_length, new_length, flags, new);
	if (err < 0)
		return err;
	if (!(flags & (REMAP_FIXED | REMAP_KEEP)) && new_length <= old_length) {
		if (area_at(s, old) == NULL)
			return -EFAULT;
		*out = old;
		return new_length == old_length
			       ? 0
			       : address_space_unmap(s, old + new_length, old_length - new_length);
	}
	struct area *a = area_at(s, old);
	if (a == NULL || a->end - old < old_length)
		return -EFAULT;
	/* Of length 0: another view of what is shared. */
	if (a->flags & AREA_SPECIAL ||
		(old_length == 0 && !(a->flags & AREA_SHARED && flags & REMAP_MAY_MOVE)))
		return -EINVAL;
	bool keep = flags & REMAP_KEEP || old_length == 0;
	size_t more = keep ? new_length : new_length > old_length ? new_length - old_length : 0;
	if (s->total_bytes + more > s->limit_bytes)
		return -ENOMEM;
	if (more > 0 && commit_counts(a->prot, a->flags, a->cache) && commit_check(s, more) < 0)
		return -ENOMEM;
	if (!(flags & REMAP_FIXED) && !keep) {
		*out = old;
		if (grow_in_place(s, a, old + old_length, old + new_length))
			return 0;
		if (!(flags & REMAP_MAY_MOVE))
			return -ENOMEM;
	}
	if (new_length < old_length) {
		err = address_space_unmap(s, old + new_length, old_length - new_length);
		if (err < 0)
			return err;
		old_length = new_length;
	}
	err = make_room(s, new_length, flags, &new);
	if (err < 0)
		return err;
	a = area_at(s, old); /* making room may have cut it */
	*out = new;
	return move_area(s, a, old, old_length, new, new_length, keep);
}

int address_space_remap_file(struct address_space *s, uintptr_t start, size_t length, uint64_t page)
{
	const struct area *a = area_at(s, start);
	if (length == 0 || a == NULL || !(a->flags & AREA_SHARED) || a->cache == NULL)
		return -EINVAL;
	for (const struct area *b = a; b->end < start + length;) {
		const struct area *next = area_next(b);
		if (next == NULL || next->start != b->end || next->cache != a->cache ||
			next->flags != a->flags)
			return -EINVAL;
		b = next;
	}
	const struct map_request r = {
		.address = start,
		.length = length,
		.how = MAP_AT,
		.prot = a->prot,
		.max_prot = a->max_prot,
		.flags = a->flags,
		.cache = a->cache,
		.offset = page * PAGE_SIZE,
		.name = a->name,
		.id = a->id,
		.device = a->device,
	};
	uintptr_t at;
	return address_space_map(s, &r, &at);
}
