/*
 * Names of functions from an ELF file's symbol tables, and from the one that holds its debugging
 * information on this host (/usr/lib/debug/.build-id).  No byte of the file is trusted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/report.h"

struct symbols;

/* NULL: not a 64-bit ELF file. */
struct symbols *symbols_read(const uint8_t *file, size_t len);
/* The same with a file of this host. */
struct symbols *symbols_read_file(const char *path);
void symbols_free(struct symbols *);

/* The function at that place of the file; NULL: none is known. */
const char *symbols_at_offset(const struct symbols *, uint64_t offset);
/* The function at the address the file gives it. */
const char *symbols_at_address(const struct symbols *, uint64_t address);
