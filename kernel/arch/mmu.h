/*
 * Port contract 2/6: page tables.  One process, so one set of tables: user addresses in the lower
 * half, the kernel in the upper half (its image, a direct map of all memory, device windows, a
 * window for stacks with guard pages).  struct mmu stands for the lower half; the host port has several.
 *
 * Entries change under the address space's spinlock, but for mmu_map(), which only needs that no table goes
 * away: that happens in mmu_prune() alone, where nobody else may look.  Kernel mappings have a lock of their own.
 */
#pragma once

#include "kernel/lib/base.h"

typedef struct {
	uint64_t pa;
} phys_addr;

#define MMU_READ 1u
#define MMU_WRITE 2u
#define MMU_EXEC 4u
#define MMU_USER 8u
#define MMU_UNCACHED 16u

/* From the port: struct mmu; phys_to_virt(), virt_to_phys() through the direct map, inline;
 * USER_END, the first address the program can not have; USER_MMAP_BASE hints. */
#include "machine/mmu.h"

struct mmu_entry {
	phys_addr pa;
	size_t size;   /* PAGE_SIZE or LARGE_PAGE_SIZE */
	unsigned prot; /* MMU_* */
	bool dirty, accessed;
};

int mmu_init(struct mmu *m) must_check;
/* Free the tables; all entries are unmapped already. */
void mmu_destroy(struct mmu *m);

/* Map one page of that size.  -EEXIST: something is mapped there, or a table stands in a large page's place;
 * -ENOMEM: no page for a table.  Of several CPUs one wins. */
int mmu_map(struct mmu *m, uintptr_t va, phys_addr pa, size_t size, unsigned prot) must_check;
/* Could a large page be mapped around va, with neither entries nor a table in its place? */
bool mmu_is_bare(struct mmu *m, uintptr_t va);
/* Make the large page around va 512 small ones that map the same.  -ENOMEM. */
int mmu_split(struct mmu *m, uintptr_t va) must_check;
/* Nothing is mapped in [start, end) and nobody looks or maps: free the tables that lie in it, flushed. */
void mmu_prune(struct mmu *m, uintptr_t start, uintptr_t end);

/* What is mapped at va; false when nothing is. */
bool mmu_lookup(struct mmu *m, uintptr_t va, struct mmu_entry *out) must_check;

/* First address in [va, end) with an entry, or end.  Skips holes without walking them. */
uintptr_t mmu_next(struct mmu *m, uintptr_t va, uintptr_t end);

/* Take the entry at va away and say what it was; false when there was none.  The translation may
 * live on in TLBs until mmu_flush(). */
bool mmu_unmap(struct mmu *m, uintptr_t va, struct mmu_entry *out);

/* The same for the first entry in [va, end): where it was, or end. */
uintptr_t mmu_unmap_next(struct mmu *m, uintptr_t va, uintptr_t end, struct mmu_entry *out);

/* Change the protection of the entry at va, replacing its page when pa is not NULL; clears dirty
 * and accessed.  No entry there: nothing happens. */
void mmu_change(struct mmu *m, uintptr_t va, unsigned prot, const phys_addr *pa);

/* Forget translations of [start, end) on every CPU; returns when all have.  May be called with
 * interrupts off: waiting CPUs serve flushes of others. */
void mmu_flush(struct mmu *m, uintptr_t start, uintptr_t end);
/* The same on this CPU alone: enough when access was only widened. */
void mmu_flush_local(struct mmu *m, uintptr_t va);

/* Kernel half. */
int mmu_map_kernel(uintptr_t va, phys_addr pa, unsigned prot) must_check;
void mmu_unmap_kernel(uintptr_t va, size_t size); /* flushes */
/* A window onto device registers; NULL when out of memory.  Never given back. */
void *mmu_map_device(phys_addr pa, size_t size) must_check;
