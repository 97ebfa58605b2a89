/*
 * What mote says to a person: one line on stderr per failure, "mote: what: on what: what to do".
 * Functions that fail say so here, at the place that knows most, and return a negative error
 * number; their callers only pass it on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(at, first) __attribute__((format(printf, at, first)))

/* The exit status of mote itself, as docker's and the shell's. */
enum {
	EXIT_MOTE_FAILED = 125,  /* mote could not do its part */
	EXIT_NOT_RUNNABLE = 126, /* the program is there but cannot run */
	EXIT_NOT_FOUND = 127,    /* the program, its interpreter or a library is not there */
	EXIT_KILLED = 128,       /* plus the number of the signal that ended the program */
};

/* Prints the line and returns -err, for "return fail(ENOENT, ...)". */
int fail(int err, const char *format, ...) printf_like(2, 3);

/* As fail(), but does not end anything: "mote: warning: ...". */
void warn(const char *format, ...) printf_like(1, 2);

/* Only with --verbose. */
void note(const char *format, ...) printf_like(1, 2);

void report_verbose(void); /* from now on note() prints */
bool report_is_verbose(void);

/* Each line goes there too, with its newline; NULL = no more. */
void report_also_to(void (*to)(void *context, const char *line, size_t len), void *context);
