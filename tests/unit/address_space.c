/*
 * Address spaces against a model that knows, for each page of a window, what is mapped there and which
 * value its bytes have.  The program's accesses are played: look the page up, fault until it is there.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/assert.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/heap.h"

#define BASE 0x10000000ul
#define WINDOW 48 /* pages */
#define FILE_PAGES 40
#define ALL (MMU_READ | MMU_WRITE | MMU_EXEC)

static struct address_space space;
static struct page_cache file, memory;
static uint8_t file_model[FILE_PAGES], memory_model[FILE_PAGES];
static int n_references; /* on file's and memory's owners */
static bool fail_dirty;

static int fill(struct page_cache *c, struct page *p)
{
	(void)c;
	memset(page_address(p), p->index < FILE_PAGES ? (int)p->index + 100 : 0, PAGE_SIZE);
	return 0;
}

static int dirty(struct page_cache *c, struct page *p)
{
	(void)c, (void)p;
	return fail_dirty ? -ENOSPC : 0;
}

static void get(struct page_cache *c)
{
	(void)c;
	n_references++;
}

static void put(struct page_cache *c)
{
	(void)c;
	n_references--;
}

static const struct page_cache_ops file_ops = {
	.fill = fill, .dirty = dirty, .get = get, .put = put};
static const struct page_cache_ops memory_ops = {.get = get, .put = put};

struct model_page {
	bool mapped;
	unsigned prot, flags;
	struct page_cache *cache;
	uint64_t index;
	bool is_private; /* has a copy of its own */
	uint8_t value;
};

static struct model_page pages[WINDOW];

static uintptr_t at(unsigned i)
{
	return BASE + i * PAGE_SIZE;
}

/* --- accesses -------------------------------------------------------------------------------------- */

/* The byte at va, or where it can be written; the fault's error. */
static int reach(uintptr_t va, unsigned access, uint8_t **out)
{
	for (int tries = 0; tries < 4; tries++) {
		struct mmu_entry e;
		unsigned need = access & FAULT_WRITE  ? MMU_WRITE
				: access & FAULT_EXEC ? MMU_EXEC
						      : MMU_USER;
		if (mmu_lookup(&space.mmu, va, &e) && e.prot & need) {
			*out = (uint8_t *)phys_to_virt(e.pa) + va % PAGE_SIZE;
			return 0;
		}
		int err = address_space_fault(&space, va, access);
		if (err < 0)
			return err;
	}
	panic("faults for ever at %#lx", va);
}

static uint8_t *model_value(struct model_page *m)
{
	if (m->is_private || m->cache == NULL)
		return &m->value;
	return m->cache == &file ? &file_model[m->index] : &memory_model[m->index];
}

static int expected_error(const struct model_page *m, unsigned access)
{
	if (!m->mapped)
		return -EFAULT;
	unsigned need = access & FAULT_WRITE ? MMU_WRITE : access & FAULT_EXEC ? MMU_EXEC : ALL;
	if (!(m->prot & need))
		return -EACCES;
	if (m->cache != NULL && !m->is_private &&
		m->index >= div_round_up(m->cache->size, PAGE_SIZE))
		return -EIO;
	return 0;
}

static void access_page(unsigned i, unsigned access)
{
	struct model_page *m = &pages[i];
	uint8_t *byte = NULL;
	uintptr_t va = at(i) + (uintptr_t)rand() % PAGE_SIZE;
	int err = reach(va, access, &byte);
	assert(err == expected_error(m, access));
	if (err < 0)
		return;
	uint8_t value = *model_value(m);
	assert(*byte == value);
	if (!(access & FAULT_WRITE))
		return;
	if (!(m->flags & AREA_SHARED)) {
		m->value = value;
		m->is_private = true;
	}
	value = (uint8_t)rand();
	/* The whole page: any byte may be looked at next. */
	memset((uint8_t *)((uintptr_t)byte & ~(PAGE_SIZE - 1)), value, PAGE_SIZE);
	*model_value(m) = value;
}

/* --- operations ------------------------------------------------------------------------------------ */

