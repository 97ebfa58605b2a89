/*
 * Which shared libraries an ELF file needs: found by reading files the way the dynamic loader
 * (ld.so(8), of glibc or musl) would look for them, never by running anything.
 */
#pragma once

#include <stdbool.h>

#include "cli/elf_file.h"
#include "cli/manifest.h"

struct closure {
	struct manifest *manifest;              /* takes what is found */
	struct source *source;                  /* where it is looked for */
	struct source *program_source;          /* where the program is; NULL = there too */
	const struct string_list *library_path; /* LD_LIBRARY_PATH */

	/* The rest is the closure's own; zero to begin with. */
	struct map names; /* sonames that are there */
	struct map files; /* real path -> struct object, of all objects read */
	struct object_list {
		struct object **items;
		size_t n, room;
	} objects;
	char *cache; /* /etc/ld.so.cache */
	size_t cache_len;
	bool cache_read, cache_needed;
	bool is_glibc;          /* the program's loader is glibc's */
	char *c_library;        /* where libc.so.6 was found, or NULL */
	bool unwinds;           /* something cancels or exits threads: glibc loads libgcc_s */
	bool uses_certificates; /* something mentions OpenSSL's or Go's certificate paths */
};

/*
 * The program at path: brings it, its loader and all libraries, transitively.  *program is what
 * the ELF says (borrowed, while the closure lives).  Says what is missing, needed by whom and
 * where it was looked for: -ENOENT; -ENOEXEC when the program cannot run on machine.
 */
int closure_add_program(struct closure *, const char *path, uint16_t machine,
	const struct elf_file **program) must_check;

/* A file that the program may load or execute while it runs: the same, but what is not a library of the
 * program's machine is passed over, and what is missing is only noted. */
void closure_add_plugin(struct closure *, const char *path);

void closure_free(struct closure *);
