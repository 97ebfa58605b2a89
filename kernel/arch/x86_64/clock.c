/*
 * Time: a line through the TSC, kept in the page the vDSO reads, so the program and the kernel see the
 * same clock.  Its slope is known from the start on most machines; where it is measured, it gets
 * better during the first seconds, each time from where the clock stands: monotonic throughout.
 */
#include "kernel/arch/x86_64/clock.h"

#include "kernel/arch/timer.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/vdso/data.h"
#include "kernel/lib/log.h"

#define ARM_MAX_NS (4 * NS_PER_S) /* one-shot counts fit; later deadlines are armed again */
#define LOOK_FIRST_NS (100 * NS_PER_US)
#define LOOK_LAST_NS (4 * NS_PER_S)
#define APIC_RATE_QEMU 1000000000ull /* of QEMU's and KVM's local APIC */

extern const char vdso_start[], vdso_end[]; /* vdso/image.S */

static union {
	struct vdso_data data;
	uint8_t page[PAGE_SIZE];
} vdso aligned_to(PAGE_SIZE);

static struct spinlock lock = SPINLOCK_INIT;      /* writers of vdso.data, and: */
static uint64_t ticks_per_ns;                     /* 32.32: for deadlines */
static _Atomic uint64_t look_at_ns = NO_DEADLINE; /* measure again then */
static uint64_t true_rate;                        /* ticks per second; vdso.data.rate is adjusted */
static int32_t rate_offset_ppb;
static uint64_t apic_per_ns; /* 32.32: one-shot mode */

static uint64_t mul_32_32(uint64_t x, uint64_t factor)
{
	return (uint64_t)((unsigned __int128)x * factor >> 32);
}

/* ns per tick, 32.32. */
static uint64_t slope(void)
{
	uint64_t exact = (NS_PER_S << 32) / true_rate;
	int64_t share = rate_offset_ppb * (1ll << 32) / (int64_t)NS_PER_S; /* 32.32 */
	int64_t more = (int64_t)((__int128)exact * share >> 32);
	return exact + (uint64_t)more;
}

/* Under the lock: the line goes on from here with true_rate and rate_offset_ppb as they are now. */
static void bend(void)
{
	struct vdso_data *d = &vdso.data;
	uint64_t tsc = tsc_read();
	uint64_t now_ns =
		tsc > d->base_tsc ? d->base_ns + mul_32_32(tsc - d->base_tsc, d->rate) : d->base_ns;
	atomic_fetch_add(&d->sequence, 1);
	d->base_tsc = max(tsc, d->base_tsc);
	d->base_ns = now_ns;
	d->rate = slope();
	ticks_per_ns = UINT64_MAX / d->rate;
	atomic_fetch_add(&d->sequence, 1);
}

uint64_t clock_tsc_rate(void)
{
	return true_rate;
}

void clock_set_rate_offset(int32_t ppb)
{
	irq_state s = spin_lock(&lock);
	if (ppb != rate_offset_ppb) {
		rate_offset_ppb = ppb;
		bend();
	}
	spin_unlock(&lock, s);
}

static void look_again(uint64_t now_ns)
{
	uint64_t rate;
	irq_state s = spin_lock(&lock);
	if (now_ns >= look_at_ns && cpu_id() == 0) {
		if (tsc_rate_look(&rate)) {
			true_rate = rate;
			bend();
		}
		look_at_ns = now_ns < LOOK_LAST_NS ? 2 * now_ns : NO_DEADLINE;
	}
	spin_unlock(&lock, s);
}

uint64_t clock_monotonic_ns(void)
{
	uint64_t now_ns = vdso_read(&vdso.data).monotonic_ns;
	if (unlikely(now_ns >= atomic_load_explicit(&look_at_ns, memory_order_relaxed)))
		look_again(now_ns);
	return now_ns;
}

uint64_t clock_realtime_ns(void)
{
	struct vdso_time t = vdso_read(&vdso.data);
	return t.monotonic_ns + t.realtime_offset_ns;
}

