/* Two blanks between columns. */
#include "cli/table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/memory.h"

bool table_has_colours(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

void table_open(struct table *t, const char *const titles[], size_t n)
{
	*t = (struct table){.n_columns = n};
	for (size_t i = 0; i < n; i++)
		table_add(t, titles[i]);
}

void table_add(struct table *t, const char *cell)
{
	list_add(&t->cells, cell);
	for (char *c = t->cells.items[t->cells.n - 1]; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
}

void table_add_number(struct table *t, long long n)
{
	list_add_owned(&t->cells, string_format("%lld", n));
}

void table_print(struct table *t)
{
	size_t *width = memory_new(t->n_columns, sizeof(width[0]));
	bool bold = table_has_colours();

	for (size_t i = 0; i < t->cells.n; i++) {
		size_t len = strlen(t->cells.items[i]);

		if (width[i % t->n_columns] < len)
			width[i % t->n_columns] = len;
	}
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t column = i % t->n_columns;
		bool is_last = column == t->n_columns - 1;

		if (bold && i == 0)
			fputs("\033[1m", stdout);
		printf("%-*s%s", is_last ? 0 : (int)width[column], t->cells.items[i],
			is_last ? "" : "  ");
		if (bold && i == t->n_columns - 1)
			fputs("\033[0m", stdout);
		if (is_last)
			putchar('\n');
	}
	free(width);
	list_free(&t->cells);
}
