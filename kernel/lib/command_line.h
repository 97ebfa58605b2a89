/*
 * The kernel command line cut into words, as abi/boot.h states the grammar: blanks between words,
 * double quotes around blanks, backslash escapes inside quotes.  Stateless; hostile text is fine.
 */
#pragma once

#include "kernel/lib/base.h"

/* The next word at *text, unquoted, into word (cut to size, always ended by NUL); moves *text behind it.
 * Length the whole word has, or -1 at the end.  A NUL byte in an escape ends nothing: it is dropped. */
long command_line_word(const char **text, char *word, size_t size);

/* The value of the last KEY=VALUE word before "--" whose key is key; unquoted, cut to size.
 * True if there was one; false leaves value alone.  A word that is the bare key gives "". */
bool command_line_value(const char *text, const char *key, char *value, size_t size) must_check;

/* The same as a number in base 10, or 16 after 0x. */
bool command_line_number(const char *text, const char *key, uint64_t *out) must_check;
