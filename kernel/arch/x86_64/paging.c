/*
 * The kernel's half of the page tables: image (W^X), direct map of usable memory with the largest
 * pages CPUID permits, device windows, windows of kernel/mem.  Everything is global and present
 * from the start; there is one root for both halves and all CPUs.
 */
#include "kernel/arch/x86_64/paging.h"

#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/string.h"

#define EARLY_LIMIT (64ul << 20) /* what start.S maps */
#define DIRECT_MAP_FIRST_SLOT 273
#define DIRECT_MAP_SLOT_CHOICES 47 /* and 128 slots behind the last: below KERNEL_WINDOW_START */
#define DIRECT_MAP_MAX (128ul << 39)
#define DEVICE_START 0xffffe10000000000ul
#define DEVICE_END 0xffffe18000000000ul

/* While start.S's tables hold, low memory is seen at KERNEL_BASE: phys_to_virt() is right always. */
uintptr_t direct_map = KERNEL_BASE;
uint64_t kernel_root;

extern uint64_t early_2m[512];
static uint64_t early_start, early_next, early_limit;
static bool early_over;
static struct spinlock kernel_lock = SPINLOCK_INIT; /* the kernel half and the device windows */

void early_memory_set(uint64_t start, uint64_t limit)
{
	early_start = early_next = start;
	early_limit = min(limit, EARLY_LIMIT);
}

uint64_t early_memory_start(void)
{
	return early_start;
}

uint64_t early_memory_end(void)
{
	early_over = true;
	return align_up(early_next, PAGE_SIZE);
}

void *early_alloc(size_t size)
{
	if (size >= PAGE_SIZE)
		early_next = align_up(early_next, PAGE_SIZE);
	void *p = phys_to_virt((phys_addr){early_next});
	early_next += align_up(size, 16);
	if (early_next > early_limit)
		panic("not enough memory for the page tables");
	return p;
}

const void *early_view(uint64_t pa, unsigned slot)
{
	if (pa < EARLY_LIMIT - LARGE_PAGE_SIZE)
		return (const void *)(KERNEL_BASE + pa);
	unsigned index = 500 + 2 * slot;
	uint64_t base = align_down(pa, LARGE_PAGE_SIZE);
	uintptr_t va = KERNEL_BASE + index * LARGE_PAGE_SIZE;
	for (unsigned i = 0; i < 2; i++) {
		early_2m[index + i] = (base + i * LARGE_PAGE_SIZE) | PTE_PRESENT | PTE_LARGE;
		__asm__ volatile("invlpg (%0)" : : "r"(va + i * LARGE_PAGE_SIZE) : "memory");
	}
	return (const void *)(va + (pa - base));
}

static uint64_t *table_new(void)
{
	if (early_over)
		return table_page_alloc();
	return memset(early_alloc(PAGE_SIZE), 0, PAGE_SIZE);
}

uint64_t pte_encode(phys_addr pa, unsigned prot, unsigned level)
{
	uint64_t pte = pa.pa;
	if (level > 1)
		pte |= PTE_LARGE;
	if (!(prot & (MMU_READ | MMU_WRITE | MMU_EXEC)))
		return pte | PTE_KEPT;
	pte |= PTE_PRESENT;
	if (prot & MMU_WRITE)
		pte |= PTE_WRITE;
	if (prot & MMU_USER)
		pte |= PTE_USER;
	else
		pte |= PTE_GLOBAL | PTE_ACCESSED | PTE_DIRTY;
	if (prot & MMU_UNCACHED)
		pte |= PTE_UNCACHED;
	if (!(prot & MMU_EXEC) && cpu_features & FEATURE_NX)
		pte |= PTE_NO_EXEC;
	return pte;
}

