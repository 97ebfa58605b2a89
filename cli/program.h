/*
 * From the words a person typed to what the machine executes: the program looked up as a shell
 * would, scripts replaced by their interpreters.
 */
#pragma once

#include "cli/source.h"

/* The PATH inside a machine, and where a program of a --root is looked up. */
#define PROGRAM_DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct program {
	char *file;                /* what was asked for: a path in the source */
	char *init;                /* what is executed: file, or its interpreter */
	char *argv0;               /* argv[0] of init */
	struct string_list prefix; /* arguments before the user's: "-w", the script */
};

/*
 * name is absolute, or has no '/' and is searched in path.  Says what is wrong: -ENOENT when the
 * program or an interpreter is not there, -EACCES or -ENOEXEC when it cannot be run.
 */
int program_find(
	struct source *, const char *name, const char *path, struct program *out) must_check;
void program_free(struct program *);
