/*
 * The program's half of the page tables.  The caller holds the address space's lock; the processor
 * itself sets accessed and dirty bits at any time, so entries are taken away by exchange.
 *
 * Tables that run empty stay until mmu_prune() or mmu_destroy().
 */
#include "kernel/arch/mmu.h"

#include "abi/linux/errno.h"
#include "kernel/lib/assert.h"
#include "kernel/arch/x86_64/paging.h"

int mmu_init(struct mmu *m)
{
	m->root = pte_table(kernel_root);
	return 0;
}

static void table_free(uint64_t *table, unsigned level)
{
	for (unsigned i = 0; level > 1 && i < 512; i++)
		if (table[i] && !(table[i] & PTE_LARGE))
			table_free(pte_table(table[i]), level - 1);
	table_page_free(table);
}

void mmu_destroy(struct mmu *m)
{
	for (unsigned i = 0; i < 256; i++)
		if (m->root[i]) {
			uint64_t *table = pte_table(m->root[i]);
			m->root[i] = 0;
			mmu_flush(m, 0, USER_END);
			table_free(table, 3);
		}
}

/* The leaf that maps va, NULL when there is none; its level. */
static uint64_t *leaf_find(struct mmu *m, uintptr_t va, unsigned *level)
{
	uint64_t *table = m->root;
	for (unsigned l = 4;; l--) {
		uint64_t *pte = &table[LEVEL_INDEX(va, l)];
		uint64_t entry = __atomic_load_n(pte, __ATOMIC_ACQUIRE);
		if (!entry)
			return NULL;
		if (l == 1 || entry & PTE_LARGE) {
			*level = l;
			return pte;
		}
		table = pte_table(entry);
	}
}

static struct mmu_entry decode(uint64_t pte, unsigned level)
{
	struct mmu_entry e = {
		.size = LEVEL_SIZE(level),
		.pa = {pte & PTE_ADDRESS & ~(LEVEL_SIZE(level) - 1)},
		.dirty = pte & PTE_DIRTY,
		.accessed = pte & PTE_ACCESSED,
	};
	if (!(pte & PTE_PRESENT))
		return e;
	e.prot = MMU_READ | (pte & PTE_WRITE ? MMU_WRITE : 0) | (pte & PTE_USER ? MMU_USER : 0) |
		 (pte & PTE_NO_EXEC ? 0 : MMU_EXEC) | (pte & PTE_UNCACHED ? MMU_UNCACHED : 0);
	return e;
}

