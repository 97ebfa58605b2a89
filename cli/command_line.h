/* The kernel's command line (abi/boot.h): writing words so that any bytes get through, and reading. */
#pragma once

#include "cli/text.h"

/* Adds KEY or, when value is not NULL, KEY=VALUE as one word, quoted where it must be. */
void command_line_add(struct text *, const char *key, const char *value);

/* Adds a word after "--": quoted as a whole. */
void command_line_add_argument(struct text *, const char *argument);

/*
 * Splits a line into words without their quotes: those before "--" and those behind it.
 * -EINVAL, silently, for a quote without an end or a wrong escape.
 */
int command_line_split(
	const char *line, struct string_list *words, struct string_list *arguments) must_check;
