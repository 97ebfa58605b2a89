/*
 * XSAVE where CPUID has it, else FXSAVE.  The standard format throughout: it is what a signal frame
 * holds.  XCR0 gets x87, SSE, AVX and AVX-512 as far as offered; AMX would need arch_prctl and 8 KB a
 * thread, protection keys have no system calls here.
 */
#include "kernel/arch/x86_64/fpu.h"

#include "abi/linux/errno.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/uaccess.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/string.h"

#define XCR0_X87_SSE 3ull
#define XCR0_AVX 4ull
#define XCR0_AVX512 0xe0ull
#define CONTROL_WORD 0x37f
#define MXCSR 0x1f80
#define AREA_ALIGN 64
#define NO_CPU 0xffff
#define MXCSR_OFFSET 24

size_t fpu_size = FPU_LEGACY_SIZE;
uint64_t fpu_mask;
uint32_t fpu_mxcsr_mask;

static bool has_xsave(void)
{
	return fpu_mask != 0;
}

static void save(void *area)
{
	if (has_xsave())
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

/* clang-format off */
/* False: it faulted (#GP), the area is not well formed. */
static bool load(const void *area)
{
	if (has_xsave())
		__asm__ goto("1: xrstor64 (%0)\n" FIXUP("1b", "%l[bad]")
			     : : "r"(area), "a"(-1), "d"(-1) : "memory" : bad);
	else
		__asm__ goto("1: fxrstor64 (%0)\n" FIXUP("1b", "%l[bad]")
			     : : "r"(area) : "memory" : bad);
	return true;
bad:
	return false;
}
/* clang-format on */

void fpu_init_cpu(void)
{
	if (has_xsave())
		__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)fpu_mask), "d"(0));
}

void fpu_init(void)
{
	static uint8_t probe[FPU_LEGACY_SIZE] aligned_to(16);
	__asm__ volatile("fxsave64 %0" : "=m"(probe));
	fpu_mxcsr_mask = load_le32(probe + 28);
	if (!fpu_mxcsr_mask)
		fpu_mxcsr_mask = 0xffbf; /* SDM 1 11.6.6 */
	if (!(cpu_features & FEATURE_XSAVE))
		return;
	uint64_t offered = cpuid(13, 0).eax;
	fpu_mask = XCR0_X87_SSE;
	if (offered & XCR0_AVX)
		fpu_mask |= XCR0_AVX;
	if (offered & XCR0_AVX && (offered & XCR0_AVX512) == XCR0_AVX512)
		fpu_mask |= XCR0_AVX512;
	fpu_init_cpu();
	fpu_size = cpuid(13, 0).ebx;
}

static void area_clear(void *area)
{
	memset(area, 0, fpu_size);
	uint16_t control = CONTROL_WORD;
	uint32_t mxcsr = MXCSR;
	memcpy(area, &control, sizeof(control));
	memcpy((uint8_t *)area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

/* The heap gives 16-byte alignment: the block's address stands right before the area. */
int fpu_alloc(struct thread_arch *t)
{
	uint8_t *block = port_alloc(fpu_size + AREA_ALIGN + sizeof(void *));
	if (!block)
		return -ENOMEM;
	uintptr_t area = align_up((uintptr_t)block + sizeof(void *), AREA_ALIGN);
	((void **)area)[-1] = block;
	t->fpu = (void *)area;
	t->fpu_where = FPU_UNUSED;
	t->fpu_cpu = NO_CPU;
	return 0;
}

void fpu_free(struct thread_arch *t)
{
	if (t->fpu)
		port_free(((void **)t->fpu)[-1]);
	t->fpu = NULL;
}

void fpu_switch_out(struct cpu_local *c, struct thread_arch *t)
{
	if (t->fpu_where != FPU_LIVE)
		return;
	if (cpu_features & FEATURE_XSAVEOPT)
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(t->fpu), "a"(-1), "d"(-1) : "memory");
	else
		save(t->fpu);
	t->fpu_cpu = c->id;
	c->fpu_owner = t;
}

void fpu_switch_in(struct cpu_local *c, struct thread_arch *t)
{
	if (t->fpu_where != FPU_LIVE || (c->fpu_owner == t && t->fpu_cpu == c->id))
		return;
	c->fpu_owner = t;
	if (!load(t->fpu))
		panic("FPU state of a thread can not be loaded");
}

void fpu_reset(struct thread_arch *t)
{
	area_clear(t->fpu);
	if (fpu_load(t) < 0)
		panic("the initial FPU state can not be loaded");
}

void fpu_copy(struct thread_arch *to)
{
	save(to->fpu);
	to->fpu_where = FPU_LIVE;
}

void fpu_store(struct thread_arch *t)
{
	save(t->fpu);
}

int fpu_load(struct thread_arch *t)
{
	irq_state s = irq_save();
	bool ok = load(t->fpu);
	t->fpu_where = FPU_LIVE;
	cpu_local()->fpu_owner = t;
	irq_restore(s);
	return ok ? 0 : -EFAULT;
}

/* The parts of XSAVE's format that would make XRSTOR fault, as SDM 1 13.8.1 lists them. */
void fpu_check(void *area, bool extended)
{
	uint8_t *bytes = area;
	uint32_t mxcsr = load_le32(bytes + MXCSR_OFFSET) & fpu_mxcsr_mask;
	memcpy(bytes + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
	if (!fpu_mask)
		return;
	struct xsave_header *h = (void *)(bytes + FPU_LEGACY_SIZE);
	uint64_t present = extended ? h->present & fpu_mask : 3;
	*h = (struct xsave_header){.present = present};
}

int fpu_exception_code(bool vector_unit)
{
	uint32_t status;
	if (vector_unit) {
		uint32_t mxcsr;
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		status = mxcsr & ~(mxcsr >> 7);
	} else {
		uint16_t word, control;
		__asm__ volatile("fnstsw %0; fnstcw %1" : "=m"(word), "=m"(control));
		status = word & ~control;
	}
	/* Invalid, denormal, zero, overflow, underflow, precision; FPE_ codes of asm-generic/siginfo.h. */
	static const struct {
		uint8_t bits, code;
	} order[] = {{1, 7}, {4, 3}, {8, 4}, {0x12, 5}, {0x20, 6}};
	for (unsigned i = 0; i < array_size(order); i++)
		if (status & order[i].bits)
			return order[i].code;
	return 0;
}
