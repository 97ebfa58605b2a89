/*
 * How fast the TSC runs.  Stated by: the command line (mote.tsc_khz), KVM's pvclock, CPUID 0x15, the
 * hypervisor's CPUID leaf 0x40000010, Hyper-V's MSR.  Else measured in passing, against the local APIC's
 * timer (QEMU's TCG: 1 GHz) or the ACPI PM timer; only without either by waiting for the PIT.
 */
#include "kernel/arch/io.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/pvclock.h"
#include "kernel/lib/command_line.h"

#define APIC_RATE 1000000000ull
#define PM_TIMER_RATE 3579545ull
#define PM_TIMER_MASK 0xffffffull
#define PIT_RATE 1193182ull
#define RATE_GUESS 1000000000ull
#define SPAN_MIN 50000 /* ns: shorter ones say nothing */

static uint64_t rate_by_cpuid(void)
{
	if (cpuid(0, 0).eax >= 0x15) {
		struct cpuid c = cpuid(0x15, 0);
		if (c.eax && c.ebx && c.ecx)
			return (uint64_t)c.ecx * c.ebx / c.eax;
	}
	if (hypervisor == HYPERVISOR_MICROSOFT && cpuid(0x40000003, 0).eax >> 11 & 1)
		return msr_read(MSR_HYPERV_TSC_FREQUENCY);
	if (hypervisor != HYPERVISOR_NONE && cpuid(0x40000000, 0).eax >= 0x40000010)
		return cpuid(0x40000010, 0).eax * 1000ull;
	return 0;
}

uint64_t tsc_rate_stated(void)
{
	uint64_t khz;
	if (command_line_number(boot_command_line, "mote.tsc_khz", &khz) && khz >= 1000)
		return khz * 1000;
	uint64_t rate = pvclock_tsc_rate();
	return rate ? rate : rate_by_cpuid();
}

/*
 * The reference counts up, in units of its own.  The APIC's timer starts again whenever it is set; what
 * it had counted is added up.  If it ran out before, nobody knows when: the span starts anew.
 */
static enum { REFERENCE_NONE, REFERENCE_APIC, REFERENCE_PM_TIMER } reference;
static uint16_t pm_timer_port;
static uint64_t apic_counted; /* before it was last set */
static uint32_t apic_initial = APIC_TIMER_MAX;
static uint64_t span_tsc, span_count; /* both at the start of the span */
static uint64_t best_span;            /* ns of the longest that was used */

static uint64_t count_read(void)
{
	if (reference == REFERENCE_PM_TIMER)
		return io_in32(pm_timer_port) & PM_TIMER_MASK;
	return apic_counted + (apic_initial - apic_timer_left());
}

/* Both counters at one time: of three tries the one that was interrupted least. */
static void sample(uint64_t *tsc, uint64_t *count)
{
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < 3; i++) {
		uint64_t before = tsc_read(), c = count_read(), after = tsc_read();
		if (after - before >= best)
			continue;
		best = after - before;
		*tsc = before + best / 2;
		*count = c;
	}
}

static uint64_t pit_measure(void)
{
	const unsigned ticks = PIT_RATE / 100;
	io_out8(0x61, (uint8_t)((io_in8(0x61) & ~2) | 1)); /* channel 2 counts, no speaker */
	io_out8(0x43, 0xb0);                               /* channel 2, mode 0 */
	io_out8(0x42, ticks & 0xff);
	io_out8(0x42, ticks >> 8);
	uint64_t start = tsc_read();
	for (unsigned i = 0; i < 1000000 && !(io_in8(0x61) & 0x20); i++)
		cpu_relax();
	return (tsc_read() - start) * 100;
}

uint64_t tsc_rate_begin(void)
{
	bool deadline_mode = cpu_features & FEATURE_TSC_DEADLINE;
	const struct acpi_fadt *fadt = acpi_fadt();
	if ((hypervisor == HYPERVISOR_TCG || hypervisor == HYPERVISOR_KVM) && !deadline_mode) {
		reference = REFERENCE_APIC;
	} else if (fadt && fadt->pm_timer) {
		reference = REFERENCE_PM_TIMER;
		pm_timer_port = (uint16_t)fadt->pm_timer;
	} else {
		return pit_measure();
	}
	sample(&span_tsc, &span_count);
	return RATE_GUESS;
}

bool tsc_rate_look(uint64_t *rate)
{
	uint64_t tsc, count;
	if (reference == REFERENCE_NONE)
		return false;
	sample(&tsc, &count);
	uint64_t counted = count - span_count, unit = APIC_RATE;
	if (reference == REFERENCE_PM_TIMER) {
		counted &= PM_TIMER_MASK;
		unit = PM_TIMER_RATE;
	}
	uint64_t span = counted * (NS_PER_S / 1000) / (unit / 1000);
	if (span < SPAN_MIN || span <= best_span ||
		(reference == REFERENCE_APIC && apic_timer_left() == 0))
		return false;
	best_span = span;
	/* Ticks stay below 2^34 in the spans looked at. */
	*rate = ((tsc - span_tsc) << 20) / span * (NS_PER_S >> 9) >> 11;
	return true;
}

void tsc_rate_timer_set(uint32_t count)
{
	if (reference == REFERENCE_APIC) {
		uint32_t left = apic_timer_left();
		apic_counted += apic_initial - left;
		apic_initial = count ? count : APIC_TIMER_MAX;
		apic_timer_set(count);
		if (left == 0)
			sample(&span_tsc, &span_count);
		return;
	}
	apic_timer_set(count);
}