static void some_range(unsigned *first, unsigned *n)
{
	*first = (unsigned)rand() % WINDOW;
	*n = 1 + (unsigned)rand() % min(12u, WINDOW - *first);
}

static void do_map(void)
{
	unsigned first, n;
	some_range(&first, &n);
	struct map_request r = {
		.address = at(first),
		.length = n * PAGE_SIZE - (unsigned)rand() % 100,
		.how = rand() % 4 ? MAP_AT : MAP_AT_NEW,
		.prot = (unsigned)rand() & ALL,
		.max_prot = ALL,
	};
	switch (rand() % 4) {
	case 0:
		r.cache = &file;
		break;
	case 1:
		r.cache = &memory;
		break;
	}
	if (r.cache != NULL) {
		r.offset = (uint64_t)rand() % (FILE_PAGES - n) * PAGE_SIZE;
		r.flags = rand() % 2 ? AREA_SHARED : 0;
		r.name = r.cache == &file ? "/file" : "/dev/zero";
		r.id = r.cache == &file ? 7 : 8;
	}
	bool taken = false;
	for (unsigned i = first; i < first + n; i++)
		taken |= pages[i].mapped;
	uintptr_t got = 0;
	int err = address_space_map(&space, &r, &got);
	if (r.how == MAP_AT_NEW && taken) {
		assert(err == -EEXIST);
		return;
	}
	assert(err == 0 && got == r.address);
	for (unsigned i = first; i < first + n; i++)
		pages[i] = (struct model_page){.mapped = true,
			.prot = r.prot,
			.flags = r.flags,
			.cache = r.cache,
			.index = r.offset / PAGE_SIZE + i - first};
}

static void do_unmap(void)
{
	unsigned first, n;
	some_range(&first, &n);
	assert(address_space_unmap(&space, at(first), n * PAGE_SIZE) == 0);
	memset(&pages[first], 0, n * sizeof(pages[0]));
}

static void do_protect(void)
{
	unsigned first, n;
	some_range(&first, &n);
	bool hole = false;
	unsigned prot = (unsigned)rand() & ALL;
	for (unsigned i = first; i < first + n; i++)
		hole |= !pages[i].mapped;
	int err = address_space_protect(&space, at(first), n * PAGE_SIZE, prot);
	assert(err == (hole ? -ENOMEM : 0));
	for (unsigned i = first; i < first + n && !hole; i++)
		pages[i].prot = prot;
}

static void do_dontneed(void)
{
	unsigned first, n;
	some_range(&first, &n);
	bool hole = false;
	for (unsigned i = first; i < first + n; i++)
		hole |= !pages[i].mapped;
	int err = address_space_advise(&space, at(first), n * PAGE_SIZE, 4);
	assert(err == (hole ? -ENOMEM : 0));
	for (unsigned i = first; i < first + n; i++) {
		pages[i].is_private = false;
		pages[i].value = 0;
	}
}

/* Are the pages of the range in one area, as mremap(2) wants it? */
static bool is_one(unsigned first, unsigned n)
{
	struct area *a = area_at(&space, at(first));
	return a != NULL && a->end >= at(first + n);
}

static void do_remap(void)
{
	unsigned first, n, new_first, new_n;
	some_range(&first, &n);
	some_range(&new_first, &new_n);
	if (!is_one(first, n) || (first < new_first + new_n && new_first < first + n))
		return;
	if (pages[first].cache != NULL && pages[first].index + new_n > FILE_PAGES)
		return;
	uintptr_t got = 0;
	int err = address_space_remap(
		&space, at(first), n * PAGE_SIZE, new_n * PAGE_SIZE, 3, at(new_first), &got);
	assert(err == 0 && got == at(new_first));
	struct model_page old[WINDOW];
	memcpy(old, pages, sizeof(old));
	memset(&pages[first], 0, n * sizeof(pages[0]));
	for (unsigned i = 0; i < new_n; i++) {
		struct model_page *m = &pages[new_first + i];
		*m = old[first + min(i, n - 1)];
		if (i < n)
			continue;
		m->index += i - (n - 1);
		m->is_private = false;
		m->value = 0;
	}
}

