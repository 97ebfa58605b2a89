/*
 * The list of files an image will hold, before it is written: each path once, with its attributes
 * and where its content comes from.  Folders above a path are always in the list too.
 */
#pragma once

#include <stdint.h>

#include "cli/map.h"
#include "cli/source.h"

struct entry {
	char *path; /* absolute, in the image */
	struct source_stat st;
	char *target;          /* of a symbolic link */
	char *data;            /* the content when there is no source; st.size bytes */
	struct source *source; /* borrowed */
	char *source_path;
};

struct manifest {
	struct map by_path; /* path -> struct entry */
	struct entry **entries;
	size_t n_entries, room;
	int64_t newest_mtime; /* of all files brought: the time of what mote makes itself */
};

struct entry *manifest_find(const struct manifest *, const char *path);

/* Things made here.  What has the path already stays as it is.  Symbolic links that the manifest
 * has are followed in the folders of path. */
void manifest_add_folder(struct manifest *, const char *path, uint32_t permissions);
void manifest_add_link(struct manifest *, const char *path, const char *target);
void manifest_add_data(struct manifest *, const char *path, const void *data, size_t len);

/*
 * Brings path from a source to the same place, with every symbolic link on the way and what they
 * lead to.  *real (if wanted) is where the file itself is.  -Exxx, silently, when it is not there;
 * nothing but links has been added then.  Sockets and pipes are left out without an error.
 */
int manifest_bring(struct manifest *, struct source *, const char *path, char **real) must_check;

enum {
	MANIFEST_SKIP_UNREADABLE = 1, /* leave out what this user may not read */
};

/*
 * Brings a file or a whole folder from a source to another place in the image.  Links inside are
 * kept as they are.  The host's /proc and the like are left out.  Says what cannot be read.
 */
int manifest_bring_tree(struct manifest *, struct source *, const char *from, const char *to,
	unsigned flags) must_check;

/* Sorted so that a folder precedes what it holds; gives all times that are not from a source the
 * newest of the others, or SOURCE_DATE_EPOCH. */
void manifest_finish(struct manifest *);

void manifest_free(struct manifest *);
