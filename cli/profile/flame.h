/* A flame graph: an SVG that needs nothing else; a frame's title tells its whole name and share. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One folded stack: "outermost;...;innermost". */
struct folded {
	const char *stack;
	uint64_t count;
};

/* Stacks are sorted by strcmp(). */
void flame_write(FILE *, const char *title, const struct folded *, size_t n);
