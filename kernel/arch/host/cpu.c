/* Host port: the one CPU, its clock, its end. */
#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernel/arch/cpu.h"
#include "kernel/arch/host/host.h"
#include "kernel/arch/timer.h"
#include "kernel/arch/upcall.h"

bool host_irq_on;

static uint64_t now_ns = 1000000;
static uint64_t armed_ns = NO_DEADLINE;
static uint64_t realtime_offset_ns = 1700000000ull * NS_PER_S;

unsigned cpu_count(void)
{
	return 1;
}

unsigned cpu_possible(void)
{
	return 1;
}

void cpu_start_others(void)
{
}

static void fire_timer(void)
{
	bool irq_on = host_irq_on;
	host_irq_on = false;
	armed_ns = NO_DEADLINE;
	timer_interrupt(NULL);
	host_irq_on = irq_on;
}

void cpu_idle(void)
{
	if (armed_ns == NO_DEADLINE)
		panic("every thread sleeps and no timer runs");
	if (now_ns < armed_ns)
		now_ns = armed_ns;
	fire_timer();
}

void host_advance(uint64_t ns)
{
	uint64_t until = now_ns + ns;
	while (armed_ns <= until) {
		if (now_ns < armed_ns)
			now_ns = armed_ns;
		fire_timer();
	}
	now_ns = until;
}

void cpu_kick(unsigned cpu)
{
	(void)cpu;
}

bool cpu_random(uint64_t *out)
{
	(void)out;
	return false;
}

int cpu_describe(unsigned cpu, char *buf, size_t size)
{
	return snprintf(buf, size, "processor\t: %u\n", cpu);
}

void machine_tell(const char *record)
{
	fprintf(stderr, "machine_tell: %s", record);
}

void machine_end(const char *record, unsigned status)
{
	fprintf(stderr, "machine_end: %s", record);
	_exit((int)status & 0x7f);
}

void machine_restart(void)
{
	abort();
}

void panic(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "panic: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	void *callers[32];
	backtrace_symbols_fd(callers, backtrace(callers, 32), 2);
	abort();
}

uint64_t clock_monotonic_ns(void)
{
	return now_ns;
}

uint64_t clock_realtime_ns(void)
{
	return now_ns + realtime_offset_ns;
}

void clock_set_realtime_ns(uint64_t realtime_ns)
{
	realtime_offset_ns = realtime_ns - now_ns;
}

void clock_set_rate_offset(int32_t ppb)
{
	(void)ppb; /* time stands still here until somebody waits */
}

void timer_arm(uint64_t deadline_ns)
{
	armed_ns = deadline_ns;
}
