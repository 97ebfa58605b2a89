/* The C library's memory and string functions, as C11 7.24 states them; on a host they are libc's. */
#pragma once

#include "kernel/lib/base.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* Copy with the NUL, cut to size (> 0); length of from. */
size_t string_copy(char *to, const char *from, size_t size);
bool string_starts_with(const char *s, const char *prefix);

/* An unsigned number in base 10, or 16 after "0x", at *s, moving *s behind it.
 * False when there is no digit or it does not fit; then *s stays. */
bool string_parse_u64(const char **s, uint64_t *out) must_check;
