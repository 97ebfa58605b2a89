/* Program files on their way into the address space: opened, read, mapped.  All functions sleep. */
#pragma once

#include "kernel/proc/elf.h"
#include "kernel/proc/process.h"

#define PROGRAM_HEAD 256u /* bytes looked at to see what kind of file it is (a "#!" line too) */

struct program_file {
	struct file *file;
	char *path; /* as the program would name it; heap */
	uint64_t size;
	uint8_t head[PROGRAM_HEAD];
	unsigned head_len;
	struct elf_image image;
	void *table; /* its program headers; heap */
};

/* Open for execution and read the head.  base: NULL, the working directory.
 * -ENOENT, -EACCES (no permission, no regular file), -ELOOP, ...; then *p needs no closing. */
int program_open(struct dentry *base, const char *path, struct program_file *p) must_check;
void program_close(struct program_file *p); /* a cleared one is fine */
/* Fill in image and table.  -ENOEXEC, -ENOMEM, -EIO with a reason. */
int program_read_elf(struct program_file *p, const char **why) must_check;
/* The name in PT_INTERP into buf. */
int program_interpreter(struct program_file *p, char buf[PATH_MAX], const char **why) must_check;

/* Map all segments of a position-independent file at hint (or where there is room, if 0) and say how far
 * addresses moved; others where they want to be (*base 0).  On failure part of it may be mapped. */
int program_map(struct program_file *p, uintptr_t hint, uintptr_t *base) must_check;
