/*
 * printf's formatting without floating point: %d %i %u %x %X %o %c %s %p %% with flags "-0+ #",
 * width, precision (both may be *), and lengths hh h l ll z j t.
 */
#pragma once

#include <stdarg.h>

#include "kernel/lib/base.h"

/* Length the whole text has, without the NUL, as snprintf(3); at most size bytes are written and,
 * for size > 0, a NUL is among them. */
int format(char *buf, size_t size, const char *fmt, ...) printf_like(3, 4);
int format_v(char *buf, size_t size, const char *fmt, va_list args);

/* Text that grows at the end of a fixed buffer: for the files of /proc and for reports. */
struct text {
	char *buf;
	size_t size; /* of buf */
	size_t len;  /* text so far, never above size - 1 */
	bool cut;    /* something did not fit */
};

void text_init(struct text *t, char *buf, size_t size);
void text_add(struct text *t, const char *fmt, ...) printf_like(2, 3);