/* A new table, unless another CPU enters one first. */
static bool table_enter(uint64_t *pte, uintptr_t va)
{
	uint64_t *new = table_new(), expected = 0;
	if (!new)
		return false;
	uint64_t user = va < USER_END ? PTE_USER : 0;
	uint64_t entry = virt_to_phys(new).pa | PTE_PRESENT | PTE_WRITE | user;
	if (!__atomic_compare_exchange_n(
		    pte, &expected, entry, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		table_page_free(new);
	return true;
}

uint64_t *pte_make(uint64_t *root, uintptr_t va, unsigned level)
{
	uint64_t *table = root;
	for (unsigned l = 4; l > level; l--) {
		uint64_t *pte = &table[LEVEL_INDEX(va, l)];
		if (!*pte) {
			if (!table_enter(pte, va))
				return NULL;
		}
		uint64_t entry = __atomic_load_n(pte, __ATOMIC_ACQUIRE);
		if (entry & PTE_LARGE)
			return NULL;
		table = pte_table(entry);
	}
	return &table[LEVEL_INDEX(va, level)];
}

int paging_map(uintptr_t va, uint64_t pa, uint64_t size, unsigned prot)
{
	uint64_t *root = pte_table(kernel_root);
	while (size) {
		unsigned level = cpu_features & FEATURE_1GB_PAGES ? 3 : 2;
		while (level > 1 &&
			((va | pa) & (LEVEL_SIZE(level) - 1) || size < LEVEL_SIZE(level)))
			level--;
		uint64_t *pte = pte_make(root, va, level);
		if (!pte)
			return -ENOMEM;
		/* Fill this table as far as pages of the level go. */
		uint64_t step = LEVEL_SIZE(level), bits = pte_encode((phys_addr){0}, prot, level);
		unsigned room = 512 - LEVEL_INDEX(va, level);
		for (; room && size >= step; room--, va += step, pa += step, size -= step)
			*pte++ = pa | bits;
	}
	return 0;
}

static void map_image(const char *start, const char *end, unsigned prot)
{
	uintptr_t va = (uintptr_t)start;
	if (paging_map(va, virt_to_phys(start).pa, (uintptr_t)end - va, prot) < 0)
		panic("the image can not be mapped");
}

static uintptr_t choose_direct_map(void)
{
	uint64_t x;
	if (!cpu_random(&x))
		x = tsc_read() * 0x9e3779b97f4a7c15ull >> 32;
	uint64_t slot = DIRECT_MAP_FIRST_SLOT + x % DIRECT_MAP_SLOT_CHOICES;
	return 0xffff000000000000ul | slot << 39;
}

void paging_init(const struct boot_info *boot)
{
	kernel_root = virt_to_phys(table_new()).pa;
	map_image(image_start, text_end, MMU_READ | MMU_EXEC);
	map_image(text_end, rodata_end, MMU_READ);
	map_image(rodata_end, image_end, MMU_READ | MMU_WRITE);
	uintptr_t base = choose_direct_map();
	for (unsigned i = 0; i < boot->n_memory; i++) {
		struct memory_range r = boot->memory[i];
		if (r.start >= DIRECT_MAP_MAX)
			continue;
		r.end = min(r.end, DIRECT_MAP_MAX);
		if (paging_map(base + r.start, r.start, r.end - r.start, MMU_READ | MMU_WRITE) < 0)
			panic("memory at %#lx can not be mapped", (unsigned long)r.start);
	}
	cr3_write(kernel_root);
	direct_map = base;
}

int mmu_map_kernel(uintptr_t va, phys_addr pa, unsigned prot)
{
	irq_state s = spin_lock(&kernel_lock);
	int err = paging_map(va, pa.pa, PAGE_SIZE, prot);
	spin_unlock(&kernel_lock, s);
	return err;
}

void mmu_unmap_kernel(uintptr_t va, size_t size)
{
	irq_state s = spin_lock(&kernel_lock);
	for (uintptr_t at = va; at < va + size; at += PAGE_SIZE) {
		uint64_t *pte = pte_make(pte_table(kernel_root), at, 1);
		assert(pte);
		*pte = 0;
	}
	spin_unlock(&kernel_lock, s);
	mmu_flush(NULL, va, va + size);
}

/* Windows already made: drivers of functions that share a page get the same one. */
static struct window {
	uint64_t pa;
	size_t size;
	uintptr_t va;
} windows[64];
static unsigned n_windows;
static uintptr_t device_next = DEVICE_START;

static uintptr_t window_make(uint64_t pa, size_t size)
{
	for (unsigned i = 0; i < n_windows; i++)
		if (pa >= windows[i].pa && pa + size <= windows[i].pa + windows[i].size)
			return windows[i].va + (pa - windows[i].pa);
	/* Large windows keep their offset in a large page, so that large pages can be used. */
	uintptr_t va = device_next;
	if (size >= LARGE_PAGE_SIZE)
		va = align_up(va, LARGE_PAGE_SIZE) + (pa & (LARGE_PAGE_SIZE - 1));
	if (size > DEVICE_END - va)
		return 0;
	if (paging_map(va, pa, size, MMU_READ | MMU_WRITE | MMU_UNCACHED) < 0)
		return 0;
	device_next = va + size;
	if (n_windows < array_size(windows))
		windows[n_windows++] = (struct window){pa, size, va};
	return va;
}

void *mmu_map_device(phys_addr pa, size_t size)
{
	uint64_t start = align_down(pa.pa, PAGE_SIZE);
	size_t pages = align_up(pa.pa + size, PAGE_SIZE) - start;
	irq_state s = spin_lock(&kernel_lock);
	uintptr_t va = window_make(start, pages);
	spin_unlock(&kernel_lock, s);
	return va ? (void *)(va + (pa.pa - start)) : NULL;
}
