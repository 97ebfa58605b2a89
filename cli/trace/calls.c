/* Looking up system calls; the list itself is made by tools/syscall-table while building. */
#include "cli/trace/calls.h"

#include <string.h>

const struct trace_syscall *trace_syscall_find(unsigned number)
{
	for (size_t i = 0; i < trace_n_syscalls; i++)
		if (trace_syscalls[i].number == (int)number)
			return &trace_syscalls[i];
	return NULL;
}

const struct trace_syscall *trace_syscall_named(const char *name, size_t len)
{
	for (size_t i = 0; i < trace_n_syscalls; i++)
		if (strncmp(trace_syscalls[i].name, name, len) == 0 && !trace_syscalls[i].name[len])
			return &trace_syscalls[i];
	return NULL;
}
