/*
 * Features of the processor.  Everything beyond the x86-64 baseline is used only when CPUID offers
 * it: mote boots on QEMU's qemu64 and on what a cloud hands out alike.
 */
#include "kernel/arch/x86_64/cpu.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/timer.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/lib/string.h"

uint32_t cpu_features;
enum hypervisor hypervisor;
uint32_t cpu_efer; /* start.S gives it to the other CPUs */

static void want(uint32_t reg, unsigned bit, uint32_t feature)
{
	if (reg >> bit & 1)
		cpu_features |= feature;
}

static enum hypervisor identify_hypervisor(void)
{
	struct cpuid c = cpuid(0x40000000, 0);
	uint32_t name[3] = {c.ebx, c.ecx, c.edx};
	if (memcmp(name, "KVMKVMKVM\0\0\0", 12) == 0)
		return HYPERVISOR_KVM;
	if (memcmp(name, "TCGTCGTCGTCG", 12) == 0)
		return HYPERVISOR_TCG;
	if (memcmp(name, "Microsoft Hv", 12) == 0)
		return HYPERVISOR_MICROSOFT;
	return HYPERVISOR_OTHER;
}

void cpu_identify(void)
{
	uint32_t max_leaf = cpuid(0, 0).eax;
	struct cpuid c = cpuid(1, 0);
	want(c.ecx, 21, FEATURE_X2APIC);
	want(c.ecx, 24, FEATURE_TSC_DEADLINE);
	want(c.ecx, 26, FEATURE_XSAVE);
	want(c.ecx, 30, FEATURE_RDRAND);
	want(c.edx, 7, FEATURE_MCE);
	if (c.ecx >> 31)
		hypervisor = identify_hypervisor();
	/* QEMU's TCG ends with "Bad icount read" when its x2APIC's timer is read under -icount. */
	if (hypervisor == HYPERVISOR_TCG)
		cpu_features &= ~FEATURE_X2APIC;
	if (max_leaf >= 7) {
		c = cpuid(7, 0);
		want(c.ebx, 0, FEATURE_FSGSBASE);
		want(c.ebx, 7, FEATURE_SMEP);
		want(c.ebx, 18, FEATURE_RDSEED);
		want(c.ebx, 20, FEATURE_SMAP);
		want(c.ecx, 2, FEATURE_UMIP);
	}
	if (cpu_features & FEATURE_XSAVE)
		want(cpuid(13, 1).eax, 0, FEATURE_XSAVEOPT);
	c = cpuid(0x80000001, 0);
	want(c.edx, 20, FEATURE_NX);
	want(c.edx, 26, FEATURE_1GB_PAGES);
}

#define CR4_PAE (1ul << 5)
#define CR4_MCE (1ul << 6)
#define CR4_PGE (1ul << 7)
#define CR4_OSFXSR (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP (1ul << 11)
#define CR4_FSGSBASE (1ul << 16)
#define CR4_OSXSAVE (1ul << 18)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)
#define CR0_VALUE 0x80050033ul /* PG AM WP NE ET MP PE */
#define EFER_SCE 1ul
#define EFER_LME (1ul << 8)
#define EFER_LMA (1ul << 10)
#define EFER_NXE (1ul << 11)

void cpu_set_control(void)
{
	static const struct {
		uint32_t feature;
		uint64_t bit;
	} optional[] = {
		{FEATURE_MCE, CR4_MCE},
		{FEATURE_UMIP, CR4_UMIP},
		{FEATURE_FSGSBASE, CR4_FSGSBASE},
		{FEATURE_XSAVE, CR4_OSXSAVE},
		{FEATURE_SMEP, CR4_SMEP},
		{FEATURE_SMAP, CR4_SMAP},
	};
	uint64_t cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	for (unsigned i = 0; i < array_size(optional); i++)
		if (cpu_features & optional[i].feature)
			cr4 |= optional[i].bit;
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4) : "memory");
	__asm__ volatile("movq %0, %%cr0" : : "r"(CR0_VALUE) : "memory");
	cpu_efer = EFER_SCE | EFER_LME | EFER_LMA | (cpu_features & FEATURE_NX ? EFER_NXE : 0);
	msr_write(MSR_EFER, cpu_efer);
}

void cpu_patch_smap(void)
{
	struct site {
		int32_t at; /* relative to this field */
		uint32_t instruction;
	};
	extern struct site smap_sites_start[], smap_sites_end[];
	if (!(cpu_features & FEATURE_SMAP))
		return;
	for (struct site *s = smap_sites_start; s < smap_sites_end; s++)
		memcpy((uint8_t *)&s->at + s->at, &s->instruction, 3);
}

bool cpu_random(uint64_t *out)
{
	bool ok = false;
	for (int tries = 0; tries < 10 && !ok; tries++) {
		if (cpu_features & FEATURE_RDSEED)
			__asm__ volatile("rdseed %0; setc %1" : "=r"(*out), "=qm"(ok) : : "cc");
		if (!ok && cpu_features & FEATURE_RDRAND)
			__asm__ volatile("rdrand %0; setc %1" : "=r"(*out), "=qm"(ok) : : "cc");
	}
	return ok;
}

unsigned long cpu_hwcap(void)
{
	return cpuid(1, 0).edx;
}

unsigned long cpu_hwcap2(void)
{
	return cpu_features & FEATURE_FSGSBASE ? 2 : 0;
}

const char *cpu_platform(void)
{
	return "x86_64";
}

void cpu_idle(void)
{
	struct cpu_local *c = cpu_local();
	atomic_store(&c->sleep, CPU_ASLEEP);
	__asm__ volatile("sti; hlt; cli" ::: "memory");
	tlb_wake(c);
}
