/* The system calls of kernel/syscall/table.def, as the build takes them from there. */
#pragma once

#include <stddef.h>

struct trace_syscall {
	int number;
	const char *name, *signature;
};
extern const struct trace_syscall trace_syscalls[];
extern const size_t trace_n_syscalls;

/* NULL: the number has no name. */
const struct trace_syscall *trace_syscall_find(unsigned number);
const struct trace_syscall *trace_syscall_named(const char *name, size_t len);
