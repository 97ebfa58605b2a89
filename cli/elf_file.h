/*
 * What the command needs to know of an ELF file, read without trusting a byte of it.  Nothing is
 * executed, and nothing outside the file's own bounds is looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/text.h"

/* Where the bytes come from.  read fills all of len or returns -Exxx. */
struct elf_input {
	int (*read)(void *context, uint64_t offset, void *buf, size_t len);
	void *context;
	uint64_t size;
};

struct elf_file {
	uint8_t class;    /* ELFCLASS32 or ELFCLASS64 */
	uint16_t type;    /* ET_EXEC or ET_DYN */
	uint16_t machine; /* EM_* */
	uint64_t entry;
	uint64_t data_bytes;            /* its data; zeroed memory costs only what is touched */
	bool is_dynamic;                /* has PT_DYNAMIC */
	bool is_pie;                    /* DF_1_PIE */
	bool ignores_default_folders;   /* DF_1_NODEFLIB */
	char *interpreter;              /* PT_INTERP or NULL */
	char *soname, *rpath, *runpath; /* or NULL */
	struct string_list needed;
	char *strings; /* the dynamic string table, NUL-separated; or NULL */
	size_t strings_len;
};

/*
 * Reads an executable or a shared library.  0; -ENOEXEC with *why (a constant phrase such as "it
 * is truncated: ...") when it is not one or is damaged; another -Exxx when reading failed.
 * *out needs elf_file_free() after 0 only.
 */
int elf_file_read(const struct elf_input *, struct elf_file *out, const char **why) must_check;
void elf_file_free(struct elf_file *);

/* A symbol of this name is imported or exported: it stands in the dynamic string table. */
bool elf_file_names_symbol(const struct elf_file *, const char *symbol);

/* "x86-64", "AArch64", ... or "machine N" (a constant or a static buffer). */
const char *elf_machine_name(uint16_t machine);
