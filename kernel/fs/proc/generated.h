/*
 * /proc and /sys: trees of text made when it is read.  There is no tree in memory: a name is looked for in the tables of
 * struct generated_file (kernel/fs/vfs.h) and, for what only kernel/fs can know, among the special ones of process.c.
 */
#pragma once

#include "kernel/fs/inode.h"

extern const struct filesystem procfs_filesystem, sysfs_filesystem, cgroupfs_filesystem;
int procfs_make(struct super **out) must_check;
int sysfs_make(struct super **out) must_check;
int cgroupfs_make(struct super **out) must_check;

struct generated {
	struct inode inode;                /* first */
	const struct generated_file *file; /* of a file or link */
	char *pattern; /* of a directory: as tables write it, "/proc/self/task/" and "*"; heap */
	int tid;       /* or descriptor: what stands for "*" */
};

static inline struct generated *generated_of(struct inode *i)
{
	return container_of(i, struct generated, inode);
}

/* An inode with ops of its own at a path of the pattern kind. */
struct special {
	const char *path;
	uint32_t mode;
	const struct inode_ops *ops;
	const char *
		pattern; /* a directory that is another name for that one; NULL: it has its own ops */
};
extern const struct special specials[];
extern const unsigned n_specials;

/* A new inode of a generated tree; ops set by the caller when file is NULL. */
struct inode *generated_new(struct super *s, uint32_t mode, const struct generated_file *file,
	int tid, const char *name) must_check;
void proc_files_init(void); /* tell the tables of mounts and such */
int next_task(int from);    /* next tid >= from, or -1 */
