/* The last lines that a program and its kernel wrote: what a web hook is told. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#define LAST_LINES 20
#define LAST_LINE_MAX 512

struct last_lines {
	char lines[LAST_LINES][LAST_LINE_MAX];
	unsigned n; /* ever kept */
};

void last_lines_keep(struct last_lines *, const char *text, size_t len);

/* All of them, the oldest first; *crash is the last one of the kernel, NULL when there is none. */
json_t *last_lines_json(const struct last_lines *, const char **crash);
