/*
 * What dpkg knows of a Debian system's files: which package a file is from, which packages belong
 * together, and what is in them.  Reads /var/lib/dpkg of a source; other systems have none.
 */
#pragma once

#include "cli/source.h"

struct package {
	char *name, *source, *section, *architecture;
	char *relations; /* Depends, Pre-Depends, Recommends and Suggests, joined by ',' */
	char *list;      /* its files, one per line, a '\n' before the first; NULL = unread */
};

struct packages {
	struct source *files;   /* borrowed */
	struct package **items; /* all installed ones */
	size_t n, room;
	struct map by_name;
};

/* -ENOENT, silently, where there is no dpkg. */
int packages_open(struct source *, struct packages *) must_check;
void packages_free(struct packages *);

/* The package that a file (no symbolic link in its folders) is from; NULL = of none. */
struct package *packages_owner(struct packages *, const char *path);

/*
 * Adds to family the names of package and of what it needs to work, as far as that is its own:
 * packages made from the same source, and modules of the same language.  Libraries of others are
 * the linker's business (closure.h).  Nothing for developers, no documentation.
 */
void packages_add_family(struct packages *, const struct package *, struct string_list *family);

/* The paths in a package, as dpkg lists them. */
void packages_list(struct packages *, const char *name, struct string_list *paths);
