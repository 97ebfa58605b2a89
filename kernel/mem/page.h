/*
 * Physical memory in 4 KB frames.  A buddy allocator with per-CPU caches of single frames; the
 * descriptor of a frame is set up when its 2 MB block is first used, so that start-up costs nothing per frame.
 */
#pragma once

#include "kernel/arch/mmu.h"
#include "kernel/lib/base.h"
#include "kernel/lib/list.h"

struct memory_range;
struct page_cache;

#define PAGE_ORDER_MAX 9 /* 2 MB */

/* page.flags: who owns the frame and, for page cache, its state (under the cache's lock). */
#define PAGE_FREE 1u    /* leads a free block */
#define PAGE_CACHED 2u  /* of a page cache, also after truncation, until freed */
#define PAGE_DIRTY 4u   /* must be written back */
#define PAGE_WRITTEN 8u /* was dirty once: its contents may be newer than a read under way */
#define PAGE_USED 16u   /* looked up since the clock hand passed */
#define PAGE_SLAB 32u   /* cut into heap blocks */
#define PAGE_BLOCK 64u  /* one heap block */
#define PAGE_KEPT 128u  /* of a cache with PAGE_CACHE_KEEP */
/* The heap's two mean something else in a page cache: */
#define PAGE_RESERVED PAGE_SLAB /* the owner set something aside when it became dirty */
#define PAGE_WRITING PAGE_BLOCK /* on its way to the device */

/* Descriptor of a frame.  Small: one per 4 KB. */
struct page {
	atomic_uint references; /* 0: free */
	uint8_t order;          /* of the block this frame leads */
	uint8_t flags;          /* PAGE_FREE... */
	uint16_t n_blocks;      /* of a heap slab: in use */
	union {
		struct list link; /* owner's list: free block, slab, reclaim */
		struct {
			void *owner_a, *owner_b;
		};
	};
	struct page_cache *cache; /* of a page-cache page, else NULL (slab: its size class) */
	uint64_t index;           /* in the cache, in pages */
};

/* Take over the usable ranges.  The first thing after traps. */
void page_init(const struct memory_range *ranges, unsigned n_ranges);

#define PAGE_ZERO 1u       /* cleared */
#define PAGE_NO_RECLAIM 2u /* fail rather than evict page cache; any context */
#define PAGE_URGENT 4u     /* may use the kernel's reserve */
#define PAGE_SPARE 8u      /* fail unless a quarter of the memory stays free */

/* 2^order frames, naturally aligned, reference 1; NULL when there are none.  Without PAGE_NO_RECLAIM clean page
 * cache may be evicted, which does not sleep. */
struct page *page_alloc(unsigned order, unsigned flags) must_check;
static inline void page_get(struct page *p)
{
	atomic_fetch_add_explicit(&p->references, 1, memory_order_relaxed);
}
/* Drop a reference; the last one frees the block. */
void page_put(struct page *p);

/* A block becomes single frames, each with reference 1 (the first keeps what it has). */
void page_split(struct page *p);

phys_addr page_to_phys(const struct page *p);
struct page *page_from_phys(phys_addr pa);
/* NULL when it is not memory of ours. */
struct page *page_from_phys_any(phys_addr pa);
/* In the direct map. */
void *page_address(const struct page *p);
struct page *page_of_address(const void *direct_map_address);

struct memory_usage {
	uint64_t total, free, cached, dirty, heap, anonymous, page_tables, stacks; /* in pages */
};
void page_usage(struct memory_usage *out);
uint64_t page_total(void); /* frames the machine has; any context */
/* Who holds frames for these purposes tells how many came or went. */
void page_count_anonymous(long n);
void page_count_heap(long n);
void page_count_stacks(long n);

/* Make up to n file pages evictable that are mapped (trim.c); how many. */
unsigned long trim_pages(unsigned long n);

/* For tests: let n more allocations pass, then fail one; -1: none (fault injection). */
void page_alloc_fail_after(long n);