static void do_truncate(void)
{
	uint64_t n = (uint64_t)rand() % (FILE_PAGES + 1);
	memory.size = n * PAGE_SIZE;
	address_space_unmap_cache(&space, &memory, memory.size);
	page_cache_truncate(&memory, memory.size);
	for (unsigned i = 0; i < WINDOW; i++)
		if (pages[i].cache == &memory && pages[i].index >= n)
			pages[i].is_private = false;
	for (uint64_t i = n; i < FILE_PAGES; i++)
		memory_model[i] = 0;
	memory.size = FILE_PAGES * PAGE_SIZE;
}

/* --- the whole --------------------------------------------------------------------------------------- */

static void check_areas(void)
{
	unsigned n = 0;
	uint64_t bytes = 0;
	uintptr_t end = 0;
	for (struct area *a = area_at_or_after(&space, 0); a != NULL; n++) {
		assert(a->start >= end && a->end > a->start);
		end = a->end;
		bytes += a->end - a->start;
		a = area_at_or_after(&space, end);
	}
	assert(n == space.n_areas && bytes == space.total_bytes);
	for (unsigned i = 0; i < WINDOW; i++) {
		const struct model_page *m = &pages[i];
		const struct area *a = area_at(&space, at(i));
		assert((a != NULL) == m->mapped);
		if (a == NULL)
			continue;
		assert(a->prot == m->prot && a->flags == m->flags && a->cache == m->cache);
		assert(a->cache == NULL || a->offset + (at(i) - a->start) == m->index * PAGE_SIZE);
	}
}

/* Neighbours that could be one area are one. */
static void check_joined(void)
{
	for (unsigned i = 1; i < WINDOW; i++) {
		const struct model_page *a = &pages[i - 1], *b = &pages[i];
		bool same = a->mapped && b->mapped && a->prot == b->prot && a->flags == b->flags &&
			    a->cache == b->cache && (a->cache == NULL || a->index + 1 == b->index);
		assert(!same || area_at(&space, at(i - 1)) == area_at(&space, at(i)));
	}
}

static void check_against_model(void)
{
	static const unsigned accesses[] = {0, FAULT_WRITE, FAULT_EXEC, FAULT_WRITE};
	static void (*const operations[])(void) = {do_map, do_map, do_unmap, do_protect, do_protect,
		do_dontneed, do_remap, do_truncate};
	for (int round = 0; round < 60000; round++) {
		if (rand() % 4) {
			access_page((unsigned)rand() % WINDOW, accesses[rand() % 4]);
			continue;
		}
		operations[rand() % array_size(operations)]();
		if (rand() % 20 == 0) {
			address_space_trim(&space, 8);
			page_cache_reclaim(8);
		}
		check_areas();
		check_joined();
	}
	address_space_clear(&space);
	memset(pages, 0, sizeof(pages));
	assert(n_references == 0 && file.n_areas == 0 && memory.n_areas == 0);
	assert(space.resident_pages == 0 && space.total_bytes == 0 && space.n_areas == 0);
}

/* --- single behaviours --------------------------------------------------------------------------------- */

static uintptr_t map(uintptr_t hint, size_t length, unsigned how, unsigned flags)
{
	const struct map_request r = {.address = hint,
		.length = length,
		.how = how,
		.prot = 3,
		.max_prot = ALL,
		.flags = flags};
	uintptr_t got = 0;
	int err = address_space_map(&space, &r, &got);
	return err < 0 ? (uintptr_t)err : got;
}

