/*
 * The other CPUs.  One broadcast wakes all of them at the trampoline, in parallel; each takes the
 * next number as it arrives, so numbers are dense whatever the local APIC ids are.  Nobody waits:
 * the start-up interrupt follows INIT at once where a hypervisor runs us, and after the 10 ms of the MP
 * specification on hardware.
 */
#include "kernel/arch/cpu.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

struct cpu_local *cpu_locals[CPU_MAX];

/* start.S: who arrives takes cpu_arrivals and the stack with that number. */
uint32_t cpu_arrivals = 1;
void *cpu_boot_stacks[CPU_MAX];
extern char trampoline_start[], trampoline_end[], boot_stack[];

static atomic_uint online = 1;
static struct cpu_local *prepared[CPU_MAX];
static unsigned n_prepared = 1;

struct secondary {
	struct cpu_local local;
	uint8_t stack[BOOT_STACK_SIZE] aligned_to(16);
};

unsigned cpu_count(void)
{
	return atomic_load_explicit(&online, memory_order_acquire);
}

unsigned cpu_possible(void)
{
	return machine.n_cpus;
}

/* Memory for the others; as many as there is memory for. */
static void prepare(void)
{
	for (; n_prepared < machine.n_cpus; n_prepared++) {
		struct secondary *s = port_alloc(sizeof(*s));
		if (!s) {
			log_warn("no memory for CPU %u", n_prepared);
			return;
		}
		s->local.id = n_prepared;
		s->local.kernel_sp = (uintptr_t)s->stack + BOOT_STACK_SIZE;
		prepared[n_prepared] = &s->local;
		cpu_boot_stacks[n_prepared] = s->stack + BOOT_STACK_SIZE;
	}
}

void cpu_start_others(void)
{
	prepare();
	if (n_prepared == 1)
		return;
	memcpy(phys_to_virt((phys_addr){TRAMPOLINE}), trampoline_start,
		(size_t)(trampoline_end - trampoline_start));
	apic_start_others_init();
	if (hypervisor == HYPERVISOR_NONE)
		clock_spin_ns(10 * NS_PER_MS);
	apic_start_others_go();
}

_Noreturn void secondary_start(unsigned number)
{
	struct cpu_local *c = prepared[number];
	cpu_set_control();
	descriptors_init(c);
	apic_init_cpu();
	fpu_init_cpu();
	while (cpu_count() != number)
		cpu_relax();
	atomic_fetch_add_explicit(&online, 1, memory_order_release);
	cr3_write(cr3_read()); /* flushes we were not yet asked for */
	secondary_main();
}

void cpu_kick(unsigned cpu)
{
	apic_send(cpu_locals[cpu]->apic_id, VECTOR_KICK);
}

void smp_stop_others(void)
{
	for (unsigned i = 0; i < cpu_count(); i++)
		if (i != cpu_id())
			apic_send_nmi(cpu_locals[i]->apic_id);
}
