/* One argument of a traced call, shown as strace would. */
#pragma once

#include <stdint.h>

#include "cli/text.h"

struct trace_value {
	struct text *text;
	const uint64_t *args;
	unsigned index;
	long result; /* of the call; 0 before it is over */
};

/* kind: the word in table.def, len characters.  Reads user memory. */
void trace_show(const char *kind, size_t len, const struct trace_value *v);
/* Bytes shown of a buffer, at most 1024 (default 32). */
void trace_set_data_shown(size_t n);
/* What strace adds behind the result of poll(2) ("poll") and select(2) ("select"). */
void trace_show_ready(const char *kind, struct text *t, const uint64_t *args, long result);
/* The argument means nothing in this call and is left out (the mode of an open that creates nothing). */
bool trace_omits(const char *kind, size_t len, const struct trace_value *v);

const char *trace_error_name(int error); /* "ENOENT" */
const char *trace_error_text(int error); /* "No such file or directory" */

/* Numbers with names.  A list ends with a NULL name. */
struct trace_name {
	unsigned long value;
	const char *name;
};
void trace_show_one(struct text *t, const struct trace_name *names, unsigned long value);
void trace_show_flags(struct text *t, const struct trace_name *names, unsigned long value);
/* The list for a kind, and whether it is of flags; NULL: the kind is no list. */
const struct trace_name *trace_names(const char *kind, size_t len, bool *flags);
