/*
 * The time of day at the start: from the command line (mote.time), KVM, or the CMOS clock chip, which is
 * not waited for: its registers are read twice until they agree.
 */
#include "kernel/arch/io.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/pvclock.h"
#include "kernel/lib/command_line.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define CMOS_STATUS_B 0x0b
#define STATUS_B_BINARY 4
#define STATUS_B_24_HOURS 2
#define READS_MAX 8

/* Documentation/virt/kvm/x86/msr.rst */
struct pvclock {
	uint32_t version, pad0;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad[2];
};

struct pvclock_wall {
	uint32_t version, sec, nsec;
};

#define KVM_FEATURE_CLOCKSOURCE2 (1u << 3)

/* The host fills the structure when the MSR is written; then it is told to leave it alone. */
static bool pvclock_read(struct pvclock *out)
{
	static struct pvclock area aligned_to(64);
	if (hypervisor != HYPERVISOR_KVM || !(cpuid(0x40000001, 0).eax & KVM_FEATURE_CLOCKSOURCE2))
		return false;
	msr_write(MSR_KVM_SYSTEM_TIME, virt_to_phys(&area).pa | 1);
	*out = *(volatile struct pvclock *)&area;
	msr_write(MSR_KVM_SYSTEM_TIME, 0);
	return out->tsc_to_system_mul != 0 && !(out->version & 1);
}

static uint64_t ns_per_tick(const struct pvclock *p) /* 32.32 */
{
	uint64_t mul = p->tsc_to_system_mul;
	return p->tsc_shift >= 0 ? mul << p->tsc_shift : mul >> -p->tsc_shift;
}

uint64_t pvclock_tsc_rate(void)
{
	struct pvclock p;
	return pvclock_read(&p) ? (NS_PER_S << 32) / ns_per_tick(&p) : 0;
}

uint64_t pvclock_wall_ns(void)
{
	static struct pvclock_wall wall aligned_to(16);
	struct pvclock p;
	if (!pvclock_read(&p))
		return 0;
	msr_write(MSR_KVM_WALL_CLOCK, virt_to_phys(&wall).pa);
	struct pvclock_wall w = *(volatile struct pvclock_wall *)&wall;
	uint64_t ticks = tsc_read() - p.tsc_timestamp;
	uint64_t since_boot =
		p.system_time + (uint64_t)((unsigned __int128)ticks * ns_per_tick(&p) >> 32);
	return w.sec * NS_PER_S + w.nsec + since_boot;
}

static uint8_t cmos_read(uint8_t reg)
{
	io_out8(0x70, reg);
	return io_in8(0x71);
}

struct cmos_time {
	uint8_t second, minute, hour, day, month, year;
};

static struct cmos_time cmos_read_time(void)
{
	return (struct cmos_time){
		cmos_read(0), cmos_read(2), cmos_read(4), cmos_read(7), cmos_read(8), cmos_read(9)};
}

static unsigned from_bcd(uint8_t x)
{
	return (x >> 4) * 10u + (x & 15);
}

static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
	/* Years start in March: the leap day comes last. */
	if (month <= 2) {
		year--;
		month += 12;
	}
	uint64_t days = 365ull * year + year / 4 - year / 100 + year / 400;
	return days + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
}

static uint64_t cmos_wall_ns(void)
{
	uint8_t b = cmos_read(CMOS_STATUS_B);
	if (b == 0xff)
		return 0;
	struct cmos_time t = cmos_read_time(), again;
	for (unsigned i = 0; i < READS_MAX; i++, t = again) {
		again = cmos_read_time();
		if (memcmp(&t, &again, sizeof(t)) == 0)
			break;
	}
	bool afternoon = !(b & STATUS_B_24_HOURS) && t.hour & 0x80;
	uint8_t *fields = &t.second;
	t.hour &= 0x7f;
	for (unsigned i = 0; i < sizeof(t) && !(b & STATUS_B_BINARY); i++)
		fields[i] = (uint8_t)from_bcd(fields[i]);
	unsigned hour = t.hour;
	if (!(b & STATUS_B_24_HOURS))
		hour = hour % 12 + (afternoon ? 12 : 0);
	uint64_t days = days_since_1970(2000u + t.year, t.month, t.day);
	return (days * 86400 + hour * 3600 + t.minute * 60u + t.second) * NS_PER_S;
}

static uint64_t stated_wall_ns(void)
{
	char value[40];
	const char *s = value;
	uint64_t seconds, fraction = 0;
	if (!command_line_value(boot_command_line, "mote.time", value, sizeof(value)) ||
		!string_parse_u64(&s, &seconds))
		return 0;
	if (*s++ == '.')
		for (uint64_t unit = NS_PER_S / 10; *s >= '0' && *s <= '9'; s++, unit /= 10)
			fraction += unit * (uint64_t)(*s - '0');
	return seconds * NS_PER_S + fraction;
}

uint64_t wall_clock_read(void)
{
	uint64_t ns = stated_wall_ns();
	if (!ns)
		ns = pvclock_wall_ns();
	if (!ns)
		ns = cmos_wall_ns();
	if (!ns)
		log_warn("no clock chip: the date starts in 1970 (mote.time= sets it)");
	return ns;
}