int mmu_map(struct mmu *m, uintptr_t va, phys_addr pa, size_t size, unsigned prot)
{
	unsigned level = size == PAGE_SIZE ? 1 : 2;
	assert(is_aligned(va, size) && va < USER_END);
	uint64_t *pte = pte_make(m->root, va, level), none = 0;
	if (unlikely(!pte))
		return leaf_find(m, va, &level) ? -EEXIST : -ENOMEM;
	bool entered = __atomic_compare_exchange_n(
		pte, &none, pte_encode(pa, prot, level), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	return entered ? 0 : -EEXIST;
}

/* The entry for va in its level 2 table, NULL when there is no such table. */
static uint64_t *large_entry(struct mmu *m, uintptr_t va)
{
	uint64_t *table = m->root;
	for (unsigned l = 4; l > 2; l--) {
		uint64_t entry = table[LEVEL_INDEX(va, l)];
		if (!entry)
			return NULL;
		table = pte_table(entry);
	}
	return &table[LEVEL_INDEX(va, 2)];
}

bool mmu_is_bare(struct mmu *m, uintptr_t va)
{
	uint64_t *pte = large_entry(m, va);
	return !pte || !*pte;
}

int mmu_split(struct mmu *m, uintptr_t va)
{
	uint64_t *pte = large_entry(m, va), *table = table_page_alloc();
	if (!table)
		return -ENOMEM;
	/* Out of every TLB while pages of both sizes could be seen; the place stays taken. */
	uint64_t old = *pte;
	do
		assert(old & PTE_LARGE);
	while (!__atomic_compare_exchange_n(pte, &old, (old & PTE_ADDRESS) | PTE_LARGE | PTE_KEPT,
		false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	va = align_down(va, LARGE_PAGE_SIZE);
	mmu_flush(m, va, va + LARGE_PAGE_SIZE);
	for (unsigned i = 0; i < 512; i++)
		table[i] = (old & ~PTE_LARGE) + i * PAGE_SIZE;
	__atomic_store_n(
		pte, virt_to_phys(table).pa | PTE_PRESENT | PTE_WRITE | PTE_USER, __ATOMIC_RELEASE);
	return 0;
}

#define PRUNE_AT_ONCE 64u

/* Up to PRUNE_AT_ONCE tables out of [va, end) into out, va a multiple of a large page; where to go on. */
static uintptr_t unlink_tables(
	struct mmu *m, uintptr_t va, uintptr_t end, uint64_t **out, unsigned *n)
{
	while (va < end && end - va >= LARGE_PAGE_SIZE && *n < PRUNE_AT_ONCE) {
		uint64_t *pte = large_entry(m, va);
		if (!pte) { /* on to the next table of that level */
			va = align_down(va, LEVEL_SIZE(3)) + LEVEL_SIZE(3);
			continue;
		}
		if (*pte) {
			assert(!(*pte & PTE_LARGE));
			out[(*n)++] = pte_table(*pte);
			*pte = 0;
		}
		va += LARGE_PAGE_SIZE;
	}
	return va;
}

void mmu_prune(struct mmu *m, uintptr_t start, uintptr_t end)
{
	uint64_t *tables[PRUNE_AT_ONCE];
	uintptr_t va = align_up(start, LARGE_PAGE_SIZE);
	while (va < end && end - va >= LARGE_PAGE_SIZE) {
		unsigned n = 0;
		uintptr_t first = va;
		va = unlink_tables(m, va, end, tables, &n);
		if (n > 0)
			mmu_flush(m, first, va);
		while (n > 0)
			table_page_free(tables[--n]);
	}
}

bool mmu_lookup(struct mmu *m, uintptr_t va, struct mmu_entry *out)
{
	unsigned level;
	uint64_t *pte = leaf_find(m, va, &level);
	uint64_t entry = pte ? __atomic_load_n(pte, __ATOMIC_RELAXED) : 0;
	if (!entry)
		return false;
	*out = decode(entry, level);
	return true;
}

/* Index of the first entry of a table from i on that is not empty, or 512.  Stacks and heaps leave long holes, so
 * eight at a time. */
static unsigned skip_empty(const uint64_t *table, unsigned i)
{
	while (i < 512 && !table[i]) {
		const uint64_t *t = table + i;
		bool all = i % 8 == 0 && !(t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7]);
		i += all ? 8 : 1;
	}
	return i;
}

/* The first leaf in [*va, end): where it is, its level, *va moved there; NULL when there is none. */
static uint64_t *leaf_next(struct mmu *m, uintptr_t *at, uintptr_t end, unsigned *level_out)
{
	uintptr_t va = *at;
	while (va < end) {
		uint64_t *table = m->root, entry;
		unsigned level = 4, i = LEVEL_INDEX(va, 4);
		while ((entry = __atomic_load_n(&table[i], __ATOMIC_ACQUIRE)) != 0) {
			if (level == 1 || entry & PTE_LARGE) {
				*level_out = level;
				*at = va;
				return &table[i];
			}
			table = pte_table(entry);
			level--;
			i = LEVEL_INDEX(va, level);
		}
		/* A hole of this level; along the table to the next entry. */
		va = align_down(va, LEVEL_SIZE(level));
		va += (skip_empty(table, i) - i) * LEVEL_SIZE(level);
	}
	return NULL;
}

uintptr_t mmu_next(struct mmu *m, uintptr_t va, uintptr_t end)
{
	unsigned level;
	return leaf_next(m, &va, end, &level) ? va : end;
}

uintptr_t mmu_unmap_next(struct mmu *m, uintptr_t va, uintptr_t end, struct mmu_entry *out)
{
	unsigned level;
	uint64_t *pte = leaf_next(m, &va, end, &level);
	if (!pte)
		return end;
	*out = decode(__atomic_exchange_n(pte, 0, __ATOMIC_ACQ_REL), level);
	return va;
}

bool mmu_unmap(struct mmu *m, uintptr_t va, struct mmu_entry *out)
{
	unsigned level;
	uint64_t *pte = leaf_find(m, va, &level);
	if (!pte)
		return false;
	*out = decode(__atomic_exchange_n(pte, 0, __ATOMIC_ACQ_REL), level);
	return true;
}

void mmu_change(struct mmu *m, uintptr_t va, unsigned prot, const phys_addr *pa)
{
	unsigned level;
	uint64_t *pte = leaf_find(m, va, &level);
	if (!pte)
		return;
	phys_addr to = pa ? *pa : decode(*pte, level).pa;
	__atomic_store_n(pte, pte_encode(to, prot, level), __ATOMIC_RELEASE);
}
