/* Page cache: filling, finding, forgetting, against a plain array; eviction and what it must spare. */
#include <stdlib.h>
#include <string.h>

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/lib/assert.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page_cache.h"

#define SMALL 300

static unsigned n_fills, n_dirties;
static int fill_error, dirty_error;

static int fill(struct page_cache *c, struct page *p)
{
	assert(p->cache == c && c->lock.locked == 0);
	if (fill_error)
		return fill_error;
	n_fills++;
	memset(page_address(p), (int)(p->index % 251) + 1, PAGE_SIZE);
	return 0;
}

static int dirty(struct page_cache *c, struct page *p)
{
	(void)c, (void)p;
	n_dirties++;
	return dirty_error;
}

static unsigned n_dirtied, n_reserved;

static void dirtied(struct page_cache *c)
{
	assert(c->lock.locked == 0);
	n_dirtied++;
}

static int reserve(struct page_cache *c, struct page *p)
{
	(void)c, (void)p;
	n_reserved++;
	return 1;
}

static void unreserve(struct page_cache *c)
{
	assert(c->lock.locked && n_reserved > 0);
	n_reserved--;
}

static const struct page_cache_ops file_ops = {.fill = fill, .dirty = dirty, .dirtied = dirtied};
static const struct page_cache_ops disk_ops = {
	.fill = fill, .dirty = reserve, .dirtied = dirtied, .unreserve = unreserve};
static const struct page_cache_ops memory_ops = {0};

static uint64_t n_free(void)
{
	struct memory_usage u;
	page_usage(&u);
	return u.free;
}

static struct page *get(struct page_cache *c, uint64_t index)
{
	struct page *p = NULL;
	assert(page_cache_get(c, index, &p) == 0 && p->index == index && p->cache == c);
	return p;
}

static void check_contents(struct page *p)
{
	const uint8_t *bytes = page_address(p);
	assert(bytes[0] == p->index % 251 + 1 && bytes[PAGE_SIZE - 1] == bytes[0]);
}

/* Indices small and huge, so that the tree has many heights. */
static uint64_t some_index(void)
{
	static const uint64_t bases[] = {
		0, 60, 4090, 1ull << 24, 1ull << 40, UINT64_MAX / PAGE_SIZE - 60};
	return bases[rand() % 6] + (uint64_t)rand() % (SMALL / 6);
}

static bool in_model[6][SMALL / 6];

static bool *model(uint64_t index)
{
	static const uint64_t bases[] = {
		0, 60, 4090, 1ull << 24, 1ull << 40, UINT64_MAX / PAGE_SIZE - 60};
	for (int i = 0; i < 6; i++)
		if (index >= bases[i] && index < bases[i] + SMALL / 6)
			return &in_model[i][index - bases[i]];
	panic("%llu", (unsigned long long)index);
}

static void check_against_model(void)
{
	struct page_cache c;
	page_cache_init(&c, &file_ops, 0);
	unsigned n = 0;
	for (int round = 0; round < 30000; round++) {
		uint64_t index = some_index();
		bool *here = model(index);
		struct page *p = page_cache_find(&c, index);
		assert((p != NULL) == *here);
		if (p != NULL)
			page_put(p);
		if (rand() % 500 == 0) {
			page_cache_truncate(&c, index * PAGE_SIZE);
			for (int i = 0; i < 20000; i++) {
				uint64_t other = some_index();
				n -= other >= index && *model(other);
				*model(other) &= other < index;
			}
		} else if (rand() % 2) {
			p = get(&c, index);
			check_contents(p);
			page_put(p);
			n += !*here;
			*here = true;
		} else {
			page_cache_punch(&c, index * PAGE_SIZE, (index + 1) * PAGE_SIZE);
			n -= *here;
			*here = false;
		}
		assert(c.n_pages == n);
		uint64_t next = page_cache_next(&c, index);
		assert(next == UINT64_MAX || (*model(next) && next >= index));
		assert(*here == (next == index));
	}
	page_cache_destroy(&c);
	assert(c.root == NULL && c.n_pages == 0);
}

