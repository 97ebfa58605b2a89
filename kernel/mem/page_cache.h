/*
 * The pages of one file, anonymous shared segment or block device, by page index: read(2), write(2) and mmap(2) all
 * see these.  Clean pages nobody else holds can be evicted; the owner fills them again.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/mem/page.h"

struct page_cache;

struct page_cache_ops {
	/*                  locks held   may sleep */
	/* Fill page (PAGE_SIZE bytes at its index; beyond the end of the file: zeroes).
	 *                  none         yes        NULL: pages start as zeroes */
	int (*fill)(struct page_cache *c, struct page *page);
	/* A page is about to become dirty: reserve what write-back will need.  1: something was, for unreserve.
	 *                  none         yes        NULL: always fine */
	int (*dirty)(struct page_cache *c, struct page *page);
	/* One has become dirty.
	 *                  none         no         NULL: nothing */
	void (*dirtied)(struct page_cache *c);
	/* Give one such reservation back: the page was written, or forgotten.
	 *                  spinlocks    no         NULL: dirty never reserves */
	void (*unreserve)(struct page_cache *c);
	/* A mapping takes or drops a reference on the owner (its inode).
	 *                  any          no */
	void (*get)(struct page_cache *c);
	void (*put)(struct page_cache *c); /* may sleep: the last reference can end the inode */
};

#define PAGE_CACHE_KEEP 1u /* pages live only here (tmpfs): never evicted */

struct page_cache {
	const struct page_cache_ops *ops;
	unsigned flags;
	_Atomic uint64_t
		size; /* the file's, bytes; a fault at or beyond the page holding it is SIGBUS */
	atomic_uint n_areas; /* that map it; 0: address_space_unmap_cache() has nothing to do */
	struct spinlock lock;
	/* under lock: */
	void *root; /* radix tree of struct page pointers */
	unsigned height;
	uint64_t n_pages, n_dirty;
	atomic_uint error; /* of write-back: page_cache_error_set() */
	uint64_t n_lost;   /* changes whenever contents a fill does not know of may have gone */
};

/* ops: NULL is as a table of NULLs. */
void page_cache_init(struct page_cache *c, const struct page_cache_ops *ops, unsigned flags);
/* Drop all pages; nobody maps them any more. */
void page_cache_destroy(struct page_cache *c);

/* The page at index, filled, with a reference for the caller.  May sleep in fill.  -ENOMEM, -EIO. */
int page_cache_get(struct page_cache *c, uint64_t index, struct page **out) must_check;
/* The page at index if it is there, with a reference; NULL otherwise.  Never sleeps. */
struct page *page_cache_find(struct page_cache *c, uint64_t index) must_check;
/* A page that is about to be wholly overwritten: as get, without filling. */
int page_cache_get_unfilled(struct page_cache *c, uint64_t index, struct page **out) must_check;
/* Put a page of the caller's there (read-ahead): the cache takes a reference of its own.  n_lost: page_cache_losses()
 * from before it was read.  -EEXIST: there is one already; -EAGAIN: its contents may be out of date; -ENOMEM. */
int page_cache_add(
	struct page_cache *c, uint64_t index, struct page *p, uint64_t n_lost) must_check;
uint64_t page_cache_losses(struct page_cache *c);
/* Put a page of the caller's there that is wholly new, dirty.  -EEXIST; what ops->dirty says; -ENOMEM. */
int page_cache_add_dirty(struct page_cache *c, uint64_t index, struct page *p) must_check;
/* The pages at index, index + 1, ..., each with a reference, or NULL; n <= 64, all in one aligned 64. */
void page_cache_find_run(struct page_cache *c, uint64_t index, unsigned n, struct page *out[]);
/* First index >= from that has a page, or UINT64_MAX. */
uint64_t page_cache_next(struct page_cache *c, uint64_t from);
/* Mark dirty; -ENOSPC and the like from the owner. */
int page_cache_dirty(struct page_cache *c, struct page *p) must_check;
/* The owner changed p by another way and keeps it until it has reached the device. */
void page_cache_set_written(struct page_cache *c, struct page *p);

/*
 * Writing back.  The owner lets one thread at a time write a cache's pages:
 *     page_cache_next_dirty -> page_cache_take_dirty -> address_space_clean_cache -> write -> page_cache_written
 * A page that is changed meanwhile becomes dirty again; through mappings because the third step, which must follow the
 * second, makes the next store fault.
 */
/* First index >= from whose page is dirty, or UINT64_MAX. */
uint64_t page_cache_next_dirty(struct page_cache *c, uint64_t from);
/* The page at index and up to n - 1 behind it, as far as they are dirty: clean from here on and PAGE_WRITING, each with a
 * reference.  How many; 0: the first is not dirty. */
unsigned page_cache_take_dirty(
	struct page_cache *c, uint64_t index, unsigned n, struct page *out[]);
/* They are on the device, or err says why not: kept for page_cache_error_check().  References go. */
void page_cache_written(struct page_cache *c, struct page *pages[], unsigned n, int err);

/* Errors of write-back, each told once to every open file: *seen is the file's, page_cache_error_start() when it
 * is opened. */
void page_cache_error_set(atomic_uint *error, int err);
uint32_t page_cache_error_start(atomic_uint *error);
int page_cache_error_check(atomic_uint *error, uint32_t *seen) must_check;

/* Forget pages from index first on (truncate), clearing the tail of the page that holds byte size.
 * Mapped ones must have been unmapped by the caller (address_space_unmap_cache). */
void page_cache_truncate(struct page_cache *c, uint64_t size);
/* Forget pages wholly inside [start, end) bytes and clear the rest of it: punching a hole. */
void page_cache_punch(struct page_cache *c, uint64_t start, uint64_t end);

/* Pages in caches, dirty pages of these, everywhere. */
void page_cache_usage(uint64_t *n_cached, uint64_t *n_dirty);

/* Evict up to n clean, unmapped, otherwise unreferenced pages, least recently used first; how many went.
 * Any context. */
unsigned long page_cache_reclaim(unsigned long n);

/* Bytes between cache and kernel buffers. n bytes at offset; may sleep.  The caller has checked size. */
int page_cache_read(struct page_cache *c, uint64_t offset, void *to, size_t n) must_check;
