/* An image's own defaults (abi/image.h): how the program in it is started. */
#pragma once

#include "cli/source.h"

struct defaults {
	char *init, *argv0, *cwd; /* NULL = not said */
	struct string_list environment, arguments;
};

/* -ENOENT, silently, when the image has none; says so when they are damaged. */
int defaults_read(struct source *image, struct defaults *out) must_check;

/* The line to put into an image, a new string. */
char *defaults_line(const struct defaults *);

void defaults_free(struct defaults *);
