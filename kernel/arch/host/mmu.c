/* Host port: memory as a file that can be mapped twice, page tables as a sorted array. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/assert.h"
#include "kernel/mem/page.h"

struct mmu_slot {
	uintptr_t va;
	struct mmu_entry entry;
};

static int memory_file = -1;

void host_memory_init(size_t bytes)
{
	assert(memory_file < 0);
	memory_file = memfd_create("mote-memory", MFD_CLOEXEC);
	assert(memory_file >= 0 && ftruncate(memory_file, (off_t)bytes) == 0);
	void *at = mmap((void *)HOST_DIRECT_MAP, bytes, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED_NOREPLACE, memory_file, 0);
	assert(at == (void *)HOST_DIRECT_MAP);
	/* Page 0 is nobody's, as on real machines. */
	page_init(&(struct memory_range){PAGE_SIZE, bytes}, 1);
}

int mmu_init(struct mmu *m)
{
	*m = (struct mmu){0};
	return 0;
}

void mmu_destroy(struct mmu *m)
{
	assert(m->n_slots == 0);
	free(m->slots);
	*m = (struct mmu){0};
}

/* Position of the first slot at or above va. */
static size_t slot_from(const struct mmu *m, uintptr_t va)
{
	size_t low = 0, high = m->n_slots;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (m->slots[middle].va < va)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct mmu_slot *slot_of(const struct mmu *m, uintptr_t va)
{
	size_t i = slot_from(m, va + 1);
	if (i == 0)
		return NULL;
	struct mmu_slot *s = &m->slots[i - 1];
	return va < s->va + s->entry.size ? s : NULL;
}

int mmu_map(struct mmu *m, uintptr_t va, phys_addr pa, size_t size, unsigned prot)
{
	assert(is_aligned(va, size) && is_aligned(pa.pa, size));
	if (mmu_next(m, va, va + size) < va + size)
		return -EEXIST;
	if (m->n_slots == m->room) {
		m->room = m->room ? 2 * m->room : 64;
		m->slots = realloc(m->slots, m->room * sizeof(*m->slots));
		assert(m->slots);
	}
	size_t i = slot_from(m, va);
	memmove(&m->slots[i + 1], &m->slots[i], (m->n_slots - i) * sizeof(*m->slots));
	m->slots[i] = (struct mmu_slot){va, {.pa = pa, .size = size, .prot = prot}};
	m->n_slots++;
	return 0;
}

bool mmu_lookup(struct mmu *m, uintptr_t va, struct mmu_entry *out)
{
	struct mmu_slot *s = slot_of(m, va);
	if (s)
		*out = s->entry;
	return s;
}

uintptr_t mmu_next(struct mmu *m, uintptr_t va, uintptr_t end)
{
	if (slot_of(m, va))
		return va;
	size_t i = slot_from(m, va);
	return i < m->n_slots && m->slots[i].va < end ? m->slots[i].va : end;
}

bool mmu_is_bare(struct mmu *m, uintptr_t va)
{
	va = align_down(va, LARGE_PAGE_SIZE);
	return mmu_next(m, va, va + LARGE_PAGE_SIZE) == va + LARGE_PAGE_SIZE;
}

int mmu_split(struct mmu *m, uintptr_t va)
{
	struct mmu_entry e;
	bool there = mmu_unmap(m, va, &e);
	assert(there && e.size == LARGE_PAGE_SIZE);
	va = align_down(va, LARGE_PAGE_SIZE);
	for (size_t at = 0; at < LARGE_PAGE_SIZE; at += PAGE_SIZE) {
		int err = mmu_map(m, va + at, (phys_addr){e.pa.pa + at}, PAGE_SIZE, e.prot);
		assert(err == 0);
	}
	return 0;
}

void mmu_prune(struct mmu *m, uintptr_t start, uintptr_t end)
{
	assert(mmu_next(m, start, end) == end);
}

bool mmu_unmap(struct mmu *m, uintptr_t va, struct mmu_entry *out)
{
	struct mmu_slot *s = slot_of(m, va);
	if (!s)
		return false;
	if (out)
		*out = s->entry;
	size_t i = (size_t)(s - m->slots);
	memmove(s, s + 1, (m->n_slots - i - 1) * sizeof(*s));
	m->n_slots--;
	return true;
}

uintptr_t mmu_unmap_next(struct mmu *m, uintptr_t va, uintptr_t end, struct mmu_entry *out)
{
	va = mmu_next(m, va, end);
	return va < end && mmu_unmap(m, va, out) ? va : end;
}

void mmu_change(struct mmu *m, uintptr_t va, unsigned prot, const phys_addr *pa)
{
	struct mmu_slot *s = slot_of(m, va);
	if (!s)
		return;
	s->entry.prot = prot;
	s->entry.dirty = s->entry.accessed = false;
	if (pa)
		s->entry.pa = *pa;
}

void mmu_flush(struct mmu *m, uintptr_t start, uintptr_t end)
{
	(void)start;
	(void)end;
	m->n_flushes++;
}

void mmu_flush_local(struct mmu *m, uintptr_t va)
{
	(void)m;
	(void)va;
}

int mmu_map_kernel(uintptr_t va, phys_addr pa, unsigned prot)
{
	(void)prot;
	void *at = mmap((void *)va, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		memory_file, (off_t)pa.pa);
	return at == (void *)va ? 0 : -ENOMEM;
}

void mmu_unmap_kernel(uintptr_t va, size_t size)
{
	munmap((void *)va, size);
}

void *mmu_map_device(phys_addr pa, size_t size)
{
	(void)pa;
	(void)size;
	return NULL;
}
