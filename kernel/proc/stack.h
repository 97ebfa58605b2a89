/* The first stack of a program: strings, auxiliary vector, environment, arguments (System V ABI, x86-64 3.4.1). */
#pragma once

#include "kernel/proc/exec.h"

struct stack_request {
	uintptr_t top;
	const char *name; /* AT_EXECFN */
	const struct string_vector *arguments, *environment;
	uintptr_t entry; /* where to start: the program's or the dynamic linker's */
	uintptr_t program_entry, interpreter_base, headers;
	unsigned n_headers;
};

/* Write it below top, note its parts in process, and say where the stack pointer starts.  -EFAULT, -ENOMEM.  Sleeps. */
int stack_build(const struct stack_request *r, uintptr_t *sp) must_check;
