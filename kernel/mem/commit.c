/*
 * How much memory may be promised (overcommit, Documentation/mm/overcommit-accounting).  Promises are counted only in
 * the mode that is strict about them; as elsewhere, what nobody will ever have is refused by default.
 * "What the machine has" is taken for 1 GB at least: a machine of a few MB runs programs whose thread stacks alone
 * are 8 MB each and stay empty.
 */
#include "abi/linux/errno.h"
#include "kernel/mem/area.h"

#define AT_LEAST (1ul << 30)
#define RATIO 50u /* per cent, vm.overcommit_ratio */

static atomic_uint mode = COMMIT_GUESS;

void commit_set_mode(enum commit_mode m)
{
	atomic_store_explicit(&mode, m, memory_order_relaxed);
}

enum commit_mode commit_get_mode(void)
{
	return atomic_load_explicit(&mode, memory_order_relaxed);
}

bool commit_counts(unsigned prot, unsigned flags, const struct page_cache *cache)
{
	bool is_promise = prot & MMU_WRITE && !(flags & (AREA_SHARED | AREA_SPECIAL));
	(void)cache; /* a private map of a file is copied when it is written */
	return is_promise && (!(flags & AREA_NO_RESERVE) || commit_get_mode() == COMMIT_STRICT);
}

uint64_t commit_limit_pages(void)
{
	return page_total() * RATIO / 100;
}

uint64_t commit_used_pages(struct address_space *s)
{
	uint64_t bytes = 0;
	struct area *a;
	for_each_area_in(a, s, 0, USER_END) if (commit_counts(a->prot, a->flags, a->cache)) bytes +=
		a->end - a->start;
	return bytes / PAGE_SIZE;
}

int commit_check(struct address_space *s, size_t bytes)
{
	switch (commit_get_mode()) {
	case COMMIT_ALWAYS:
		return 0;
	case COMMIT_GUESS:
		return bytes > max(page_total() * PAGE_SIZE, AT_LEAST) ? -ENOMEM : 0;
	case COMMIT_STRICT:
		break;
	}
	return commit_used_pages(s) + bytes / PAGE_SIZE > commit_limit_pages() ? -ENOMEM : 0;
}
