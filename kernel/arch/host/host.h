/*
 * What unit tests and fuzzers ask of the host port.  Time stands still unless a test or an idle CPU moves it, so
 * runs repeat to the instruction.
 */
#pragma once

#include "kernel/lib/base.h"

/* Make `bytes` of memory (a multiple of 2 MB) and hand it to page_init(). */
void host_memory_init(size_t bytes);

/* Run fn in a kernel thread to its end, with the scheduler around it.  Sets memory (64 MB) and scheduler up when that was
 * not done yet. */
void host_run(void (*fn)(void *), void *arg);

/* Move the clock forward and take the timer interrupts due on the way. */
void host_advance(uint64_t ns);
