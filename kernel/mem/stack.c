/*
 * Kernel stacks: slots in the kernel's window, each a guard page that is never mapped and the stack
 * above it.  A slot is never given back.  Freed stacks are kept whole for the next thread, up to a
 * number; of the others only the top frame stays, with the link that finds the slot again.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/cpu.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page.h"

#define SLOT_SIZE (KERNEL_STACK_SIZE + PAGE_SIZE)
#define N_SLOTS 65536u
#define N_FRAMES (KERNEL_STACK_SIZE / PAGE_SIZE)
#define WHOLE_MAX 16u

_Static_assert(N_SLOTS *SLOT_SIZE <= KERNEL_WINDOW_END - KERNEL_WINDOW_START, "window");

/* Above the stack's top, in its last frame.  frame[i] is the i-th from the bottom. */
struct slot {
	struct slot *next;
	struct page *frame[N_FRAMES];
} aligned_to(16);

static struct spinlock lock;
/* under lock: */
static struct slot *whole, *shrunk;
static unsigned n_whole;
static unsigned n_slots; /* ever used */

static uintptr_t bottom_of(const struct slot *s)
{
	return (uintptr_t)(s + 1) - KERNEL_STACK_SIZE;
}

static struct slot *take(struct slot **list)
{
	struct slot *s = *list;
	if (s != NULL)
		*list = s->next;
	return s;
}

static int map_frame(uintptr_t va, struct page **out)
{
	struct page *p = page_alloc(0, 0);
	if (p == NULL)
		return -ENOMEM;
	int err = mmu_map_kernel(va, page_to_phys(p), MMU_READ | MMU_WRITE);
	if (err < 0) {
		page_put(p);
		return err;
	}
	page_count_stacks(1);
	*out = p;
	return 0;
}

/* A slot never used before, with its top frame. */
static struct slot *slot_new(void)
{
	irq_state state = spin_lock(&lock);
	unsigned number = n_slots;
	if (n_slots < N_SLOTS)
		n_slots++;
	spin_unlock(&lock, state);
	if (number == N_SLOTS)
		return NULL;
	uintptr_t end = KERNEL_WINDOW_START + (number + 1) * SLOT_SIZE;
	struct page *top = NULL;
	/* Failing here loses the slot's addresses, nothing else: there are many. */
	if (map_frame(end - PAGE_SIZE, &top) < 0)
		return NULL;
	struct slot *s = (struct slot *)end - 1;
	*s = (struct slot){0};
	s->frame[N_FRAMES - 1] = top;
	return s;
}

static void slot_shrink(struct slot *s)
{
	mmu_unmap_kernel(bottom_of(s), KERNEL_STACK_SIZE - PAGE_SIZE);
	for (unsigned i = 0; i < N_FRAMES - 1; i++) {
		if (s->frame[i] == NULL)
			continue;
		page_put(s->frame[i]);
		s->frame[i] = NULL;
		page_count_stacks(-1);
	}
	irq_state state = spin_lock(&lock);
	s->next = shrunk;
	shrunk = s;
	spin_unlock(&lock, state);
}

void *stack_alloc(void)
{
	irq_state state = spin_lock(&lock);
	struct slot *s = take(&whole);
	bool is_whole = s != NULL;
	if (is_whole)
		n_whole--;
	else
		s = take(&shrunk);
	spin_unlock(&lock, state);
	if (is_whole)
		return s;
	if (s == NULL)
		s = slot_new();
	if (s == NULL)
		return NULL;
	for (unsigned i = 0; i < N_FRAMES - 1; i++)
		if (map_frame(bottom_of(s) + i * PAGE_SIZE, &s->frame[i]) < 0) {
			slot_shrink(s);
			return NULL;
		}
	return s;
}

void stack_free(void *top)
{
	struct slot *s = top;
	irq_state state = spin_lock(&lock);
	bool keep = n_whole < WHOLE_MAX;
	if (keep) {
		s->next = whole;
		whole = s;
		n_whole++;
	}
	spin_unlock(&lock, state);
	if (!keep)
		slot_shrink(s);
}

bool stack_is_guard(uintptr_t address)
{
	if (address < KERNEL_WINDOW_START || address >= KERNEL_WINDOW_START + N_SLOTS * SLOT_SIZE)
		return false;
	return (address - KERNEL_WINDOW_START) % SLOT_SIZE < PAGE_SIZE;
}
