/* What the files that show arguments share (values.c, structs.c, sockets.c). */
#pragma once

#include <string.h>

#include "cli/trace/record.h"
#include "cli/trace/values.h"

#define min(a, b) ((a) < (b) ? (a) : (b))
#define array_size(a) (sizeof(a) / sizeof((a)[0]))
#define div_round_up(n, d) (((n) + (d)-1) / (d))

#define ITEMS_SHOWN 16u /* of an array */

/* A kind of table.def and how it is shown.  A list ends with a NULL kind. */
struct trace_kind {
	const char *kind;
	void (*show)(const struct trace_value *v);
};
extern const struct trace_kind trace_plain_kinds[], trace_struct_kinds[], trace_socket_kinds[];

static inline unsigned long trace_argument(const struct trace_value *v)
{
	return v->args[v->index];
}

static inline unsigned long trace_next_argument(const struct trace_value *v)
{
	return v->index < 5 ? v->args[v->index + 1] : 0;
}

static inline unsigned long trace_last_argument(const struct trace_value *v)
{
	return v->index > 0 ? v->args[v->index - 1] : 0;
}

static inline bool trace_failed(const struct trace_value *v)
{
	return v->result < 0 && v->result >= -4095;
}

void trace_show_int(const struct trace_value *v);
void trace_show_pointer(const struct trace_value *v);
void trace_show_data(const struct trace_value *v);
void trace_show_int_at(const struct trace_value *v);
void trace_show_timespec(const struct trace_value *v);
/* A C string literal of n bytes. */
void trace_add_quoted(struct text *t, const uint8_t *s, size_t n);
/* n bytes of the program's memory, cut as strace cuts them. */
void trace_add_bytes(struct text *t, uintptr_t at, size_t n);
/* An iovec whose pieces hold total bytes that count. */
void trace_add_pieces(const struct trace_value *v, size_t total);
const char *trace_signal_name(int signal);
/* A structure of n bytes; false: it is shown as a pointer. */
bool trace_fetch(const struct trace_value *v, void *to, size_t n);
