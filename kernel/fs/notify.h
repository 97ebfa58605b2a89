/*
 * Where kernel/fs tells what happens to names and inodes, for inotify(7).  While nothing is watched each of these is
 * one load and a branch.  None sleeps; the caller holds references on what it names.
 */
#pragma once

#include "abi/linux/inotify.h"
#include "kernel/fs/internal.h"

extern atomic_uint notify_watches; /* of all instances */

static inline bool notify_wanted(void)
{
	return unlikely(atomic_load_explicit(&notify_watches, memory_order_relaxed));
}

/* Bodies of the functions below, in notify.c. */
void notify_name_now(struct inode *dir, const struct name *name, const struct inode *what,
	unsigned mask, uint32_t cookie);
void notify_self_now(struct inode *i, unsigned mask);
void notify_dentry_now(struct dentry *d, unsigned mask);
void notify_gone_now(struct inode *i);
uint32_t notify_cookie(void);

/* Something about the name in the directory: created, deleted, moved (cookie joins the two halves). */
static inline void notify_name(struct inode *dir, const struct name *name, const struct inode *what,
	unsigned mask, uint32_t cookie)
{
	if (notify_wanted())
		notify_name_now(dir, name, what, mask, cookie);
}

/* About the inode, whatever its name. */
static inline void notify_self(struct inode *i, unsigned mask)
{
	if (notify_wanted())
		notify_self_now(i, mask);
}

/* About the inode under this name: its watchers and its directory's. */
static inline void notify_dentry(struct dentry *d, unsigned mask)
{
	if (notify_wanted())
		notify_dentry_now(d, mask);
}

/* A name of it leaves memory; if it was the last, the inode is gone. */
static inline void notify_gone(struct inode *i)
{
	if (notify_wanted() && !i->n_links)
		notify_gone_now(i);
}
