/*
 * From what happens to who watches: the list of watches an inode carries, and delivery to instances (inotify.c).
 *
 * One spinlock guards all lists and queues: watching is rare, and events are few beside the work that causes them.
 */
#include "kernel/fs/notify.h"

#include "kernel/fs/inotify.h"
#include "kernel/lib/string.h"

atomic_uint notify_watches;
struct spinlock notify_lock;

uint32_t notify_cookie(void)
{
	static atomic_uint next;
	return notify_wanted() ? atomic_fetch_add(&next, 1) + 1 : 0;
}

/* Deliver to each watch of i that wants it; name NULL: about the inode itself.  unlinked: the name is gone already. */
static void deliver(
	struct inode *i, unsigned mask, uint32_t cookie, const struct name *name, bool unlinked)
{
	struct list dead = LIST_INIT(dead);
	irq_state state = spin_lock(&notify_lock);
	for (struct watch *w = i->watches, *next; w; w = next) {
		next = w->next;
		if (!(w->mask & mask & IN_ALL_EVENTS) ||
			(name && unlinked && (w->mask & IN_EXCL_UNLINK)))
			continue;
		inotify_queue(w->owner, w->wd, mask, cookie, name);
		if (w->mask & IN_ONESHOT)
			watch_detach(w, &dead);
	}
	spin_unlock(&notify_lock, state);
	watches_free(&dead);
}

static unsigned with_kind(const struct inode *what, unsigned mask)
{
	return S_ISDIR(what->mode) ? mask | IN_ISDIR : mask;
}

void notify_name_now(struct inode *dir, const struct name *name, const struct inode *what,
	unsigned mask, uint32_t cookie)
{
	if (dir->watches)
		deliver(dir, with_kind(what, mask), cookie, name, false);
}

void notify_self_now(struct inode *i, unsigned mask)
{
	/* That it moved or went needs no kind. */
	if (i->watches)
		deliver(i, mask & (IN_MOVE_SELF | IN_DELETE_SELF) ? mask : with_kind(i, mask), 0,
			NULL, false);
}

/* The directory of d if it is watched, counted, and d's name in it; NULL. */
static struct dentry *watched_parent(struct dentry *d, char text[NAME_MAX], struct name *name)
{
	irq_state state = spin_lock(&dentry_lock);
	struct dentry *parent = d->parent;
	if (parent == d || !parent->inode || !parent->inode->watches ||
		(d->flags & DENTRY_NAMELESS)) {
		parent = NULL;
	} else {
		dentry_get(parent);
		memcpy(text, d->name, d->name_len);
		*name = (struct name){text, d->name_len, 0};
	}
	spin_unlock(&dentry_lock, state);
	return parent;
}

void notify_dentry_now(struct dentry *d, unsigned mask)
{
	char text[NAME_MAX];
	struct name name;
	struct dentry *parent = watched_parent(d, text, &name);
	mask = with_kind(d->inode, mask);
	if (parent) {
		deliver(parent->inode, mask, 0, &name, d->flags & DENTRY_DELETED);
		dentry_put(parent);
	}
	if (d->inode->watches)
		deliver(d->inode, mask, 0, NULL, false);
}

void notify_gone_now(struct inode *i)
{
	struct list dead = LIST_INIT(dead);
	notify_self_now(i, IN_DELETE_SELF);
	irq_state state = spin_lock(&notify_lock);
	while (i->watches)
		watch_detach(i->watches, &dead);
	spin_unlock(&notify_lock, state);
	watches_free(&dead);
}
