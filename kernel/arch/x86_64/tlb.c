/*
 * Translations are forgotten on all CPUs: one request at a time, an interrupt to those concerned, a
 * bit per CPU that has yet to answer.  A CPU that waits, for a lock or for its own request, looks
 * at its bit by itself (cpu_relax()), so interrupts may be off everywhere.
 *
 * A sleeping CPU is left alone when only user addresses are concerned: it flushes when it wakes,
 * before anything can use the program's half.
 */
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/local.h"

#define PAGES_ONE_BY_ONE 32

_Atomic uint64_t tlb_pending; /* bit per CPU */
static atomic_uint busy;
static uintptr_t range_start, range_end; /* of whoever holds busy */

static void invalidate(uintptr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static void flush_here(uintptr_t start, uintptr_t end)
{
	bool kernel = end > USER_END;
	if (kernel || end - start <= PAGES_ONE_BY_ONE * PAGE_SIZE) {
		for (; start < end; start += PAGE_SIZE)
			invalidate(start);
		return;
	}
	cr3_write(cr3_read());
}

void tlb_serve(void)
{
	uint64_t me = 1ull << cpu_id();
	irq_state s = irq_save();
	if (atomic_load(&tlb_pending) & me) {
		flush_here(range_start, range_end);
		atomic_fetch_and(&tlb_pending, ~me);
	}
	irq_restore(s);
}

void tlb_wake(struct cpu_local *c)
{
	if (atomic_exchange(&c->sleep, CPU_AWAKE) == CPU_ASLEEP_STALE)
		cr3_write(cr3_read());
}

/* The CPUs to interrupt; sleepers are marked instead. */
static uint64_t targets(bool user)
{
	uint64_t mask = 0;
	for (unsigned i = 0, n = cpu_count(); i < n; i++) {
		enum cpu_sleep asleep = CPU_ASLEEP;
		if (i == cpu_id())
			continue;
		struct cpu_local *c = cpu_locals[i];
		if (user && (atomic_compare_exchange_strong(&c->sleep, &asleep, CPU_ASLEEP_STALE) ||
				    asleep == CPU_ASLEEP_STALE))
			continue;
		mask |= 1ull << i;
	}
	return mask;
}

void mmu_flush(struct mmu *m, uintptr_t start, uintptr_t end)
{
	(void)m;
	irq_state s = irq_save();
	flush_here(start, end);
	uint64_t mask = targets(end <= USER_END);
	if (mask) {
		while (atomic_exchange(&busy, 1))
			cpu_relax();
		range_start = start;
		range_end = end;
		atomic_store(&tlb_pending, mask);
		for (unsigned i = 0; i < CPU_MAX; i++)
			if (mask >> i & 1)
				apic_send(cpu_locals[i]->apic_id, VECTOR_FLUSH);
		while (atomic_load(&tlb_pending))
			__builtin_ia32_pause();
		atomic_store(&busy, 0);
	}
	irq_restore(s);
}

void mmu_flush_local(struct mmu *m, uintptr_t va)
{
	(void)m;
	invalidate(va);
}
