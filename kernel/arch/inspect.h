/*
 * Port contract, for kernel/inspect: the program's registers from outside.  The thread stands at the border to the
 * program and has called inspect_save(); f is thread_user_frame() of it.
 */
#pragma once

#include "abi/debug.h"
#include "kernel/arch/switch.h"
#include "kernel/arch/trap.h"

/* Of the current thread: what is in the processor into memory; and back, when somebody changed it. */
void inspect_save(void);
void inspect_load(void);

/* restart: the interrupted system call would begin again; then the registers say so as ptrace(2) shows it. */
void inspect_get_registers(const struct thread_arch *t, const struct trap_frame *f, bool restart,
	uint64_t r[DEBUG_N_REGISTERS]);
/* Hostile values never gain privilege.  *restart: whether an interrupted call is still to begin again. */
void inspect_set_registers(struct thread_arch *t, struct trap_frame *f, bool *restart,
	const uint64_t r[DEBUG_N_REGISTERS]);
/* The FPU's state in memory, and its size; set: checked, -EINVAL. */
size_t inspect_fpu(const struct thread_arch *t, const void **state);
int inspect_set_fpu(struct thread_arch *t, const void *state, size_t size) must_check;
void inspect_step(struct trap_frame *f);
void inspect_step_end(struct trap_frame *f);
/* f came from a breakpoint instruction: its address; 0: it did not. */
uintptr_t inspect_breakpoint(const struct trap_frame *f);
/* Nothing is at that address any more: the program goes on as if it had not been. */
void inspect_breakpoint_undo(struct trap_frame *f);

/* Memory to watch, on every CPU from when it next runs the program or another thread: -EINVAL. */
int inspect_watch(const struct debug_watch watches[DEBUG_WATCHES]) must_check;
/* This CPU, now. */
void inspect_watch_here(void);