static void check_placement(void)
{
	uintptr_t a = map(0, 0x3000, 0, 0), b = map(0, 0x2000, 0, AREA_NO_RESERVE);
	assert(a == space.mmap_top - 0x3000 && b == a - 0x2000);
	assert(address_space_unmap(&space, a + 0x1000, 0x1000) == 0);
	assert(map(0, 0x1000, 0, 0) == a + 0x1000); /* the hole, before what lies below */
	assert(map(0x5000000, 0x1000, 0, 0) == 0x5000000);
	assert(map(0x5000000, 0x1000, 0, AREA_NO_RESERVE) == b - 0x1000);
	assert(map(0x5000000, 0x1000, MAP_AT_NEW, 0) == (uintptr_t)-EEXIST);
	uintptr_t low = map(0, 0x1000, MAP_LOW, 0);
	assert(low < 0x80000000);
	assert(map(1, 0x1000, MAP_AT, 0) == (uintptr_t)-EINVAL);
	assert(map(0, 0, 0, 0) == (uintptr_t)-EINVAL);
	assert(map(0, 1ul << 48, 0, 0) == (uintptr_t)-ENOMEM);
	assert(map(0, SIZE_MAX, 0, 0) == (uintptr_t)-ENOMEM);
	assert(map(0, 1ul << 45, 0, AREA_NO_RESERVE) < space.mmap_top); /* 32 TB of nothing */
	space.limit_bytes = space.total_bytes + 0x1000;
	assert(map(0, 0x2000, 0, 0) == (uintptr_t)-ENOMEM);
	space.limit_bytes = UINT64_MAX;
	address_space_clear(&space);
	/* Many of them, with holes opened and filled again. */
	for (int i = 0; i < 2000; i++)
		assert(map(0, 0x1000, 0, i % 2 ? AREA_NO_RESERVE : 0) ==
			space.mmap_top - (uintptr_t)(i + 1) * 0x1000);
	assert(address_space_unmap(&space, space.mmap_top - 0x64000, 0x4000) == 0);
	assert(map(0, 0x5000, 0, 0) == space.mmap_top - 2005 * 0x1000ul);
	assert(map(0, 0x3000, 0, 0) == space.mmap_top - 0x63000);
	assert(map(0, 0x1000, 0, 0) == space.mmap_top - 0x64000);
	address_space_clear(&space);
}

static void check_stack(void)
{
	uintptr_t top = 0x7fff0000000;
	assert(map(top - 0x4000, 0x4000, MAP_AT, AREA_STACK) == top - 0x4000);
	space.stack_limit_bytes = 4 << 20;
	uint8_t *byte;
	assert(reach(top - 0x100000, FAULT_WRITE, &byte) == 0);
	assert(area_at(&space, top - 1)->start == top - 0x100000 && space.total_bytes == 0x100000);
	assert(reach(top - (4 << 20), FAULT_WRITE, &byte) == 0);
	assert(reach(top - (4 << 20) - 1, FAULT_WRITE, &byte) == -EFAULT);
	space.stack_limit_bytes = 8 << 20;
	/* A neighbour below: one megabyte stays between. */
	assert(map(top - (6 << 20), 0x1000, MAP_AT, 0) == top - (6 << 20));
	assert(reach(top - (5 << 20) + 0x1000, FAULT_WRITE, &byte) == 0);
	assert(reach(top - (5 << 20), FAULT_WRITE, &byte) == -EFAULT);
	address_space_clear(&space);
}

static void check_brk(void)
{
	space.brk_start = space.brk = 0x600000;
	assert(address_space_brk(&space, 0) == 0x600000);
	assert(address_space_brk(&space, 0x600010) == 0x600010 && space.n_areas == 1);
	assert(address_space_brk(&space, 0x640000) == 0x640000 && space.n_areas == 1);
	uint8_t *byte;
	assert(reach(0x63ffff, FAULT_WRITE, &byte) == 0 && *byte == 0);
	*byte = 1;
	assert(address_space_brk(&space, 0x620000) == 0x620000);
	assert(reach(0x63ffff, 0, &byte) == -EFAULT);
	assert(address_space_brk(&space, 0x640000) == 0x640000);
	assert(reach(0x63ffff, 0, &byte) == 0 && *byte == 0);
	assert(map(0x700000, 0x1000, MAP_AT, 0) == 0x700000);
	assert(address_space_brk(&space, 0x700000) == 0x640000);
	assert(address_space_brk(&space, 0x6ff000) == 0x6ff000);
	char line[200];
	assert(area_describe(area_at(&space, 0x600000), line, sizeof(line)) > 0);
	assert(strcmp(line, "00600000-006ff000 rw-p 00000000 00:00 0 "
			    "                                 [heap]\n") == 0);
	address_space_clear(&space);
}

