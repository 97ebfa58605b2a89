/* Frames: splitting and joining, alignment, reserve, lazily set up descriptors, fault injection. */
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/host/host.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/assert.h"
#include "kernel/mem/page.h"

#define MEMORY (32ul << 20)
#define MANY 9000

static struct page *held[MANY];
static unsigned n_held;

static uint64_t n_free(void)
{
	struct memory_usage u;
	page_usage(&u);
	return u.free;
}

static void check_block(struct page *p, unsigned order)
{
	phys_addr pa = page_to_phys(p);
	assert(is_aligned(pa.pa, PAGE_SIZE << order) && pa.pa + (PAGE_SIZE << order) <= MEMORY);
	assert(page_from_phys(pa) == p && page_of_address(page_address(p)) == p);
	assert(p->references == 1 && p->flags == 0 && p->cache == NULL);
}

static unsigned take_all(unsigned order, unsigned flags)
{
	unsigned before = n_held;
	for (struct page *p; (p = page_alloc(order, flags)) != NULL;) {
		check_block(p, order);
		assert(n_held < MANY);
		held[n_held++] = p;
	}
	return n_held - before;
}

static void put_all(void)
{
	while (n_held > 0)
		page_put(held[--n_held]);
}

static void check_no_overlap(void)
{
	static uint8_t seen[MEMORY / PAGE_SIZE];
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < n_held; i++)
		for (uint64_t k = 0; k < 1ul << held[i]->order; k++)
			assert(seen[(page_to_phys(held[i]).pa >> PAGE_SHIFT) + k]++ == 0);
}

static void check_random_use(void)
{
	for (int round = 0; round < 30000; round++) {
		if (n_held > 0 && rand() % 2) {
			unsigned i = (unsigned)rand() % n_held;
			page_put(held[i]);
			held[i] = held[--n_held];
			continue;
		}
		unsigned order = rand() % 3 ? 0 : (unsigned)rand() % (PAGE_ORDER_MAX + 1);
		struct page *p = page_alloc(order, PAGE_ZERO);
		if (p == NULL)
			continue;
		check_block(p, order);
		char *bytes = page_address(p);
		assert(bytes[0] == 0 && bytes[(PAGE_SIZE << order) - 1] == 0);
		memset(bytes, 0x55, 64);
		bytes[(PAGE_SIZE << order) - 1] = 1;
		held[n_held++] = p;
		if (round % 1000 == 0)
			check_no_overlap();
	}
	put_all();
}

int main(void)
{
	host_memory_init(MEMORY);
	uint64_t all = n_free();
	assert(all > MEMORY / PAGE_SIZE * 98 / 100);

	/* All of it in single frames, but for the reserve; which urgent requests get. */
	unsigned n = take_all(0, 0);
	check_no_overlap();
	assert(n < all && n > all - 300);
	assert(take_all(0, PAGE_URGENT) > 0 && n_free() == 0);
	put_all();
	assert(n_free() == all);

	/* Everything joins again: as many 2 MB blocks as before. */
	check_random_use();
	assert(n_free() == all);
	unsigned blocks = take_all(PAGE_ORDER_MAX, PAGE_URGENT);
	assert(blocks >= MEMORY / LARGE_PAGE_SIZE - 3);
	put_all();

	struct page *p = page_alloc(3, 0);
	page_get(p);
	page_put(p);
	assert(p->references == 1);
	page_put(p);
	assert(n_free() == all);

	page_alloc_fail_after(2);
	held[0] = page_alloc(0, 0);
	held[1] = page_alloc(0, 0);
	assert(held[0] && held[1] && page_alloc(0, 0) == NULL);
	p = page_alloc(0, 0);
	assert(p != NULL);
	page_put(p);
	page_put(held[0]);
	page_put(held[1]);
	return 0;
}