void clock_set_realtime_ns(uint64_t now_ns)
{
	irq_state s = spin_lock(&lock);
	uint64_t monotonic_ns = vdso_read(&vdso.data).monotonic_ns;
	atomic_fetch_add(&vdso.data.sequence, 1);
	vdso.data.realtime_offset_ns = now_ns - monotonic_ns;
	atomic_fetch_add(&vdso.data.sequence, 1);
	spin_unlock(&lock, s);
}

void clock_spin_ns(uint64_t ns)
{
	uint64_t end = clock_monotonic_ns() + ns;
	while (clock_monotonic_ns() < end)
		cpu_relax();
}

void clock_init(uint64_t entry_tsc)
{
	uint64_t rate = tsc_rate_stated();
	if (!rate) {
		rate = tsc_rate_begin();
		look_at_ns = LOOK_FIRST_NS;
	}
	vdso.data.base_tsc = entry_tsc;
	true_rate = rate;
	vdso.data.rate = slope();
	ticks_per_ns = UINT64_MAX / vdso.data.rate;
	log_set_clock(clock_monotonic_ns);
	clock_set_realtime_ns(wall_clock_read());
	log_debug("TSC %lu kHz, %s", (unsigned long)(rate / 1000),
		look_at_ns == NO_DEADLINE ? "stated" : "to be measured");
}

/* One-shot counts per nanosecond: on hardware without deadline mode, by what it counted since
 * apic_init_cpu(). */
static void apic_rate_find(void)
{
	apic_per_ns = (APIC_RATE_QEMU << 32) / NS_PER_S;
	if (hypervisor == HYPERVISOR_KVM || hypervisor == HYPERVISOR_TCG)
		return;
	uint64_t start_ns = clock_monotonic_ns();
	uint32_t start = apic_timer_left();
	clock_spin_ns(NS_PER_MS);
	uint64_t counted = start - apic_timer_left();
	apic_per_ns = (counted << 32) / (clock_monotonic_ns() - start_ns);
}

static void hardware_arm(struct cpu_local *c, uint64_t now_ns)
{
	uint64_t deadline_ns = c->timer_deadline_ns;
	bool deadline_mode = cpu_features & FEATURE_TSC_DEADLINE;
	if (deadline_ns == NO_DEADLINE) {
		if (deadline_mode)
			apic_timer_set_deadline(0);
		else if (c->id == 0)
			tsc_rate_timer_set(0);
		else
			apic_timer_set(0);
		return;
	}
	uint64_t delta_ns = deadline_ns > now_ns ? min(deadline_ns - now_ns, ARM_MAX_NS) : 0;
	if (deadline_mode) {
		apic_timer_set_deadline(tsc_read() + mul_32_32(delta_ns, ticks_per_ns) + 1);
		return;
	}
	uint32_t count =
		(uint32_t)min(mul_32_32(delta_ns, apic_per_ns) + 1, (uint64_t)APIC_TIMER_MAX);
	if (c->id == 0)
		tsc_rate_timer_set(count);
	else
		apic_timer_set(count);
}

void timer_arm(uint64_t deadline_ns)
{
	if (!(cpu_features & FEATURE_TSC_DEADLINE) && !apic_per_ns)
		apic_rate_find();
	irq_state s = irq_save();
	struct cpu_local *c = cpu_local();
	if (c->timer_deadline_ns != deadline_ns) {
		c->timer_deadline_ns = deadline_ns;
		hardware_arm(c, clock_monotonic_ns());
	}
	irq_restore(s);
}

const struct trap_frame *timer_interrupted(void)
{
	return cpu_local()->timer_frame;
}

void clock_interrupt(const struct trap_frame *f)
{
	struct cpu_local *c = cpu_local();
	c->timer_frame = f;
	uint64_t now_ns = clock_monotonic_ns();
	if (now_ns < c->timer_deadline_ns) {
		/* Too far away for one count, or the rate has changed. */
		hardware_arm(c, now_ns);
		return;
	}
	c->timer_deadline_ns = NO_DEADLINE;
	timer_interrupt(f);
}

const struct vdso_image *clock_vdso(void)
{
	static struct vdso_image image;
	image.elf = vdso_start;
	image.elf_size = (size_t)(vdso_end - vdso_start);
	image.data = &vdso;
	return &image;
}
