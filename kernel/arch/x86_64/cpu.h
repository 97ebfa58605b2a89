/* Which processor this is: features by CPUID, control and model-specific registers. */
#pragma once

#include "kernel/lib/base.h"

#define FEATURE_NX (1u << 0)
#define FEATURE_1GB_PAGES (1u << 1)
#define FEATURE_SMEP (1u << 2)
#define FEATURE_SMAP (1u << 3)
#define FEATURE_UMIP (1u << 4)
#define FEATURE_FSGSBASE (1u << 5)
#define FEATURE_XSAVE (1u << 6)
#define FEATURE_XSAVEOPT (1u << 7)
#define FEATURE_X2APIC (1u << 8)
#define FEATURE_TSC_DEADLINE (1u << 9)
#define FEATURE_RDRAND (1u << 10)
#define FEATURE_RDSEED (1u << 11)
#define FEATURE_MCE (1u << 12)

extern uint32_t cpu_features; /* FEATURE_*, the same on every CPU */

enum hypervisor {
	HYPERVISOR_NONE,
	HYPERVISOR_KVM,
	HYPERVISOR_TCG,
	HYPERVISOR_MICROSOFT,
	HYPERVISOR_OTHER,
};
extern enum hypervisor hypervisor;

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid c;
	__asm__ volatile("cpuid"
			 : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
			 : "a"(leaf), "c"(subleaf));
	return c;
}

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_KVM_WALL_CLOCK 0x4b564d00
#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define MSR_HYPERV_TSC_FREQUENCY 0x40000022

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t x)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)x), "d"((uint32_t)(x >> 32))
			 : "memory");
}

static inline uint64_t tsc_read(void)
{
	uint32_t low, high;
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t cr2_read(void)
{
	uint64_t x;
	__asm__ volatile("movq %%cr2, %0" : "=r"(x));
	return x;
}

static inline uint64_t cr3_read(void)
{
	uint64_t x;
	__asm__ volatile("movq %%cr3, %0" : "=r"(x) : : "memory");
	return x;
}

static inline void cr3_write(uint64_t x)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(x) : "memory");
}

/* Read CPUID into cpu_features, once. */
void cpu_identify(void);
/* Control registers of this CPU as cpu_features want them. */
void cpu_set_control(void);
/* Put stac and clac where uaccess.h left room, if the CPU has SMAP.  While the text is writable. */
void cpu_patch_smap(void);
