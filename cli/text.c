/* Growing strings, lists of strings, paths as text. */
#include "cli/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"

static void text_reserve(struct text *t, size_t more)
{
	if (t->len + more + 1 <= t->room)
		return;
	t->room = (t->len + more + 1) * 2;
	t->data = memory_resize(t->data, t->room, 1);
}

void text_add_bytes(struct text *t, const void *bytes, size_t len)
{
	text_reserve(t, len);
	if (len)
		memcpy(t->data + t->len, bytes, len);
	t->len += len;
	t->data[t->len] = 0;
}

void text_add(struct text *t, const char *string)
{
	text_add_bytes(t, string, strlen(string));
}

static void text_format_list(struct text *t, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);

	if (n > 0) {
		text_reserve(t, (size_t)n);
		vsnprintf(t->data + t->len, (size_t)n + 1, format, again);
		t->len += (size_t)n;
	}
	va_end(again);
}

void text_format(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_format_list(t, format, args);
	va_end(args);
}

char *text_take(struct text *t)
{
	text_reserve(t, 0);
	t->data[t->len] = 0;
	char *string = t->data;

	*t = (struct text){0};
	return string;
}

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){0};
}

char *string_format(const char *format, ...)
{
	struct text t = {0};
	va_list args;

	va_start(args, format);
	text_format_list(&t, format, args);
	va_end(args);
	return text_take(&t);
}

bool string_starts(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool string_ends(const char *string, const char *suffix)
{
	size_t len = strlen(string), n = strlen(suffix);

	return len >= n && strcmp(string + len - n, suffix) == 0;
}

void list_add_owned(struct string_list *l, char *string)
{
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		l->items = memory_resize(l->items, l->room, sizeof(l->items[0]));
	}
	l->items[l->n++] = string;
}

void list_add(struct string_list *l, const char *string)
{
	list_add_owned(l, memory_string(string));
}

void list_add_split(struct string_list *l, const char *string, char separator)
{
	while (*string) {
		const char *end = strchr(string, separator);
		size_t len = end ? (size_t)(end - string) : strlen(string);

		if (len)
			list_add_owned(l, memory_bytes(string, len));
		string += len + (end ? 1 : 0);
	}
}

bool list_has(const struct string_list *l, const char *string)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->items[i], string) == 0)
			return true;
	return false;
}

bool list_has_prefix(const struct string_list *l, const char *prefix)
{
	for (size_t i = 0; i < l->n; i++)
		if (string_starts(l->items[i], prefix))
			return true;
	return false;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void list_sort(struct string_list *l)
{
	if (l->n)
		qsort(l->items, l->n, sizeof(l->items[0]), compare_strings);
}

void list_free(struct string_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct string_list){0};
}

/* Adds the parts of path to a buffer that holds a clean path. */
static void add_parts(struct text *out, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0) {
			char *slash = out->data ? strrchr(out->data, '/') : NULL;

			out->len = slash ? (size_t)(slash - out->data) : 0;
			if (out->data)
				out->data[out->len] = 0;
		} else if (len && !(len == 1 && path[0] == '.')) {
			text_add(out, "/");
			text_add_bytes(out, path, len);
		}
		path += len;
		path += *path == '/';
	}
}

char *path_join(const char *base, const char *name)
{
	struct text out = {0};

	if (name[0] != '/')
		add_parts(&out, base);
	add_parts(&out, name);
	if (!out.len)
		text_add(&out, "/");
	return text_take(&out);
}

char *path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return memory_string("/");
	return memory_bytes(path, (size_t)(slash - path));
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool path_is_under(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (len == 1)
		return path[0] == '/';
	return strncmp(path, folder, len) == 0 && (path[len] == 0 || path[len] == '/');
}

int size_parse(const char *text, unsigned long long *bytes)
{
	static const char units[] = "KMGT";
	char *end = NULL;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	double value = strtod(text, &end);
	const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;

	if (unit) {
		for (const char *u = units; u <= unit; u++)
			value *= 1024;
		end++;
		if (*end == 'i')
			end++;
		if (*end == 'B' || *end == 'b')
			end++;
	}
	if (*end || value > 1e18)
		return -EINVAL;
	*bytes = (unsigned long long)value;
	return 0;
}
