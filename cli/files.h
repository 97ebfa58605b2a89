/* Files of state: replaced as a whole, locked, removed with all that is in them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/report.h"

enum {
	FILE_SYNC = 1, /* on the disk before it has its name */
};

/* All of it under a temporary name, then renamed.  Silent. */
int file_replace(
	int folder, const char *name, const char *bytes, size_t len, unsigned flags) must_check;

/* The whole file, a new string; NULL, silently, when it is not there or longer than max. */
char *file_read(int folder, const char *name, size_t max);

/* A write lock of the open file description (fcntl(2), F_OFD_SETLK), and whether another has it.
 * -EAGAIN when another has it and it is not waited for. */
int file_lock(int fd, bool wait) must_check;
bool file_is_locked(int fd);

/* A folder and what is in it, links not followed; what cannot be removed stays, silently. */
void file_remove_tree(int folder, const char *name);

/* The line was written whole, or nothing of it was: false. */
bool file_write_all(int fd, const char *bytes, size_t len);