static void check_describe(void)
{
	const struct map_request r = {.address = 0x7f0000001000,
		.length = 0x2000,
		.how = MAP_AT,
		.prot = 5,
		.max_prot = ALL,
		.cache = &file,
		.offset = 0x3000,
		.flags = AREA_SHARED,
		.name = "/usr/lib/libc.so.6",
		.id = 1234567,
		.device = 0xfe01};
	uintptr_t got = 0;
	assert(address_space_map(&space, &r, &got) == 0);
	char line[200];
	int n = area_describe(area_at(&space, got), line, sizeof(line));
	assert(n == (int)strlen(line));
	assert(strcmp(line, "7f0000001000-7f0000003000 r-xs 00003000 fe:01 1234567"
			    "                    /usr/lib/libc.so.6\n") == 0);
	assert(area_describe(area_at(&space, got), line, 40) == 40);
	address_space_clear(&space);
}

/* A read fault on a file brings the neighbours that are in the cache. */
static void check_around(void)
{
	const struct map_request r = {.address = BASE,
		.length = FILE_PAGES * PAGE_SIZE,
		.how = MAP_AT,
		.prot = 1,
		.max_prot = ALL,
		.cache = &file};
	uintptr_t got = 0;
	page_cache_truncate(&file, 0);
	for (uint64_t i = 0; i < 20; i += 2) {
		struct page *p = NULL;
		assert(page_cache_get(&file, i, &p) == 0);
		page_put(p);
	}
	assert(address_space_map(&space, &r, &got) == 0);
	uint8_t *byte;
	assert(reach(BASE + 5 * PAGE_SIZE, 0, &byte) == 0 && *byte == 105);
	assert(space.resident_pages == 9 &&
		area_resident_pages(&space, area_at(&space, BASE)) == 9);
	uint8_t resident[20];
	address_space_residency(&space, BASE, 20, resident);
	for (unsigned i = 0; i < 20; i++)
		assert(resident[i] == (i % 2 == 0 || i == 5));
	/* Trimming takes them out again. */
	assert(address_space_trim(&space, 100) == 9 && space.resident_pages == 0);
	assert(page_cache_reclaim(100) == 11 && file.n_pages == 0 && space.n_trimmable == 0);
	address_space_clear(&space);
}

static void check_sigbus_and_nospace(void)
{
	const struct map_request r = {.address = BASE,
		.length = (FILE_PAGES + 4) * PAGE_SIZE,
		.how = MAP_AT,
		.prot = 3,
		.max_prot = ALL,
		.cache = &file,
		.flags = AREA_SHARED};
	uintptr_t got = 0;
	page_cache_truncate(&file, 0);
	assert(address_space_map(&space, &r, &got) == 0);
	uint8_t *byte;
	assert(reach(BASE + FILE_PAGES * PAGE_SIZE, 0, &byte) == -EIO);
	fail_dirty = true;
	assert(reach(BASE, FAULT_WRITE, &byte) == -EIO && reach(BASE, 0, &byte) == 0);
	fail_dirty = false;
	assert(reach(BASE, FAULT_WRITE, &byte) == 0);
	address_space_clear(&space);
}

static uintptr_t remap(
	uintptr_t old, size_t old_length, size_t length, unsigned flags, uintptr_t new)
{
	uintptr_t got = 0;
	int err = address_space_remap(&space, old, old_length, length, flags, new, &got);
	return err < 0 ? (uintptr_t)err : got;
}

