/*
 * Files that belong to a program without being linked to it: an interpreter's modules, a server's
 * configuration and data.  From the Debian package where dpkg knows the program, else from the
 * folders beside it that its kind is known to use.
 */
#pragma once

#include "cli/manifest.h"

/* path is the program as it was found; what cannot be read is noted and left out.
 * -Exxx only when the package database is damaged. */
int library_tree_add(struct manifest *, struct source *, const char *path) must_check;
