/*
 * Kernel heap: size classes up to 2 KB from slabs of one page, larger blocks from frames.  Any context
 * (never sleeps).  Memory is 16-byte aligned; sizes from 4 KB up are page-aligned.  2 MB at most.
 */
#pragma once

#include "kernel/lib/base.h"

void *heap_alloc(size_t size) must_check;           /* NULL when out of memory */
void *heap_zalloc(size_t size) must_check;          /* cleared */
void *heap_array(size_t n, size_t size) must_check; /* cleared; NULL too when n * size overflows */
void *heap_resize(void *old, size_t size) must_check; /* as realloc(3) */
void heap_free(void *block);                          /* NULL is fine */
char *heap_string(const char *s) must_check;          /* strdup(3) */

/* Kernel stacks: KERNEL_STACK_SIZE bytes with an unmapped page below.  The top, or NULL. */
#define KERNEL_STACK_SIZE (4 * PAGE_SIZE)
void *stack_alloc(void) must_check;
void stack_free(void *top);
/* Is that address in some stack's guard page? */
bool stack_is_guard(uintptr_t address);