static void check_edges(void)
{
	struct page_cache c;
	page_cache_init(&c, &file_ops, 0);
	struct page *p = get(&c, 2);
	const uint8_t *bytes = page_address(p);
	page_cache_truncate(&c, 2 * PAGE_SIZE + 100);
	assert(bytes[99] == 3 && bytes[100] == 0 && bytes[PAGE_SIZE - 1] == 0 && c.n_pages == 1);
	page_cache_punch(&c, 2 * PAGE_SIZE + 10, 2 * PAGE_SIZE + 20);
	assert(bytes[9] == 3 && bytes[10] == 0 && bytes[19] == 0 && bytes[20] == 3);
	page_put(p);
	char text[3 * PAGE_SIZE];
	assert(page_cache_read(&c, PAGE_SIZE - 1, text, PAGE_SIZE + 2) == 0);
	assert(text[0] == 1 && text[1] == 2 && text[PAGE_SIZE + 1] == 3);
	fill_error = -EIO;
	assert(page_cache_get(&c, 50, &p) == -EIO && page_cache_find(&c, 50) == NULL);
	fill_error = 0;
	dirty_error = -ENOSPC;
	p = get(&c, 5);
	assert(page_cache_dirty(&c, p) == -ENOSPC && !(p->flags & PAGE_DIRTY));
	dirty_error = 0;
	n_dirties = 0;
	assert(page_cache_dirty(&c, p) == 0 && page_cache_dirty(&c, p) == 0 && n_dirties == 1);
	uint64_t cached, n_dirty;
	page_cache_usage(&cached, &n_dirty);
	assert(cached == c.n_pages && n_dirty == 1);
	page_put(p);

	struct page *mine = page_alloc(0, 0);
	assert(page_cache_add(&c, 5, mine, page_cache_losses(&c)) == -EEXIST &&
		page_cache_add(&c, 6, mine, page_cache_losses(&c)) == 0);
	assert(mine->references == 2);
	page_put(mine);
	struct page *run[8];
	page_cache_find_run(&c, 0, 8, run);
	assert(run[4] == NULL && run[7] == NULL && run[6] == mine && run[2] != NULL);
	for (int i = 0; i < 8; i++)
		if (run[i] != NULL)
			page_put(run[i]);
	page_cache_destroy(&c);
}

/* A page that appears while another thread's fill is under way. */
static struct page_cache *race_cache;
static bool race_done;

static int racing_fill(struct page_cache *c, struct page *p)
{
	memset(page_address(p), 0xaa, PAGE_SIZE);
	if (race_done)
		return 0;
	race_done = true;
	struct page *other = NULL;
	assert(page_cache_get_unfilled(c, p->index, &other) == 0);
	memset(page_address(other), 0xbb, PAGE_SIZE);
	assert(page_cache_dirty(c, other) == 0);
	page_put(other);
	if (race_cache != NULL) /* and goes again: what was read first is out of date */
		page_cache_punch(c, p->index * PAGE_SIZE, (p->index + 1) * PAGE_SIZE);
	return 0;
}

static void check_races(void)
{
	static const struct page_cache_ops ops = {.fill = racing_fill};
	struct page_cache c;
	page_cache_init(&c, &ops, 0);
	struct page *p = get(&c, 7);
	assert(*(uint8_t *)page_address(p) == 0xbb);
	page_put(p);
	race_cache = &c;
	race_done = false;
	p = get(&c, 8);
	assert(*(uint8_t *)page_address(p) == 0xaa && race_done);
	page_put(p);
	page_cache_destroy(&c);
}

/* Far more pages than memory: clean ones make room, others stay. */
static void check_eviction(void)
{
	struct page_cache c, m;
	page_cache_init(&c, &file_ops, 0);
	page_cache_init(&m, &memory_ops, PAGE_CACHE_KEEP);
	struct page *kept = get(&m, 3), *used = get(&c, 100000), *p = get(&c, 100001);
	memset(page_address(kept), 0x77, PAGE_SIZE);
	page_put(kept);
	assert(page_cache_dirty(&c, p) == 0);
	page_put(p);
	n_fills = 0;
	for (uint64_t i = 0; i < 20000; i++) {
		p = get(&c, i);
		check_contents(p);
		page_put(p);
		if (i % 16 == 0) /* looked up often: stays */
			page_put(get(&c, 0));
	}
	assert(n_fills == 20000 && c.n_pages < 8192 && c.n_pages > 6000);
	assert(page_cache_reclaim(1000000) == c.n_pages - 2 || c.n_pages == 2);
	p = page_cache_find(&c, 100000);
	assert(p == used);
	page_put(p);
	page_put(used);
	p = page_cache_find(&c, 100001);
	assert(p != NULL && p->flags & PAGE_DIRTY);
	page_put(p);
	p = page_cache_find(&m, 3);
	assert(p == kept && *(uint8_t *)page_address(p) == 0x77);
	page_put(p);
	page_cache_destroy(&c);
	page_cache_destroy(&m);
}

