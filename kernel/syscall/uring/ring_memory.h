/* Memory that a ring shares with the program (memory.c). */
#pragma once

#include "kernel/mem/page_cache.h"

/* Pages that the program maps; written by both sides at any time. */
struct ring_memory {
	struct page_cache cache;
	atomic_uint references; /* of the ring and of mappings */
	unsigned n_pages;
	void *pages[]; /* in the direct map */
};
int ring_memory_new(size_t size, struct ring_memory **out) must_check;
void ring_memory_put(struct ring_memory *m);
/* An object that does not straddle pages. */
static inline void *ring_memory_at(const struct ring_memory *m, size_t offset)
{
	return (uint8_t *)m->pages[offset / PAGE_SIZE] + offset % PAGE_SIZE;
}

/* The first page of the rings' memory: words of the program and words of ours on lines of their own. */
struct ring_header {
	_Atomic uint32_t sq_head, pad0[15];
	_Atomic uint32_t sq_tail, pad1[15];
	_Atomic uint32_t cq_head, pad2[15];
	_Atomic uint32_t cq_tail, pad3[15];
	uint32_t sq_mask, sq_entries, cq_mask, cq_entries;
	_Atomic uint32_t sq_flags, sq_dropped, cq_flags, cq_overflow;
};