static void check_remap(void)
{
	uint8_t *byte;
	uintptr_t a = map(BASE, 0x4000, MAP_AT, 0);
	assert(reach(a + 0x3000, FAULT_WRITE, &byte) == 0);
	*byte = 42;
	assert(remap(a, 0x4000, 0x8000, 0, 0) == a && area_at(&space, a)->end == a + 0x8000);
	assert(map(a + 0x9000, 0x1000, MAP_AT, 0) == a + 0x9000);
	assert(remap(a, 0x8000, 0xa000, 0, 0) == (uintptr_t)-ENOMEM);
	assert(remap(a, 0x8000, 0x4000, 0, 0) == a && area_at(&space, a + 0x4000) == NULL);
	assert(remap(a, 0x4000, 0x4000, 0, 0) == a);
	uintptr_t b = remap(a, 0x4000, 0xa000, 1, 0);
	assert(b == space.mmap_top - 0xa000 && area_at(&space, a) == NULL);
	assert(reach(b + 0x3000, 0, &byte) == 0 && *byte == 42);
	assert(reach(b + 0x9000, 0, &byte) == 0 && *byte == 0);
	/* Out of the middle of an area; its ends stay. */
	uintptr_t c = remap(b + 0x3000, 0x1000, 0x2000, 1, 0);
	assert(reach(c, 0, &byte) == 0 && *byte == 42 && area_at(&space, b + 0x3000) == NULL);
	assert(area_at(&space, b + 0x2000) != NULL && area_at(&space, b + 0x4000) != NULL);
	assert(remap(b, 0x1000, 0x1000, 2, BASE) == (uintptr_t)-EINVAL);
	assert(remap(b, 0x2000, 0x2000, 3, b + 0x1000) == (uintptr_t)-EINVAL);
	assert(remap(b + 1, 0x1000, 0x1000, 1, 0) == (uintptr_t)-EINVAL);
	assert(remap(b, 0x1000, 0, 1, 0) == (uintptr_t)-EINVAL);
	assert(remap(b + 0x3000, 0x1000, 0x2000, 1, 0) == (uintptr_t)-EFAULT);
	assert(remap(b + 0x2000, 0x2000, 0x4000, 1, 0) == (uintptr_t)-EFAULT);
	assert(remap(b, SIZE_MAX, 0x1000, 1, 0) == (uintptr_t)-EFAULT);
	space.limit_bytes = space.total_bytes;
	assert(remap(c, 0x2000, 0x3000, 1, 0) == (uintptr_t)-ENOMEM);
	space.limit_bytes = UINT64_MAX;
	address_space_clear(&space);
}

/* The vDSO's kind of area: given pages, never written, never freed. */
static void check_special(void)
{
	struct page *p = page_alloc(0, PAGE_ZERO);
	const void *const contents[2] = {page_address(p), page_address(p)};
	memset(page_address(p), 9, PAGE_SIZE);
	const struct map_request r = {.length = 2 * PAGE_SIZE,
		.prot = MMU_READ | MMU_EXEC,
		.max_prot = ALL,
		.flags = AREA_SPECIAL,
		.pages = contents,
		.name = "[vdso]"};
	uintptr_t at_special = 0;
	assert(address_space_map(&space, &r, &at_special) == 0);
	uint8_t *byte;
	assert(reach(at_special, FAULT_EXEC, &byte) == 0 && *byte == 9);
	assert(reach(at_special + PAGE_SIZE, 0, &byte) == 0 && *byte == 9);
	assert(reach(at_special, FAULT_WRITE, &byte) == -EACCES);
	assert(address_space_advise(&space, at_special, PAGE_SIZE, 4) == -EINVAL);
	assert(address_space_protect(&space, at_special, PAGE_SIZE, 0) == 0);
	assert(reach(at_special, 0, &byte) == -EACCES);
	assert(address_space_trim(&space, 10) == 0);
	assert(address_space_unmap(&space, at_special, PAGE_SIZE) == 0);
	assert(reach(at_special + PAGE_SIZE, 0, &byte) == 0 && *byte == 9);
	address_space_clear(&space);
	assert(p->references == 1);
	page_put(p);
}

