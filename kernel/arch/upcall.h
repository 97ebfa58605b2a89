/*
 * What a port calls upward: the handful of functions that traps and start-up enter.  They are
 * defined in kernel/main.c, kernel/sched, kernel/proc and kernel/syscall.
 */
#pragma once

#include "kernel/arch/trap.h"
#include "kernel/lib/base.h"

struct memory_range {
	uint64_t start, end; /* physical, bytes */
};

#define BOOT_MEMORY_RANGES 64

/* Gathered by the port from the PVH start info or boot_params (or the device tree). */
struct boot_info {
	const char *command_line;
	struct memory_range
		memory[BOOT_MEMORY_RANGES]; /* usable, sorted, without the kernel image */
	unsigned n_memory;
	uint64_t rsdp; /* physical address of the ACPI root pointer, 0 if none */
	struct memory_range initrd;
};

/* On the boot CPU with page tables, traps and the direct map in place, interrupts off. */
_Noreturn void kernel_main(const struct boot_info *boot);
/* On every other CPU. */
_Noreturn void secondary_main(void);

/*
 * Memory for the port, from kernel/mem; any context, before secondary_main() only on the boot CPU.
 * Cleared, in the direct map, page-aligned from 4 KB up; NULL when there is none.
 */
void *port_alloc(size_t size) must_check; /* heap_zalloc() */
void port_free(void *block);              /* heap_free() */
void *table_page_alloc(void) must_check;  /* a page for page tables, counted as such */
void table_page_free(void *page);

/* A new thread is about to run its entry function for the first time: what thread_switch() would
 * have returned.  Interrupts off; they are on when entry runs. */
struct thread;
void thread_first_run(struct thread *previous);

/* A system call; the result is stored in the frame by the callee.  Interrupts on. */
void syscall_dispatch(struct trap_frame *f);

/* Before the program goes on, when user_work is not 0: signals, preemption, exit.  Interrupts on;
 * the port asks again afterwards. */
void user_return(struct trap_frame *f);

#define FAULT_WRITE 1u
#define FAULT_EXEC 2u
#define FAULT_USER 4u    /* raised by the program, not by copy_in() and its kin */
#define FAULT_PRESENT 8u /* a page is there; the access is not allowed */
/* A page fault at a user address, interrupts on, may sleep.  0: try again.  -EFAULT: in user mode the
 * callee has already sent the signal; in the kernel the port takes the fix-up. */
int page_fault(struct trap_frame *f, uintptr_t address, unsigned access);

/* Any other exception the program raised: as Linux would signal it.  Interrupts on. */
struct user_fault {
	int signal, code;            /* SIGFPE, FPE_INTDIV, ... */
	uintptr_t address;           /* si_addr */
	unsigned long vector, error; /* x86: for the signal context */
};
void user_exception(struct trap_frame *f, const struct user_fault *fault);

/* Interrupts off; what was interrupted, NULL: the kernel. */
void timer_interrupt(const struct trap_frame *f);
void kick_interrupt(void); /* cpu_kick() arrived */
/* The host asks the machine to stop: SIGTERM for the program. */
void power_button(void);
