/* Columns for people: as wide as they must be; the titles in bold on a terminal. */
#pragma once

#include "cli/text.h"

struct table {
	struct string_list cells;
	size_t n_columns;
};

void table_open(struct table *, const char *const titles[], size_t n);
void table_add(struct table *, const char *cell); /* row by row; control characters become '?' */
void table_add_number(struct table *, long long);

/* Prints and frees it. */
void table_print(struct table *);

/* stdout is a terminal that may be written to in colours (NO_COLOR is not set, TERM not dumb). */
bool table_has_colours(void);
