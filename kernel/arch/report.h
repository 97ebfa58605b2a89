/* Port contract, for crash reports: addresses of the kernel's code as names. */
#pragma once

#include "kernel/lib/base.h"
#include "kernel/lib/format.h"

/* Name of the kernel function that address lies in, and how far into it; NULL when in none. */
const char *symbol_find(uintptr_t address, size_t *offset);

/* One line per caller, outermost last, starting at that frame pointer; only the kernel's own. */
void backtrace_describe(struct text *t, uintptr_t ip, uintptr_t frame_pointer);
