/*
 * The memory of a ring: frames of a page cache of its own, which the program maps.  It lives as long as the ring or a
 * mapping does.
 */
#include "kernel/mem/heap.h"
#include "kernel/syscall/uring/uring.h"

static void get(struct page_cache *c)
{
	struct ring_memory *m = container_of(c, struct ring_memory, cache);
	atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
}

static void put(struct page_cache *c)
{
	ring_memory_put(container_of(c, struct ring_memory, cache));
}

/* All pages are there from the start: what is missing lies beyond the end. */
static int fill(struct page_cache *c, struct page *page)
{
	(void)c, (void)page;
	return -EIO;
}

static const struct page_cache_ops memory_ops = {.fill = fill, .get = get, .put = put};

void ring_memory_put(struct ring_memory *m)
{
	if (atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) != 1)
		return;
	page_cache_destroy(&m->cache);
	heap_free(m);
}

int ring_memory_new(size_t size, struct ring_memory **out)
{
	unsigned n = (unsigned)div_round_up(size, PAGE_SIZE);
	struct ring_memory *m = heap_zalloc(sizeof(*m) + n * sizeof(m->pages[0]));
	if (!m)
		return -ENOMEM;
	page_cache_init(&m->cache, &memory_ops, PAGE_CACHE_KEEP);
	m->cache.size = n * PAGE_SIZE;
	m->references = 1;
	for (; m->n_pages < n; m->n_pages++) {
		struct page *p = page_alloc(0, PAGE_ZERO);
		int err = p ? page_cache_add(&m->cache, m->n_pages, p, page_cache_losses(&m->cache))
			    : -ENOMEM;
		if (p)
			page_put(p);
		if (err < 0) {
			ring_memory_put(m);
			return -ENOMEM;
		}
		m->pages[m->n_pages] = page_address(p);
	}
	*out = m;
	return 0;
}
