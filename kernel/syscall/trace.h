/*
 * What whoever runs the machine wants to know or forbid of system calls: records of each (mote.trace=), how often each
 * was made (mote.count-calls), and a list of those that are allowed (mote.allow=).  Costs one test while all is off.
 */
#pragma once

#include "kernel/syscall/table.h"

extern bool syscalls_watched;

typedef long (*syscall_maker)(const struct syscall_entry *e, const struct syscall_args *args);

/* In place of make(e, args), while syscalls_watched. */
long syscall_watch(const struct syscall_entry *e, unsigned number, struct syscall_args *args,
	syscall_maker make);

/* The call in progress, if it is traced (args->trace), does not return to its caller: execve. */
void trace_ends(struct trace *t);

/* What of a call's memory goes into its record (trace_capture.c). */
struct capture_buffer {
	uint8_t *bytes;
	uint32_t size, len;
	unsigned n_pieces;
};
struct capture_options {
	unsigned data_size; /* how much of a buffer */
	bool paths;         /* of descriptors, too */
};
/* Codes of a call's six arguments, from its signature. */
void capture_codes(const char *signature, uint8_t codes[6]);
/* when: TRACE_BEFORE, TRACE_AFTER (then with the result). */
void capture_arguments(struct capture_buffer *to, const uint8_t codes[6],
	const struct syscall_args *args, unsigned when, long result,
	const struct capture_options *options);
