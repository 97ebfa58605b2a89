/*
 * x86-64: the address map.
 *
 *     0000000000001000..00007ffffffff000   the program
 *     direct_map..                         all memory; slot chosen at boot (up to 64 TB)
 *     ffffe00000000000..ffffe08000000000   windows: stacks with guard pages, for kernel/mem
 *     ffffe10000000000..ffffe18000000000   device registers (mmu_map_device)
 *     ffffffff80000000..                   the kernel image, at its physical address above this
 */
#pragma once

#include "machine/offsets.h"

#define USER_START 0x10000ul /* lowest address mmap gives out (vm.mmap_min_addr) */
#define USER_END 0x7ffffffff000ul
/* mmap goes down from below here (less stack gap and ASLR), a static-PIE and PT_INTERP as on Linux. */
#define USER_MMAP_BASE 0x7ffff7fff000ul
#define USER_PIE_BASE 0x555555554000ul
#define USER_STACK_TOP 0x7ffffffff000ul
#define USER_MMAP_RANDOM_BITS 28 /* pages */

#define KERNEL_WINDOW_START 0xffffe00000000000ul
#define KERNEL_WINDOW_END 0xffffe08000000000ul

struct mmu {
	uint64_t *root; /* the kernel's: both halves live in one set of tables */
};

extern uintptr_t direct_map;

static inline void *phys_to_virt(phys_addr pa)
{
	return (void *)(direct_map + pa.pa);
}

/* Of the direct map or of the kernel image. */
static inline phys_addr virt_to_phys(const void *va)
{
	uintptr_t a = (uintptr_t)va;
	return (phys_addr){a >= KERNEL_BASE ? a - KERNEL_BASE : a - direct_map};
}
