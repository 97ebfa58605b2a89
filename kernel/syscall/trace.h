/* mote.trace=syscall: calls in strace's words.  Costs nothing while it is off. */
#pragma once

#include "kernel/syscall/syscall.h"

extern bool trace_enabled;

struct trace; /* one call being shown */

/* What the line will show of a call that begins; NULL: no memory.  ends: written out at once. */
struct trace *trace_begin(
	const char *name, const char *signature, const struct syscall_args *args, bool ends);
/* Its end; restart: ERESTART... or 0. */
void trace_end(struct trace *t, const struct syscall_args *args, long result, int restart);
