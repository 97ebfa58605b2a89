/* Page tables: their entries, and the kernel's half.  mmu.c does the program's half. */
#pragma once

#include "kernel/arch/mmu.h"
#include "kernel/arch/upcall.h"

#define PTE_PRESENT 1ul
#define PTE_WRITE 2ul
#define PTE_USER 4ul
#define PTE_UNCACHED 0x18ul /* PCD, PWT */
#define PTE_ACCESSED 0x20ul
#define PTE_DIRTY 0x40ul
#define PTE_LARGE 0x80ul
#define PTE_GLOBAL 0x100ul
#define PTE_KEPT 0x200ul /* a page is here, though nothing may access it (PROT_NONE) */
#define PTE_NO_EXEC (1ul << 63)
#define PTE_ADDRESS 0x000ffffffffff000ul

/* Levels: 1 holds 4 KB pages, 2 2 MB, 3 1 GB; 4 is the root. */
#define LEVEL_SHIFT(level) (12 + 9 * ((level)-1))
#define LEVEL_SIZE(level) (1ul << LEVEL_SHIFT(level))
#define LEVEL_INDEX(va, level) ((va) >> LEVEL_SHIFT(level) & 511)

extern char image_start[], text_end[], rodata_end[], image_end[];
extern uint64_t kernel_root; /* physical */

/* Bits of a leaf at level 1 or 2 for MMU_*; PTE_GLOBAL in the kernel's half. */
uint64_t pte_encode(phys_addr pa, unsigned prot, unsigned level);
/* The entry for va in the table of that level, making tables on the way.  NULL: out of memory, or
 * a larger page is in the way. */
uint64_t *pte_make(uint64_t *root, uintptr_t va, unsigned level);

static inline uint64_t *pte_table(uint64_t pte)
{
	return phys_to_virt((phys_addr){pte & PTE_ADDRESS});
}

/* Map [va, va + size) with the largest pages the CPU has.  -ENOMEM. */
int paging_map(uintptr_t va, uint64_t pa, uint64_t size, unsigned prot) must_check;

/* Before paging_init(): memory behind the image, from [start, limit); not cleared, but whole
 * pages are aligned. */
#define EARLY_MEMORY_CLOSE (16ul << 20)
void early_memory_set(uint64_t start, uint64_t limit);
uint64_t early_memory_start(void), early_memory_end(void);
void *early_alloc(size_t size);

/* Loader data, up to 2 MB of it; the next call with that slot (0, 1) takes the view away. */
const void *early_view(uint64_t pa, unsigned slot);

/* The final tables: image by section, all memory in the direct map; nothing else. */
void paging_init(const struct boot_info *boot);
