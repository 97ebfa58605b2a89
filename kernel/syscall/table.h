/* The table that table.def makes (dispatch.c), for those who look calls up. */
#pragma once

#include "kernel/syscall/syscall.h"

#define SYSCALL_NUMBERS 453u

/* Flags of table.def. */
#define RESTART 1u
#define PIPE 2u
#define ENDS 4u   /* does not return to its caller */
#define NAMED 8u  /* MISSING: said on the console */
#define PLAIN 16u /* -EINTR is a result like any other: nothing to restart */

struct syscall_entry {
	syscall_handler handler;
	const char *name, *signature; /* name NULL: there is no such call */
	unsigned flags;
};

/* Never NULL. */
const struct syscall_entry *syscall_find(unsigned number);
