/*
 * Where the files of an image come from: this host, a folder, a tar archive or an ext4 image, all
 * read the same way.  Paths are absolute inside the source; a source never looks outside itself,
 * whatever its symbolic links say.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/inputs.h"
#include "cli/text.h"

struct source_stat {
	uint32_t mode; /* type and permissions, as st_mode */
	uint32_t uid, gid;
	uint64_t size;
	int64_t mtime; /* seconds since 1970, and the rest */
	uint32_t mtime_ns;
	uint32_t major, minor; /* of a device */
	bool is_unreadable;    /* a file whose content this user may not have */
};

struct source;
struct source_file;

/* All results are >= 0 or -Exxx, silently: the caller knows what the file was wanted for.
 * In path no folder is a symbolic link; its last part may be one and is not followed. */
struct source_ops {
	int (*stat)(struct source *, const char *path, struct source_stat *);
	int (*read_link)(struct source *, const char *path, char **target);
	int (*open)(struct source *, const char *path, struct source_file **);
	ssize_t (*read)(struct source_file *, uint64_t offset, void *buf, size_t len);
	void (*close)(struct source_file *);
	int (*list)(struct source *, const char *path, struct string_list *names);
	void (*free)(struct source *);
};

struct source {
	const struct source_ops *ops;
	char *name;         /* for messages: "this host" or the name of the archive */
	bool is_unrecorded; /* what is read now is no input of the image */
};

struct source_file {
	struct source *source;
	uint64_t size;
};

/* This host's files below folder ("/" for the host itself).  What is used is added to inputs. */
int source_open_host(const char *folder, struct inputs *, struct source **) must_check;

/* A folder, tar archive or ext4 image, told apart by content.  Says what is wrong with it. */
int source_open_any(const char *path, struct inputs *, struct source **) must_check;
int source_open_tar(const char *path, struct source **) must_check;
int source_open_image(const char *path, struct source **) must_check;
void source_free(struct source *);

int source_stat(struct source *, const char *path, struct source_stat *) must_check;
int source_read_link(struct source *, const char *path, char **target) must_check;
int source_open(struct source *, const char *path, struct source_file **) must_check;
int source_list(struct source *, const char *path, struct string_list *names) must_check;

/* Reads all of len or fails: -EIO also when the file ends before. */
int source_read(struct source_file *, uint64_t offset, void *buf, size_t len) must_check;
void source_close(struct source_file *);

/* The whole of a file of at most max bytes (-EFBIG above), with a NUL behind. */
int source_read_all(
	struct source *, const char *path, size_t max, char **data, size_t *len) must_check;

/* Called for every symbolic link on the way; path is the link's, target its text. */
typedef void source_link_visitor(void *context, const char *path, const char *target);

/* path with every symbolic link followed; *real may then be missing only if the result says so.
 * visit may be NULL. */
int source_resolve(struct source *, const char *path, source_link_visitor *visit, void *context,
	char **real) must_check;
