/*
 * The tree in memory: tmpfs, and, over a read-only tree, the overlay that takes the writes.
 *
 * It is one file system.  A directory has entries of its own; with a lower directory beneath it, names without an
 * entry are looked for there, and an entry without an inode (a whiteout) says that the lower name is gone.  A regular
 * file with a lower file beneath shows that one's pages, until it is opened for writing; from then on it has pages of
 * its own, each filled from below when it is first needed.  So nothing is ever copied that is not touched, and a
 * directory of the lower tree can be renamed like any other.
 *
 * Inodes with something beneath have its number and are found by it, so hard links below remain one file.  They are kept
 * in memory from their first change on ("pinned").
 */
#pragma once

#include "kernel/fs/inode.h"

/* A name in a directory, under the directory's lock. */
struct entry {
	struct tree_node by_name, by_position;
	struct inode *inode; /* counted; NULL: a whiteout */
	uint64_t position;
	bool over_lower; /* the lower directory has this name: when it goes, a whiteout stays */
	uint32_t hash, len;
	char text[];
};

struct node {
	struct inode inode;  /* first */
	struct inode *lower; /* overlay: what is beneath, counted, or NULL */
	/* of directories: */
	struct tree by_name, by_position;
	uint64_t next_position;
	/* of symbolic links without lower: */
	char *target;
	/* of regular files: */
	uint64_t lower_size;        /* bytes of lower that still show */
	_Atomic uint64_t n_charged; /* pages */
	bool pinned;
	bool attributes_own; /* the lower inode's extended attributes do not show any more */
	struct attribute *attributes;
	uint64_t n_attribute_bytes;
};

struct tmpfs {
	uint64_t limit; /* pages */
	_Atomic uint64_t n_used;
	_Atomic uint64_t next_number;
	_Atomic uint64_t n_attribute_bytes;
	struct super *lower; /* overlay */
};

extern const struct filesystem tmpfs_filesystem, overlay_filesystem;

/* A tmpfs of at most so many bytes; its root has mode 1777. */
int tmpfs_make(uint64_t limit_bytes, struct super **out) must_check;
/* A regular file without a name in it; n_links 0. */
int tmpfs_nameless(
	struct super *s, const struct inode_request *request, struct inode **out) must_check;
/* While nobody else sees the tree: a name, whatever the lower tree has there. */
int tmpfs_plant(struct inode *dir, const char *name, const struct inode_request *request,
	struct inode **out) must_check;
/* The tree of lower with writes kept in memory. */
int overlay_make(struct super *lower, struct super **out) must_check;

/* node.c */
static inline struct node *node_of(struct inode *i)
{
	return container_of(i, struct node, inode);
}
struct inode *node_new(struct super *s, const struct inode_request *request) must_check;
void node_free(struct inode *i);    /* super_ops.inode_release */
void node_pin(struct node *n);      /* changed: keep it in memory */
void node_unlinked(struct node *n); /* a link went */
/* Pages for data: -ENOSPC. */
int node_charge(struct node *n) must_check;
void node_uncharge(struct node *n); /* after pages went */
extern const struct inode_ops node_directory_ops, node_file_ops, node_link_ops, node_other_ops;
const struct inode_ops *node_ops(uint32_t mode);
extern const struct super_ops tmpfs_super_ops;
int tmpfs_statfs(struct super *s, struct linux_statfs *out);

/* entry.c: all with the directory's lock held. */
struct entry *entry_find(struct node *dir, const struct name *name);
/* Point name at inode (takes a reference; NULL: whiteout); what was there is dropped.  over_lower: for a new entry. */
int entry_set(
	struct node *dir, const struct name *name, struct inode *inode, bool over_lower) must_check;
/* Make sure entry_set() of that name can not fail: an entry is there, or one is kept for it. */
struct entry *entry_prepare(struct node *dir, const struct name *name, bool over_lower) must_check;
void entry_commit(struct node *dir, struct entry *e, struct inode *inode);
void entry_discard(struct node *dir, struct entry *e); /* not committed after all */
/* The name goes: the entry, or a whiteout takes its place. */
void entry_remove(struct node *dir, struct entry *e);
void entries_free(struct node *dir);

/* attribute.c: inode_ops.xattr_... */
long node_xattr_get(struct inode *i, const char *name, void *value, size_t size);
int node_xattr_set(struct inode *i, const char *name, const void *value, size_t len, int flags);
long node_xattr_list(struct inode *i, char *list, size_t size);
void attributes_free(struct node *n);

/* overlay.c; n->lower is set. */
int overlay_lookup(struct node *dir, const struct name *name, struct inode **out) must_check;
/* Names of the lower directory that no entry hides, up to *position; true: all of them are out. */
int overlay_list(
	struct node *dir, uint64_t *position, struct directory_sink *sink, bool *done) must_check;
int overlay_check_empty(struct node *dir) must_check; /* -ENOTEMPTY */
int overlay_prepare_write(struct inode *i);
int overlay_punch(struct node *n, uint64_t start, uint64_t end) must_check;
