/*
 * What the loader takes from an ELF file: the header and the program headers, checked.  Works on bytes alone, so that
 * it runs on a host and under a fuzzer; kernel/proc/load.c maps what this describes.
 */
#pragma once

#include "abi/linux/elf.h"
#include "kernel/lib/base.h"

#define ELF_TABLE_MAX 65536u /* bytes of program headers, as Linux */

/* Where programs may lie. */
struct elf_limits {
	unsigned machine; /* EM_ */
	const char *machine_name;
	uint64_t lowest, end;
};

struct elf_segment {
	uint64_t address, memory_size; /* before relocation by the base */
	uint64_t offset, file_size;
	bool read, write, execute;
};

struct elf_image {
	bool position_independent;
	uint64_t entry;
	uint64_t table_offset; /* of the program headers in the file */
	unsigned n_headers;
	/* from the program headers: */
	uint64_t low, high;     /* pages of all segments together */
	uint64_t alignment;     /* a power of two, at least a page */
	uint64_t table_address; /* of the program headers in memory; 0: not loaded */
	uint64_t interpreter_offset;
	unsigned interpreter_len; /* with its NUL; 0: none */
	bool executable_stack;
};

/* Read the first sizeof(struct elf_header) bytes of a file.  0; -ENOEXEC with a reason for a person. */
int elf_read_header(const void *bytes, size_t n, const struct elf_limits *limits,
	struct elf_image *out, const char **why) must_check;
/* Then the table: n_headers * sizeof(struct elf_program_header) bytes.  -ENOEXEC, -ENOMEM (does not fit into memory). */
int elf_read_table(const void *table, uint64_t file_size, const struct elf_limits *limits,
	struct elf_image *image, const char **why) must_check;
/* Segment index (0..n_headers - 1) of a table that elf_read_table() accepted; false: nothing to load there. */
bool elf_segment_at(const void *table, unsigned index, struct elf_segment *out);
