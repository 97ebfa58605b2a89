/*
 * Segments, gates, the task state and the system call registers of a CPU.  NMI and machine check
 * share a stack of their own, the double fault has another: all other entries take the stack they
 * find, or the thread's when they come from the program.
 */
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/paging.h"

struct gate { /* SDM 3A 6.14.1 */
	uint16_t low, selector;
	uint8_t ist, type;
	uint16_t middle;
	uint32_t high, reserved;
};

struct table_pointer {
	uint16_t limit;
	const void *base;
} packed;

#define GATE_INTERRUPT 0x8e /* present, DPL 0: interrupts go off */
#define GATE_USER 0xee      /* the program may raise it: int3 */
#define IST_NMI 1
#define IST_FAULT 2
#define RFLAGS_MASKED 0x47700 /* AC NT IOPL DF IF TF: off at the entry of a system call */

struct cpu_local boot_cpu;
static struct gate idt[256];

/* entry.S: one stub each, 16 bytes apart. */
extern char vector_stubs[];
void syscall_entry(void);

static void idt_fill(void)
{
	for (unsigned v = 0; v < 256; v++) {
		uintptr_t stub = (uintptr_t)vector_stubs + 16 * v;
		idt[v] = (struct gate){
			.low = (uint16_t)stub,
			.selector = KERNEL_CS,
			.type = GATE_INTERRUPT,
			.middle = (uint16_t)(stub >> 16),
			.high = (uint32_t)(stub >> 32),
		};
	}
	idt[3].type = idt[4].type = GATE_USER;
	idt[VECTOR_NMI].ist = idt[VECTOR_MACHINE_CHECK].ist = IST_NMI;
	idt[VECTOR_DOUBLE_FAULT].ist = IST_FAULT;
}

static void segments_fill(struct cpu_local *c)
{
	uint64_t tss = (uint64_t)&c->tss, limit = sizeof(c->tss) - 1;
	c->gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	c->gdt[KERNEL_DS / 8] = 0x00cf93000000ffff;
	c->gdt[USER_DS / 8] = 0x00cff3000000ffff;
	c->gdt[USER_CS / 8] = 0x00affb000000ffff;
	c->gdt[TSS_SELECTOR / 8] =
		limit | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
	c->gdt[TSS_SELECTOR / 8 + 1] = tss >> 32;
	c->gdt[CPU_NUMBER_SELECTOR / 8] = 0x0040f50000000000 | c->id;
	c->nmi_stack.cpu = c->fault_stack.cpu = c;
	c->tss.ist[IST_NMI - 1] = (uint64_t)&c->nmi_stack.cpu;
	c->tss.ist[IST_FAULT - 1] = (uint64_t)&c->fault_stack.cpu;
	c->tss.io_map = sizeof(c->tss);
}

void descriptors_init(struct cpu_local *c)
{
	if (c == &boot_cpu)
		idt_fill();
	segments_fill(c);
	struct table_pointer gdt_pointer = {sizeof(c->gdt) - 1, c->gdt};
	struct table_pointer idt_pointer = {sizeof(idt) - 1, idt};
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(gdt_pointer), "m"(idt_pointer) : "memory");
	__asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR));
	c->self = c;
	cpu_locals[c->id] = c;
	msr_write(MSR_GS_BASE, (uint64_t)c);
	msr_write(MSR_KERNEL_GS_BASE, 0);
	msr_write(MSR_FS_BASE, 0);
	/* sysret takes SS from the high half plus 8, CS from plus 16. */
	msr_write(MSR_STAR, (uint64_t)(USER_DS - 8) << 48 | (uint64_t)KERNEL_CS << 32);
	msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
	msr_write(MSR_FMASK, RFLAGS_MASKED);
}

void descriptors_set_stack(struct cpu_local *c, void *kernel_stack_top)
{
	c->kernel_sp = (uintptr_t)kernel_stack_top;
	c->tss.rsp[0] = (uintptr_t)kernel_stack_top;
}
