/* The end of a kernel that has found a mistake of its own. */
#pragma once

#include "kernel/arch/trap.h"
#include "kernel/lib/assert.h"

/* panic() about the state in that frame. */
_Noreturn void panic_frame(struct trap_frame *f, const char *fmt, ...) printf_like(2, 3);
/* In an NMI: stops this CPU for good if another one panics; false otherwise. */
bool panic_stop_here(void);
