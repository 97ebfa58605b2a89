/* KVM's paravirtual clock, read once: afterwards the TSC is enough. */
#pragma once

#include "kernel/lib/base.h"

uint64_t pvclock_tsc_rate(void); /* ticks per second, 0: no such clock */
uint64_t pvclock_wall_ns(void);  /* since 1970, now; 0: no such clock */
