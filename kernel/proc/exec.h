/* execve(2) in two steps: everything that can still fail for the old program's ears, then the point of no return. */
#pragma once

#include "kernel/proc/load.h"

/* Strings on their way to a new program. */
struct string_vector {
	char **items; /* heap, each */
	unsigned n, size;
	size_t bytes; /* of all, with their NULs */
};
/* Take over a heap string.  -ENOMEM frees it. */
int string_vector_add(struct string_vector *v, char *string) must_check;
void string_vector_free(struct string_vector *v);

#define EXEC_STRING_MAX (32 * PAGE_SIZE) /* one string, with its NUL, as Linux */

struct exec_plan {
	struct string_vector arguments, environment; /* set by the caller; [0] may be missing */
	struct program_file program, interpreter;
	char *name;    /* as it was asked for: AT_EXECFN */
	bool first;    /* the machine's first program: failing ends the machine with "failed" */
	char why[256]; /* after a failure: a sentence for a person */
};

/* Bytes that strings and pointers of a new program may take. */
size_t exec_size_limit(void);
/* Open and check all there is to check.  0 or Linux's errors of execve(2) with plan->why. Frees nothing. */
int exec_prepare(struct exec_plan *p, struct dentry *base, const char *path) must_check;
void exec_plan_free(struct exec_plan *p);
/* Become the program; no other thread is left.  Takes over what p holds. */
_Noreturn void exec_commit(struct exec_plan *p);