static void check_advice(void)
{
	uint8_t *byte;
	uintptr_t a = map(BASE, 0x8000, MAP_AT, 0);
	assert(address_space_advise(&space, a, 0x2000, 14) == 0 && space.n_areas == 2);
	assert(area_at(&space, a)->flags == AREA_HUGE);
	assert(address_space_advise(&space, a, 0x2000, 15) == 0);
	assert(area_at(&space, a)->flags == AREA_NO_HUGE);
	assert(address_space_advise(&space, a, 0x8000, 15) == 0 && space.n_areas == 1);
	assert(address_space_advise(&space, a, 0x8000, 23) == 0 && space.resident_pages == 8);
	assert(address_space_advise(&space, a, 0x8000, 8) == 0 && space.resident_pages == 0);
	assert(address_space_advise(&space, a, 0x8000, 99) == -EINVAL);
	assert(address_space_advise(&space, a + 1, 0x1000, 0) == -EINVAL);
	assert(address_space_advise(&space, a, 0x9000, 0) == -ENOMEM);
	assert(address_space_advise(&space, a, 0, 4) == 0);
	assert(address_space_flag(&space, a, 0x1000, AREA_LOCKED, 0) == 0 && space.n_areas == 2);
	assert(address_space_advise(&space, a, 0x8000, 4) == -EINVAL);
	assert(address_space_flag(&space, a, 0x8000, 0, AREA_LOCKED) == 0 && space.n_areas == 1);
	assert(address_space_flag(&space, a, 0x9000, AREA_LOCKED, 0) == -ENOMEM);
	/* MADV_REMOVE on shared memory. */
	const struct map_request r = {.address = BASE,
		.length = 4 * PAGE_SIZE,
		.how = MAP_AT,
		.prot = 3,
		.max_prot = ALL,
		.flags = AREA_SHARED,
		.cache = &memory};
	uintptr_t got = 0;
	assert(address_space_map(&space, &r, &got) == 0 &&
		reach(BASE + PAGE_SIZE, FAULT_WRITE, &byte) == 0);
	*byte = 1;
	assert(address_space_advise(&space, BASE + PAGE_SIZE, PAGE_SIZE, 9) == 0);
	assert(reach(BASE + PAGE_SIZE, 0, &byte) == 0 && *byte == 0);
	assert(address_space_advise(&space, a + 0x5000, PAGE_SIZE, 9) == -EINVAL);
	address_space_clear(&space);
}

/* The program asks for more than there is: -ENOMEM, and after it is gone all is back. */
static void check_out_of_memory(void)
{
	uintptr_t base = map(0, 1ul << 30, 0, 0);
	uint8_t *byte;
	int err = 0;
	unsigned n = 0;
	for (; err == 0 && n < 1 << 18; n++)
		err = reach(base + n * PAGE_SIZE, FAULT_WRITE, &byte);
	assert(err == -ENOMEM && n > 7000);
	address_space_clear(&space);
	/* Failing at each allocation in turn leaves the old state. */
	for (long k = 0; k < 20; k++) {
		page_alloc_fail_after(k);
		uintptr_t a = map(BASE, 0x4000, MAP_AT, 0);
		err = a == BASE ? reach(BASE, FAULT_WRITE, &byte) : -ENOMEM;
		assert(err == 0 || err == -ENOMEM);
		page_alloc_fail_after(-1);
		address_space_clear(&space);
		assert(space.resident_pages == 0 && space.n_areas == 0);
	}
}

static uint64_t n_free(void)
{
	struct memory_usage u;
	page_usage(&u);
	assert(u.anonymous == 0);
	return u.free + u.heap;
}

int main(void)
{
	host_memory_init(32ul << 20);
	page_cache_init(&file, &file_ops, 0);
	page_cache_init(&memory, &memory_ops, PAGE_CACHE_KEEP);
	file.size = memory.size = FILE_PAGES * PAGE_SIZE;
	for (unsigned i = 0; i < FILE_PAGES; i++)
		file_model[i] = (uint8_t)(i + 100);
	assert(address_space_init(&space, USER_MMAP_BASE) == 0);
	uint64_t before = n_free();
	check_against_model();
	check_placement();
	check_stack();
	check_brk();
	check_describe();
	check_remap();
	check_special();
	check_advice();
	check_around();
	check_sigbus_and_nospace();
	check_out_of_memory();
	page_cache_destroy(&file);
	page_cache_destroy(&memory);
	assert(n_free() == before);
	return 0;
}
