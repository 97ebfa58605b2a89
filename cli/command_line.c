/* Quoting as abi/boot.h has it. */
#include "cli/command_line.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"

static bool is_plain(const char *value)
{
	for (const char *c = value; *c; c++)
		if (!isgraph((unsigned char)*c) || *c == '"' || *c == '\\')
			return false;
	return value[0] != 0;
}

static void add_quoted(struct text *t, const char *value)
{
	text_add(t, "\"");
	for (const char *c = value; *c; c++) {
		if (*c == '"' || *c == '\\')
			text_format(t, "\\%c", *c);
		else if (*c == '\n')
			text_add(t, "\\n");
		else if (*c == '\t')
			text_add(t, "\\t");
		else if (isprint((unsigned char)*c))
			text_add_bytes(t, c, 1);
		else
			text_format(t, "\\x%02x", (unsigned char)*c);
	}
	text_add(t, "\"");
}

static void add_space(struct text *t)
{
	if (t->len)
		text_add(t, " ");
}

void command_line_add(struct text *t, const char *key, const char *value)
{
	add_space(t);
	text_add(t, key);
	if (!value)
		return;
	text_add(t, "=");
	if (is_plain(value))
		text_add(t, value);
	else
		add_quoted(t, value);
}

void command_line_add_argument(struct text *t, const char *argument)
{
	add_space(t);
	if (is_plain(argument))
		text_add(t, argument);
	else
		add_quoted(t, argument);
}

/* Reads an escape behind its backslash; -1 when it is wrong. */
static int read_escape(const char **at)
{
	char c = *(*at)++;

	switch (c) {
	case '"':
	case '\\':
		return c;
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'x':
		if (isxdigit((unsigned char)(*at)[0]) && isxdigit((unsigned char)(*at)[1])) {
			char hex[3] = {(*at)[0], (*at)[1], 0};

			*at += 2;
			return (int)strtol(hex, NULL, 16);
		}
		break;
	}
	return -1;
}

/* Reads one word from *at, which is no blank; *quoted tells whether any of it was in quotes. */
static int read_word(const char **at, struct text *word, bool *quoted)
{
	bool inside = false;

	while (**at && (inside || !isspace((unsigned char)**at))) {
		char c = *(*at)++;

		if (c == '"') {
			inside = !inside;
			*quoted = true;
		} else if (c == '\\' && inside) {
			int byte = read_escape(at);

			if (byte <= 0)
				return -EINVAL;
			text_add_bytes(word, &(char){(char)byte}, 1);
		} else {
			text_add_bytes(word, &c, 1);
		}
	}
	return inside ? -EINVAL : 0;
}

int command_line_split(const char *line, struct string_list *words, struct string_list *arguments)
{
	struct string_list *list = words;

	for (;;) {
		struct text word = {0};
		bool quoted = false;

		while (isspace((unsigned char)*line))
			line++;
		if (!*line)
			return 0;
		int err = read_word(&line, &word, &quoted);
		char *string = text_take(&word);

		if (err < 0) {
			free(string);
			return err;
		}
		if (list == words && !quoted && strcmp(string, "--") == 0) {
			list = arguments;
			free(string);
		} else {
			list_add_owned(list, string);
		}
	}
}
