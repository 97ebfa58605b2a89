/*
 * System calls.  table.def lists them all; a handler takes its six arguments and returns the result or -Exxx.
 * Handlers decode, copy and call down: they hold no state.
 */
#pragma once

#include "abi/linux/errno.h"
#include "kernel/arch/trap.h"

struct syscall_args {
	unsigned long a[6];
	struct trap_frame *frame;
};

typedef long (*syscall_handler)(const struct syscall_args *args);

/* mote.trace=syscall */
void syscall_trace_enable(void);
