/*
 * The program's half of the page tables.  The caller holds the address space's lock; the processor
 * itself sets accessed and dirty bits at any time, so entries are taken away by exchange.
 *
 * Tables that run empty stay until a large page wants their place, or mmu_destroy().
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
		if (!*pte)
			return NULL;
		if (l == 1 || *pte & PTE_LARGE) {
			*level = l;
			return pte;
		}
		table = pte_table(*pte);
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

/* A large page wants the place of a table: it must be empty. */
static int table_replace(struct mmu *m, uintptr_t va)
{
	uint64_t *pte = pte_make(m->root, va, 2);
	if (!pte)
		return -ENOMEM;
	if (!*pte)
		return 0;
	assert(!(*pte & PTE_LARGE));
	uint64_t *table = pte_table(*pte);
	for (unsigned i = 0; i < 512; i++)
		assert(!table[i]);
	*pte = 0;
	uintptr_t start = align_down(va, LARGE_PAGE_SIZE);
	mmu_flush(m, start, start + LARGE_PAGE_SIZE);
	table_page_free(table);
	return 0;
}

int mmu_map(struct mmu *m, uintptr_t va, phys_addr pa, size_t size, unsigned prot)
{
	unsigned level = size == PAGE_SIZE ? 1 : 2;
	assert(is_aligned(va, size) && va < USER_END);
	if (level == 2) {
		int err = table_replace(m, va);
		if (err < 0)
			return err;
	}
	uint64_t *pte = pte_make(m->root, va, level);
	if (!pte)
		return -ENOMEM;
	assert(!*pte);
	*pte = pte_encode(pa, prot, level);
	return 0;
}

bool mmu_lookup(struct mmu *m, uintptr_t va, struct mmu_entry *out)
{
	unsigned level;
	uint64_t *pte = leaf_find(m, va, &level);
	if (!pte)
		return false;
	*out = decode(*pte, level);
	return true;
}

uintptr_t mmu_next(struct mmu *m, uintptr_t va, uintptr_t end)
{
	while (va < end) {
		uint64_t *table = m->root;
		unsigned level = 4;
		while (table[LEVEL_INDEX(va, level)]) {
			uint64_t pte = table[LEVEL_INDEX(va, level)];
			if (level == 1 || pte & PTE_LARGE)
				return va;
			table = pte_table(pte);
			level--;
		}
		/* A hole of this level; along the table to the next entry. */
		unsigned i = LEVEL_INDEX(va, level);
		va = align_down(va, LEVEL_SIZE(level));
		do
			va += LEVEL_SIZE(level);
		while (++i < 512 && !table[i] && va < end);
	}
	return end;
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
