/*
 * What one CPU has for itself: found at %gs in the kernel.  Also the calls between the port's own
 * files that are too few for headers of their own.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq.h"
#include "kernel/arch/switch.h"
#include "kernel/arch/trap.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/format.h"

#define GDT_ENTRIES 16

struct task_state { /* SDM 3A 8.7 */
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} packed;

/* On the stacks of the interrupt stack table the entry code can not trust %gs: the CPU's struct
 * lies at their top (entry.S). */
struct trap_stack {
	uint8_t bytes[4096 - 16];
	struct cpu_local *cpu;
	uint64_t pad;
};

struct irq_slot {
	irq_handler handler;
	void *arg;
};

enum cpu_sleep { CPU_AWAKE, CPU_ASLEEP, CPU_ASLEEP_STALE /* flush before going on */ };

struct cpu_local {
	struct cpu_local *self;
	struct thread *current;
	uintptr_t kernel_sp; /* stack of system calls */
	uintptr_t user_sp;   /* scratch of the system call entry */
	unsigned id, apic_id;
	struct thread_arch *fpu_owner; /* whose FPU state the registers hold */
	struct irq_slot *irq_slots;    /* by vector - VECTOR_DEVICE_FIRST */
	_Atomic(enum cpu_sleep) sleep;
	uint64_t timer_deadline_ns;
	const struct trap_frame *timer_frame; /* what the timer interrupted last */
	uint64_t gdt[GDT_ENTRIES] aligned_to(16);
	struct task_state tss aligned_to(16);
	struct trap_stack nmi_stack aligned_to(16), fault_stack aligned_to(16);
	unsigned watch_generation; /* of the debug registers */
};

extern struct cpu_local boot_cpu;
extern struct cpu_local *cpu_locals[CPU_MAX]; /* NULL: not (yet) there */

static inline struct cpu_local *cpu_local(void)
{
	struct cpu_local *c;
	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(c) : "i"(CPU_SELF));
	return c;
}

/* Vectors of the interrupt controller. */
/* inspect.c: memory a debugger watches.  Every CPU loads it when its generation is not this one. */
extern unsigned watch_generation;
void watch_load(struct cpu_local *c);
/* The watched address this debug exception is about; 0: a single step. */
uintptr_t watch_hit(void);

#define VECTOR_DEVICE_FIRST 0x20
#define VECTOR_DEVICE_LAST 0xef
#define VECTOR_TIMER 0xf0
#define VECTOR_KICK 0xf1
#define VECTOR_FLUSH 0xf2
#define VECTOR_SPURIOUS 0xff

/* Exceptions by number. */
#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18

extern const char *boot_command_line; /* boot.c; "" before it is known */

/* descriptors.c: GDT, IDT, TSS, %gs, system call registers of this CPU. */
void descriptors_init(struct cpu_local *c);
void descriptors_set_stack(struct cpu_local *c, void *kernel_stack_top);

/* tlb.c */
void tlb_serve(void);
void tlb_wake(struct cpu_local *c);

/* smp.c */
void smp_find_cpus(void);
void smp_stop_others(void);
_Noreturn void secondary_start(unsigned number);

/* serial.c */
void serial_write(const char *text, size_t len);

/* irq.c */
void irq_init(void);

/* power.c: the exit ports of the command line. */
void power_init(void);
