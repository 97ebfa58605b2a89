/*
 * Host port: "physical" memory is a memory file of HOST_MEMORY bytes, mapped whole at HOST_DIRECT_MAP; page tables are
 * a sorted array that nothing walks but mmu_lookup().  The addresses lie where AddressSanitizer has shadow.
 */
#pragma once

#define HOST_DIRECT_MAP 0x200000000000ul

#define USER_START 0x10000ul
#define USER_END 0x7ffffffff000ul
#define USER_MMAP_BASE 0x7ffff7fff000ul
#define USER_PIE_BASE 0x555555554000ul
#define USER_STACK_TOP 0x7ffffffff000ul
#define USER_MMAP_RANDOM_BITS 28

#define KERNEL_WINDOW_START 0x300000000000ul
#define KERNEL_WINDOW_END 0x300100000000ul

struct mmu_slot;

struct mmu {
	struct mmu_slot *slots; /* sorted by address */
	size_t n_slots, room;
	size_t n_flushes; /* for tests */
};

static inline void *phys_to_virt(phys_addr pa)
{
	return (void *)(HOST_DIRECT_MAP + pa.pa);
}

static inline phys_addr virt_to_phys(const void *va)
{
	return (phys_addr){(uintptr_t)va - HOST_DIRECT_MAP};
}
