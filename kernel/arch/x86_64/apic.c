/* Local APIC: SDM 3A chapter 11 (xAPIC), 11.12 (x2APIC). */
#include "kernel/arch/x86_64/apic.h"

#include "kernel/arch/io.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/local.h"

#define REG_ID 0x020
#define REG_EOI 0x0b0
#define REG_SPURIOUS 0x0f0
#define REG_ICR_LOW 0x300
#define REG_ICR_HIGH 0x310
#define REG_LVT_TIMER 0x320
#define REG_LVT_LINT0 0x350
#define REG_LVT_LINT1 0x360
#define REG_TIMER_INITIAL 0x380
#define REG_TIMER_CURRENT 0x390
#define REG_TIMER_DIVIDE 0x3e0

#define APIC_BASE_ENABLE (1ul << 11)
#define APIC_BASE_X2 (1ul << 10)
#define SPURIOUS_ENABLE 0x100
#define LVT_MASKED 0x10000
#define LVT_NMI 0x400
#define LVT_EXTERNAL 0x700
#define TIMER_DEADLINE 0x40000
#define DIVIDE_BY_1 0xb
#define ICR_ASSERT 0x4000
#define ICR_NMI 0x400
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define ICR_OTHERS 0xc0000
#define ICR_PENDING 0x1000

uint64_t apic_pa = 0xfee00000;
static uint8_t *page; /* NULL: x2APIC */

static uint32_t reg_read(unsigned reg)
{
	return page ? mmio_read32(page + reg) : (uint32_t)msr_read(MSR_X2APIC + (reg >> 4));
}

static void reg_write(unsigned reg, uint32_t x)
{
	if (page)
		mmio_write32(page + reg, x);
	else
		msr_write(MSR_X2APIC + (reg >> 4), x);
}

static void command(uint32_t to, uint32_t what)
{
	if (!page) {
		/* A WRMSR to the x2APIC does not wait for earlier stores (SDM 3A 11.12.3). */
		io_fence();
		msr_write(MSR_X2APIC + (REG_ICR_LOW >> 4), (uint64_t)to << 32 | what);
		return;
	}
	irq_state s = irq_save();
	while (mmio_read32(page + REG_ICR_LOW) & ICR_PENDING)
		__builtin_ia32_pause();
	mmio_write32(page + REG_ICR_HIGH, to << 24);
	mmio_write32(page + REG_ICR_LOW, what);
	irq_restore(s);
}

void apic_init_cpu(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE;
	if (!page)
		base |= APIC_BASE_X2;
	msr_write(MSR_APIC_BASE, base);
	reg_write(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	reg_write(REG_LVT_LINT0, LVT_MASKED | LVT_EXTERNAL);
	reg_write(REG_LVT_LINT1, LVT_NMI);
	cpu_local()->apic_id = apic_id();
	cpu_local()->timer_deadline_ns = NO_DEADLINE;
	if (cpu_features & FEATURE_TSC_DEADLINE) {
		reg_write(REG_LVT_TIMER, TIMER_DEADLINE | VECTOR_TIMER);
		return;
	}
	reg_write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
	reg_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	reg_write(REG_TIMER_INITIAL, APIC_TIMER_MAX); /* running: the clock may measure by it */
}

void apic_init(void)
{
	if (!(cpu_features & FEATURE_X2APIC)) {
		page = mmu_map_device((phys_addr){apic_pa}, PAGE_SIZE);
		assert(page);
	}
	apic_init_cpu();
}

uint32_t apic_id(void)
{
	uint32_t id = reg_read(REG_ID);
	return page ? id >> 24 : id;
}

void apic_end(void)
{
	reg_write(REG_EOI, 0);
}

void apic_send(uint32_t to, uint8_t vector)
{
	command(to, ICR_ASSERT | vector);
}

void apic_send_nmi(uint32_t to)
{
	command(to, ICR_ASSERT | ICR_NMI);
}

void apic_start_others_init(void)
{
	command(0, ICR_OTHERS | ICR_ASSERT | ICR_INIT);
}

void apic_start_others_go(void)
{
	command(0, ICR_OTHERS | ICR_ASSERT | ICR_STARTUP | TRAMPOLINE >> 12);
}

void apic_timer_set(uint32_t count)
{
	reg_write(REG_LVT_TIMER, count ? VECTOR_TIMER : LVT_MASKED | VECTOR_TIMER);
	reg_write(REG_TIMER_INITIAL, count ? count : APIC_TIMER_MAX);
}

uint32_t apic_timer_left(void)
{
	return reg_read(REG_TIMER_CURRENT);
}

void apic_timer_set_deadline(uint64_t tsc)
{
	msr_write(MSR_TSC_DEADLINE, tsc);
}
