/*
 * The files of this host that an image was made from, each with a stamp that changes when the file
 * does: what tells a cached image from a stale one.  Names looked for and not found are inputs too.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "cli/map.h"
#include "cli/text.h"

struct inputs {
	struct map seen;
	struct text lines; /* one "KIND STAMP PATH" line per input, see inputs.c */
};

/* A file, link or device whose content or target was used; a folder that was only walked through
 * (its kind counts, its entries do not). */
void inputs_add(struct inputs *, const char *path, const struct stat *);

/* A folder whose list of entries was used. */
void inputs_add_listing(struct inputs *, const char *path, const struct stat *);

/* Nothing was there. */
void inputs_add_absent(struct inputs *, const char *path);

/* Whether everything in lines (a struct inputs' text) is still as it was. */
bool inputs_unchanged(const char *lines);

void inputs_free(struct inputs *);
