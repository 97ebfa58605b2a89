/*
 * The program's floating point and vector registers.  The kernel never touches them: they are saved
 * when a thread leaves its CPU, and loaded when it comes back unless they are still there.
 */
#pragma once

#include "kernel/arch/x86_64/local.h"

/* thread_arch.fpu_where */
#define FPU_UNUSED 0 /* has not been in the program */
#define FPU_LIVE 1   /* in the registers while the thread runs, in its area while it does not */
#define FPU_MEMORY 2 /* in its area, though it runs: being replaced by sigreturn */

#define FPU_LEGACY_SIZE 512
#define FPU_HEADER_SIZE 64
#define FPU_SOFTWARE_OFFSET 464 /* 48 bytes for software, inside the legacy part */

struct xsave_header {
	uint64_t present, compaction, reserved[6];
};

extern size_t fpu_size;   /* of the area */
extern uint64_t fpu_mask; /* XCR0; 0: FXSAVE only */
extern uint32_t fpu_mxcsr_mask;

void fpu_init(void);
void fpu_init_cpu(void); /* every CPU */
int fpu_alloc(struct thread_arch *t) must_check;
void fpu_free(struct thread_arch *t);
void fpu_switch_out(struct cpu_local *c, struct thread_arch *t);
void fpu_switch_in(struct cpu_local *c, struct thread_arch *t);

/* Of the current thread: */
void fpu_reset(struct thread_arch *t);          /* the registers as at program start */
void fpu_copy(struct thread_arch *to);          /* its state to another, new thread */
void fpu_store(struct thread_arch *t);          /* registers to its area, every part of it */
int fpu_load(struct thread_arch *t) must_check; /* area to registers; -EFAULT: not loadable */
/* Make an area from outside loadable; extended: its XSAVE header counts, too. */
void fpu_check(void *area, bool extended);
/* The exception that #MF or #XM is about, as si_code of SIGFPE. */
int fpu_exception_code(bool vector_unit);
