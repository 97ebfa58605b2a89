/* Instances of inotify(7) and their watches: between notify.c and inotify.c. */
#pragma once

#include "kernel/fs/notify.h"

struct inotify;

extern struct spinlock notify_lock;

/* All under notify_lock. */
struct watch {
	struct watch *next;  /* of the same inode */
	struct list link;    /* of the same instance */
	struct inode *inode; /* counted */
	struct inotify *owner;
	int wd;
	uint32_t mask; /* events and IN_EXCL_UNLINK, IN_ONESHOT */
};

/* Under notify_lock: an event into the instance's queue; one like the last is dropped, one too many becomes
 * IN_Q_OVERFLOW. */
void inotify_queue(
	struct inotify *n, int wd, unsigned mask, uint32_t cookie, const struct name *name);
/* Under notify_lock: the watch ends, with IN_IGNORED; it goes into dead, for watches_free() without the lock. */
void watch_detach(struct watch *w, struct list *dead);
void watches_free(struct list *dead);
