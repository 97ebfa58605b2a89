/*
 * Allocation that does not fail: the command ends with one line and status 125 when the host has
 * no memory left.  Everything returned is zeroed and freed with free().
 */
#pragma once

#include <stddef.h>

void *memory_new(size_t n_items, size_t item_size);

/* Grows an array to n_items; the new part is not zeroed. */
void *memory_resize(void *old, size_t n_items, size_t item_size);

char *memory_string(const char *text);
char *memory_bytes(const void *bytes, size_t len); /* a copy with a NUL behind it */
