/*
 * Strings: a buffer that grows, a list of strings, and paths.  All own their memory; a zeroed
 * struct is empty and valid.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/report.h"

struct text {
	char *data; /* NUL behind the last byte; NULL while empty */
	size_t len, room;
};

void text_add(struct text *, const char *string);
void text_add_bytes(struct text *, const void *bytes, size_t len);
void text_format(struct text *, const char *format, ...) printf_like(2, 3);
char *text_take(struct text *); /* the string, the caller's from now on; never NULL */
void text_free(struct text *);

/* A new string, as asprintf(). */
char *string_format(const char *format, ...) printf_like(1, 2);

bool string_starts(const char *string, const char *prefix);
bool string_ends(const char *string, const char *suffix);

struct string_list {
	char **items;
	size_t n, room;
};

void list_add(struct string_list *, const char *string); /* copies */
void list_add_owned(struct string_list *, char *string); /* takes over */
void list_add_split(struct string_list *, const char *string, char separator);
bool list_has(const struct string_list *, const char *string);
bool list_has_prefix(const struct string_list *, const char *prefix); /* of one of them */
void list_sort(struct string_list *);
void list_free(struct string_list *);

/* base and name joined, without "//", "/./" and "/../" (taken as text); absolute when base is. */
char *path_join(const char *base, const char *name);

/* The folder of an absolute path ("/" for "/x"), a new string; and the part behind the last '/'. */
char *path_folder(const char *path);
const char *path_name(const char *path);

/* path is folder itself or lies below it. */
bool path_is_under(const char *path, const char *folder);

/* "256M", "1.5G", "65536": bytes.  -EINVAL, silently, when it is no size. */
int size_parse(const char *text, unsigned long long *bytes) must_check;
