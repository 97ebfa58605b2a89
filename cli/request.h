/*
 * What a person asked an image to hold, and how the program in it is started.  The same request on
 * the same files gives the same image; the text of a request is a cache's key.
 */
#pragma once

#include "cli/inputs.h"
#include "cli/manifest.h"

/* A file or folder of this host that is added: "-f FROM:TO". */
struct addition {
	char *from, *to; /* absolute */
};

struct request {
	char *root;        /* --root, absolute; NULL = take what is needed from the host */
	char *program;     /* absolute, or a name without '/'; NULL = no program */
	char *search_path; /* PATH it is looked up in */
	struct addition *additions;
	size_t n_additions;
	struct string_list
		named_files; /* host files named by arguments: brought to the same path */
	struct string_list library_path; /* of LD_LIBRARY_PATH */
	char *time_zone;                 /* of TZ, or NULL */
	char *folder;    /* the program's working directory is this host's, or NULL */
	char *host_name; /* NULL = \"mote\" */
};

/* How the machine starts the program; what of it depends on the image's files. */
struct launch {
	char *init, *argv0;
	struct string_list prefix; /* arguments before the user's */
	uint64_t least_memory;     /* bytes its data takes before it runs */
};

/* Parses FROM[:TO]; says what is wrong. */
int request_add_file(struct request *, const char *spec) must_check;

/* Everything that decides what the image will hold, as text. */
char *request_key(const struct request *);

/* A manifest ready to be written, and the sources it refers to. */
struct gathering {
	struct manifest manifest;
	struct source *host, *root;
	struct launch launch; /* when there is a program */
};

/*
 * Finds and gathers everything.  Files of the host that were looked at are added to inputs, which
 * must outlive the gathering.  Says what failed; the result tells the kind: -ENOENT for the
 * program, its interpreter or a library, -ENOEXEC and -EACCES when it cannot be run, -EIO for the
 * rest.  *out needs gathering_free() after success only.
 */
int request_gather(const struct request *, struct inputs *, struct gathering *) must_check;
void gathering_free(struct gathering *);
void launch_free(struct launch *);
void request_free(struct request *);
