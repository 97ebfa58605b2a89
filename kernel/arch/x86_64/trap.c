/*
 * Exceptions: to the program as signals, to kernel/mem as page faults, to a fix-up when user memory
 * was touched on the program's behalf; everything else is a bug of ours.  And the frame's accessors.
 */
#include "kernel/arch/trap.h"

#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/lib/log.h"

#define ERROR_PRESENT 1
#define ERROR_WRITE 2
#define ERROR_USER 4
#define ERROR_FETCH 16

/* Instructions that may fault, and where to go on; both relative to their field. */
struct fixup {
	int32_t at, to;
};
extern const struct fixup fixups_start[], fixups_end[];

static bool take_fixup(struct trap_frame *f)
{
	for (const struct fixup *x = fixups_start; x < fixups_end; x++)
		if ((uintptr_t)&x->at + x->at == f->rip) {
			f->rip = (uintptr_t)&x->to + x->to;
			return true;
		}
	return false;
}

static bool has_fixup(const struct trap_frame *f)
{
	struct trap_frame copy = *f;
	return take_fixup(&copy);
}

static void page_fault_handle(struct trap_frame *f)
{
	uintptr_t address = cr2_read();
	unsigned access = (f->error & ERROR_WRITE ? FAULT_WRITE : 0) |
			  (f->error & ERROR_FETCH ? FAULT_EXEC : 0) |
			  (f->error & ERROR_PRESENT ? FAULT_PRESENT : 0);
	if (trap_from_user(f)) {
		irq_enable();
		(void)page_fault(f, address, access | FAULT_USER);
		return;
	}
	if (address >= USER_END || !has_fixup(f))
		panic_frame(f, "page fault at %#lx", address);
	/* With interrupts off nothing may sleep: the access just fails. */
	if (f->rflags & RFLAGS_IF) {
		irq_enable();
		int err = page_fault(f, address, access);
		irq_disable();
		if (err >= 0)
			return;
	}
	take_fixup(f);
}

/* By vector: what Linux sends (arch/x86/kernel/traps.c). */
static const struct {
	uint8_t signal;
	uint8_t code;
	bool ip_is_address;
} signals[32] = {
	[0] = {SIGFPE, FPE_INTDIV, true},
	[1] = {SIGTRAP, TRAP_TRACE, true},
	[3] = {SIGTRAP, SI_KERNEL, false},
	[4] = {SIGSEGV, SI_KERNEL, false},
	[5] = {SIGSEGV, SI_KERNEL, false},
	[6] = {SIGILL, ILL_ILLOPN, true},
	[10] = {SIGSEGV, SI_KERNEL, false},
	[11] = {SIGBUS, SI_KERNEL, false},
	[12] = {SIGBUS, SI_KERNEL, false},
	[13] = {SIGSEGV, SI_KERNEL, false},
	[16] = {SIGFPE, 0, true},
	[17] = {SIGBUS, BUS_ADRALN, false},
	[19] = {SIGFPE, 0, true},
};

static const char *const names[32] = {"divide error", "debug", "NMI", "breakpoint", "overflow",
	"bound", "invalid opcode", "no FPU", "double fault", "", "invalid TSS",
	"segment not present", "stack segment", "general protection", "page fault", "", "x87 error",
	"alignment check", "machine check", "SIMD error", [21] = "control protection"};

void exception_handle(struct trap_frame *f); /* entry.S */
void exception_own_stack(struct trap_frame *f);

void exception_handle(struct trap_frame *f)
{
	unsigned vector = (unsigned)f->vector;
	if (vector == VECTOR_PAGE_FAULT) {
		page_fault_handle(f);
		return;
	}
	if (!trap_from_user(f)) {
		/* A system call touched memory that is watched: not the program itself. */
		if (vector == VECTOR_DEBUG && watch_hit())
			return;
		if (!take_fixup(f))
			panic_frame(f, "%s (error %#lx)",
				names[vector] ? names[vector] : "exception",
				(unsigned long)f->error);
		return;
	}
	int code = signals[vector].code;
	if (vector == 16 || vector == 19)
		code = fpu_exception_code(vector == 19);
	if (!signals[vector].signal)
		panic_frame(f, "exception %u in the program", vector);
	struct user_fault fault = {
		.signal = signals[vector].signal,
		.code = code,
		.address = signals[vector].ip_is_address ? f->rip : 0,
		.vector = vector,
		.error = f->error,
	};
	uintptr_t watched = vector == VECTOR_DEBUG ? watch_hit() : 0;
	if (watched) {
		fault.code = TRAP_HWBKPT;
		fault.address = watched;
	}
	irq_enable();
	user_exception(f, &fault);
}

/* NMI, double fault, machine check. */
void exception_own_stack(struct trap_frame *f)
{
	if (f->vector == VECTOR_NMI) {
		if (panic_stop_here())
			return;
		log_warn("NMI ignored");
		return;
	}
	if (f->vector == VECTOR_DOUBLE_FAULT)
		panic_frame(f, "double fault: kernel stack overflow? (cr2 %#lx)", cr2_read());
	panic_frame(f, "%s", names[f->vector]);
}

bool trap_from_user(const struct trap_frame *f)
{
	return f->cs & 3;
}

uintptr_t trap_ip(const struct trap_frame *f)
{
	return f->rip;
}

void trap_set_ip(struct trap_frame *f, uintptr_t ip)
{
	f->rip = min(ip, USER_END); /* iretq faults on a non-canonical one */
}

uintptr_t trap_sp(const struct trap_frame *f)
{
	return f->rsp;
}

uintptr_t trap_fp(const struct trap_frame *f)
{
	return f->rbp;
}

unsigned long trap_syscall_number(const struct trap_frame *f)
{
	return f->error;
}

void trap_syscall_args(const struct trap_frame *f, unsigned long args[6])
{
	args[0] = f->rdi;
	args[1] = f->rsi;
	args[2] = f->rdx;
	args[3] = f->r10;
	args[4] = f->r8;
	args[5] = f->r9;
}

void trap_set_result(struct trap_frame *f, long result)
{
	f->rax = (uint64_t)result;
}

long trap_result(const struct trap_frame *f)
{
	return (long)f->rax;
}

void trap_restart_syscall(struct trap_frame *f)
{
	f->rax = f->error;
	f->rip -= 2; /* the syscall instruction */
	f->rcx = f->rip;
}

int trap_describe(const struct trap_frame *f, char *buf, size_t size)
{
	struct text t;
	text_init(&t, buf, size);
	text_add(&t, "rip %016lx  rsp %016lx  rflags %08lx\n", f->rip, f->rsp, f->rflags);
	const struct {
		const char *name;
		uint64_t value;
	} registers[] = {
		{"rax", f->rax},
		{"rbx", f->rbx},
		{"rcx", f->rcx},
		{"rdx", f->rdx},
		{"rsi", f->rsi},
		{"rdi", f->rdi},
		{"rbp", f->rbp},
		{"r8 ", f->r8},
		{"r9 ", f->r9},
		{"r10", f->r10},
		{"r11", f->r11},
		{"r12", f->r12},
		{"r13", f->r13},
		{"r14", f->r14},
		{"r15", f->r15},
	};
	for (unsigned i = 0; i < array_size(registers); i++)
		text_add(&t, "%s %016lx%s", registers[i].name, registers[i].value,
			i % 3 == 2 ? "\n" : "  ");
	return (int)t.len;
}
