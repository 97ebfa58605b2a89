/* A ring of cut lines. */
#include "cli/last_lines.h"

#include <string.h>

#include "cli/text.h"

void last_lines_keep(struct last_lines *l, const char *text, size_t len)
{
	char *to = l->lines[l->n++ % LAST_LINES];

	if (len >= LAST_LINE_MAX)
		len = LAST_LINE_MAX - 1;
	memcpy(to, text, len);
	to[len] = 0;
}

json_t *last_lines_json(const struct last_lines *l, const char **crash)
{
	unsigned n = l->n < LAST_LINES ? l->n : LAST_LINES;
	json_t *lines = json_array();

	*crash = NULL;
	for (unsigned i = l->n - n; i < l->n; i++) {
		const char *line = l->lines[i % LAST_LINES];

		if (string_starts(line, "mote: "))
			*crash = line;
		/* not UTF-8: it can not be told in JSON */
		json_array_append_new(lines, json_string(line) ?: json_string("?"));
	}
	return lines;
}
