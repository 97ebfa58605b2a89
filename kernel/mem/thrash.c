/*
 * A table of what was evicted lately, a tag per slot, newer ones over older.  On large machines only a sample of all pages is
 * looked at, so that the table reaches back about half a memory's worth of evictions.
 */
#include "kernel/mem/thrash.h"

#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/mem/page.h"

#define SLOTS 1024u
#define WINDOW_NS (10 * NS_PER_S)
#define TIMES_MEMORY 4u /* code read again, in machine sizes per window, that is the end */

static _Atomic uint32_t slots[SLOTS];
static _Atomic uint64_t window_start_ns, n_again;

/* One page in so many is looked at; a power of two. */
static uint64_t sample(uint64_t total)
{
	uint64_t n = 1;
	while (n * SLOTS * 2 < total)
		n *= 2;
	return n;
}

static uint64_t hash(const struct page_cache *c, uint64_t index)
{
	return ((uintptr_t)c / 16 + index * 0x9e3779b97f4a7c15ul) * 0xd6e8feb86659fd93ul;
}

static _Atomic uint32_t *slot_of(uint64_t h)
{
	return &slots[h >> 54];
}

static uint32_t tag_of(uint64_t h)
{
	return (uint32_t)(h >> 20) | 1;
}

void thrash_evicted(const struct page_cache *c, uint64_t index)
{
	uint64_t h = hash(c, index);
	if ((h >> 8 & (sample(page_total()) - 1)) == 0)
		atomic_store_explicit(slot_of(h), tag_of(h), memory_order_relaxed);
}

int thrash_check_code(const struct page_cache *c, uint64_t index)
{
	uint64_t h = hash(c, index);
	if (atomic_load_explicit(slot_of(h), memory_order_relaxed) != tag_of(h))
		return 0;
	atomic_store_explicit(slot_of(h), 0, memory_order_relaxed);
	uint64_t now_ns = clock_monotonic_ns(), total = page_total();
	if (now_ns - atomic_load(&window_start_ns) > WINDOW_NS) {
		atomic_store(&window_start_ns, now_ns);
		atomic_store(&n_again, 0);
	}
	return atomic_fetch_add(&n_again, sample(total)) > TIMES_MEMORY * total ? -ENOMEM : 0;
}