#define SPREAD 70000u

static uint64_t n_dirty_pages(void)
{
	uint64_t cached, dirty_pages;
	page_cache_usage(&cached, &dirty_pages);
	return dirty_pages;
}

/* Dirty pages here and there are found in order, become clean in runs, and dirty again while they are written. */
static void check_write_back(void)
{
	static const uint64_t at[] = {0, 1, 2, 63, 64, 65, 4095, 4096, SPREAD, SPREAD + 1};
	struct page_cache c;
	struct page *taken[8];
	page_cache_init(&c, &disk_ops, 0);
	assert(page_cache_next_dirty(&c, 0) == UINT64_MAX);
	for (unsigned i = sizeof(at) / sizeof(*at); i-- > 0;) {
		struct page *p = get(&c, at[i]);
		assert(page_cache_dirty(&c, p) == 0 && page_cache_dirty(&c, p) == 0);
		page_put(p);
		page_put(get(&c, at[i] + 5000)); /* clean ones do not count */
	}
	assert(n_dirty_pages() == 10 && n_reserved == 10);
	uint64_t from = 0;
	for (unsigned i = 0; i < sizeof(at) / sizeof(*at); i++, from++) {
		from = page_cache_next_dirty(&c, from);
		assert(from == at[i]);
	}
	assert(page_cache_next_dirty(&c, from) == UINT64_MAX);
	assert(page_cache_take_dirty(&c, 3, 8, taken) == 0);
	assert(page_cache_take_dirty(&c, 63, 8, taken) == 3 && n_dirty_pages() == 7);
	assert(page_cache_next_dirty(&c, 3) == 4095 && n_reserved == 10);
	assert(page_cache_dirty(&c, taken[1]) == 0 && page_cache_next_dirty(&c, 3) == 64);
	page_cache_reclaim(100); /* spares what is being written */
	page_cache_written(&c, taken, 3, 0);
	assert(n_dirty_pages() == 8 && n_reserved == 7);
	assert(page_cache_take_dirty(&c, 4095, 8, taken) == 2);
	page_cache_truncate(&c, 100 * PAGE_SIZE); /* what is being written as well */
	page_cache_written(&c, taken, 2, -EIO);
	assert(n_dirty_pages() == 4 && n_reserved == 3 && c.n_dirty == 4);
	page_cache_destroy(&c);
	assert(n_dirty_pages() == 0 && n_reserved == 0);
}

/* An error is told once to each who had the file open, and to the next who opens it if nobody was told. */
static void check_errors(void)
{
	atomic_uint error = 0;
	uint32_t first = page_cache_error_start(&error), second = first;
	assert(page_cache_error_check(&error, &first) == 0);
	page_cache_error_set(&error, -EIO);
	uint32_t late = page_cache_error_start(&error);
	assert(page_cache_error_check(&error, &first) == -EIO);
	assert(page_cache_error_check(&error, &first) == 0);
	assert(page_cache_error_check(&error, &second) == -EIO);
	assert(page_cache_error_check(&error, &late) == -EIO);
	uint32_t later = page_cache_error_start(&error);
	assert(page_cache_error_check(&error, &later) == 0);
	page_cache_error_set(&error, -EIO);
	assert(page_cache_error_check(&error, &later) == -EIO);
	assert(page_cache_error_check(&error, &second) == -EIO);
}

int main(void)
{
	host_memory_init(32ul << 20);
	uint64_t before = n_free();
	check_against_model();
	check_edges();
	check_races();
	check_eviction();
	check_write_back();
	check_errors();
	/* A few slabs stay pinned by blocks in the CPU's magazines. */
	assert(n_free() + 20 >= before);
	uint64_t cached, n_dirty;
	page_cache_usage(&cached, &n_dirty);
	assert(cached == 0 && n_dirty == 0);
	return 0;
}
