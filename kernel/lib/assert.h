/* The kernel's own mistakes.  Never for what the program, the disk, the network or the host say. */
#pragma once

#include "kernel/lib/base.h"

/* Report (file, line, backtrace) and end the machine.  Defined by each port. */
_Noreturn void panic(const char *format, ...) printf_like(1, 2);

#define assert(x)                                                                                  \
	do {                                                                                       \
		if (unlikely(!(x)))                                                                \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #x);              \
	} while (0)
