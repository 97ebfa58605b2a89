/*
 * inotify(7): an instance is a file with watches and a queue of events to read.
 *
 * Bounds: watches by the machine's memory, events by EVENTS_MAX per instance and EVENT_BYTES_MAX over all.
 */
#include "kernel/fs/inotify.h"

#include "abi/linux/errno.h"
#include "abi/linux/ioctl.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define EVENTS_MAX 16384u
#define EVENT_BYTES_MAX (8u << 20)
#define INSTANCES_MAX 128u
#define UNIT sizeof(struct linux_inotify_event)

struct event {
	struct list link;
	int wd;
	uint32_t mask, cookie, name_len;
	char name[];
};

struct inotify {
	struct wait_queue queue;
	/* under notify_lock: */
	struct list watches, events;
	unsigned n_events;
	size_t n_bytes; /* as read(2) would give them */
	int last_wd;
	struct event overflow; /* on events when list_empty() says no */
};

static atomic_uint n_instances;
static size_t all_event_bytes; /* under notify_lock */

unsigned inotify_max(enum inotify_limit which)
{
	/* As Linux: a hundredth of the memory at 1 KB each. */
	uint64_t watches = page_total() / 100 * (PAGE_SIZE / 1024);
	switch (which) {
	case INOTIFY_EVENTS:
		return EVENTS_MAX;
	case INOTIFY_INSTANCES:
		return INSTANCES_MAX;
	case INOTIFY_WATCHES:
		break;
	}
	return (unsigned)min(max(watches, (uint64_t)8192), (uint64_t)1 << 20);
}

/* --- the queue ------------------------------------------------------------------------------ */

static size_t event_size(const struct event *e)
{
	return UNIT + (e->name_len ? align_up(e->name_len + 1, UNIT) : 0);
}

static bool same_as_last(const struct inotify *n, int wd, unsigned mask, const struct name *name)
{
	if (list_empty(&n->events))
		return false;
	const struct event *last = list_entry(n->events.prev, struct event, link);
	uint32_t len = name ? name->len : 0;
	return last->wd == wd && last->mask == mask && !(mask & IN_IGNORED) &&
	       last->name_len == len && (!len || !memcmp(last->name, name->text, len));
}

static void push(struct inotify *n, struct event *e)
{
	list_push_back(&n->events, &e->link);
	n->n_events++;
	n->n_bytes += event_size(e);
	wait_wake(&n->queue, EPOLLIN | EPOLLRDNORM);
}

void inotify_queue(
	struct inotify *n, int wd, unsigned mask, uint32_t cookie, const struct name *name)
{
	if (same_as_last(n, wd, mask, name))
		return;
	uint32_t len = name ? name->len : 0;
	struct event *e = NULL;
	if (n->n_events < EVENTS_MAX && all_event_bytes + sizeof(*e) + len <= EVENT_BYTES_MAX)
		e = heap_alloc(sizeof(*e) + len);
	if (!e) {
		if (list_empty(&n->overflow.link))
			push(n, &n->overflow);
		return;
	}
	*e = (struct event){.wd = wd, .mask = mask, .cookie = cookie, .name_len = len};
	if (len)
		memcpy(e->name, name->text, len);
	all_event_bytes += sizeof(*e) + len;
	push(n, e);
}

static void drop(struct inotify *n, struct event *e)
{
	if (e == &n->overflow)
		return;
	irq_state state = spin_lock(&notify_lock);
	all_event_bytes -= sizeof(*e) + e->name_len;
	spin_unlock(&notify_lock, state);
	heap_free(e);
}

/* The first event, off the queue, if it fits into size bytes: 0; -EAGAIN, -EINVAL. */
static int take(struct inotify *n, size_t size, struct event **out)
{
	int err = -EAGAIN;
	irq_state state = spin_lock(&notify_lock);
	if (!list_empty(&n->events)) {
		struct event *e = list_first(&n->events, struct event, link);
		err = event_size(e) > size ? -EINVAL : 0;
		if (!err) {
			list_remove(&e->link);
			n->n_events--;
			n->n_bytes -= event_size(e);
			*out = e;
		}
	}
	spin_unlock(&notify_lock, state);
	return err;
}

static int put_event(struct io_buffer *to, const struct event *e)
{
	static const char padding[UNIT];
	uint32_t room = (uint32_t)(event_size(e) - UNIT);
	const struct linux_inotify_event head = {e->wd, e->mask, e->cookie, room};
	int err = io_buffer_put(to, &head, sizeof(head));
	if (!err && room)
		err = io_buffer_put(to, e->name, e->name_len);
	if (!err && room)
		err = io_buffer_put(to, padding, room - e->name_len);
	return err;
}

static long inotify_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct inotify *n = f->object;
	size_t wanted = to->left;
	for (;;) {
		struct event *e = NULL;
		int err = take(n, to->left, &e);
		if (!err) {
			err = put_event(to, e);
			drop(n, e);
			if (!err)
				continue;
		}
		if (to->left < wanted && err != -EFAULT)
			return (long)(wanted - to->left);
		if (err != -EAGAIN || file_nonblocking(f))
			return err;
		err = wait_event_interruptible(
			&n->queue, EPOLLIN, !list_empty(&n->events), NO_DEADLINE);
		if (err < 0)
			return err;
	}
}

static unsigned inotify_poll(struct file *f)
{
	struct inotify *n = f->object;
	return list_empty(&n->events) ? 0 : POLLIN | POLLRDNORM;
}

static long inotify_ioctl(struct file *f, unsigned request, unsigned long argument)
{
	if (request != FIONREAD)
		return -ENOTTY;
	int n = (int)((struct inotify *)f->object)->n_bytes;
	return copy_out(user_at(argument), &n, sizeof(n));
}

/* --- watches -------------------------------------------------------------------------------- */

void watch_detach(struct watch *w, struct list *dead)
{
	struct watch **at = &w->inode->watches;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	list_remove(&w->link);
	list_push_back(dead, &w->link);
	atomic_fetch_sub(&notify_watches, 1);
	inotify_queue(w->owner, w->wd, IN_IGNORED, 0, NULL);
}

void watches_free(struct list *dead)
{
	struct list *item;
	while ((item = list_pop_front(dead))) {
		struct watch *w = list_entry(item, struct watch, link);
		inode_put(w->inode);
		heap_free(w);
	}
}

static struct watch *watch_of(struct inotify *n, struct inode *i)
{
	struct watch *w = i->watches;
	while (w && w->owner != n)
		w = w->next;
	return w;
}

#define KEPT (IN_ALL_EVENTS | IN_UNMOUNT | IN_EXCL_UNLINK | IN_ONESHOT)

/* Under the lock: a watch that is there becomes what mask says. */
static int watch_update(struct watch *w, unsigned mask)
{
	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	w->mask = (mask & IN_MASK_ADD ? w->mask : 0) | (mask & KEPT);
	return w->wd;
}

static int watch_add(struct inotify *n, struct inode *i, unsigned mask, struct watch **spare)
{
	struct watch *w = watch_of(n, i);
	if (w)
		return watch_update(w, mask);
	if (notify_watches >= inotify_max(INOTIFY_WATCHES) || n->last_wd == INT32_MAX)
		return -ENOSPC;
	w = *spare;
	*spare = NULL;
	*w = (struct watch){.next = i->watches, .inode = i, .owner = n, .mask = mask & KEPT};
	w->wd = ++n->last_wd;
	inode_get(i);
	i->watches = w;
	list_push_back(&n->watches, &w->link);
	atomic_fetch_add(&notify_watches, 1);
	return w->wd;
}

static void inotify_release(struct file *f)
{
	struct inotify *n = f->object;
	struct list dead = LIST_INIT(dead), *item;
	irq_state state = spin_lock(&notify_lock);
	while (!list_empty(&n->watches))
		watch_detach(list_first(&n->watches, struct watch, link), &dead);
	spin_unlock(&notify_lock, state);
	watches_free(&dead);
	while ((item = list_pop_front(&n->events)))
		drop(n, list_entry(item, struct event, link));
	heap_free(n);
	atomic_fetch_sub(&n_instances, 1);
}

static int inotify_describe(struct file *f, char *buf, size_t size)
{
	struct inotify *n = f->object;
	struct watch *w;
	struct text t;
	text_init(&t, buf, size);
	irq_state state = spin_lock(&notify_lock);
	list_for_each (w, &n->watches, link)
		text_add(&t, "inotify wd:%x ino:%llx sdev:%llx mask:%x ignored_mask:0\n", w->wd,
			(unsigned long long)w->inode->number,
			(unsigned long long)w->inode->super->device, w->mask & IN_ALL_EVENTS);
	spin_unlock(&notify_lock, state);
	return (int)t.len;
}

static const struct file_ops inotify_ops = {
	.kind = "anon_inode:inotify",
	.read = inotify_read,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.describe = inotify_describe,
	.release = inotify_release,
};

/* read(2) and write(2) of any file that has a name. */
static void transferred(struct file *f, bool written)
{
	if (f->dentry)
		notify_dentry(f->dentry, written ? IN_MODIFY : IN_ACCESS);
}

int inotify_create(uint32_t flags, struct file **out)
{
	if (atomic_fetch_add(&n_instances, 1) >= INSTANCES_MAX) {
		atomic_fetch_sub(&n_instances, 1);
		return -EMFILE;
	}
	struct inotify *n = heap_zalloc(sizeof(*n));
	int err = n ? file_new(&inotify_ops, n, O_RDONLY | (flags & O_NONBLOCK), out) : -ENOMEM;
	if (err < 0) {
		heap_free(n);
		atomic_fetch_sub(&n_instances, 1);
		return err;
	}
	wait_queue_init(&n->queue);
	list_init(&n->watches);
	list_init(&n->events);
	list_init(&n->overflow.link);
	n->overflow.wd = -1;
	n->overflow.mask = IN_Q_OVERFLOW;
	(*out)->ready = &n->queue;
	file_set_transfer_hook(transferred);
	return 0;
}

bool file_is_inotify(const struct file *f)
{
	return f->ops == &inotify_ops;
}

int inotify_add(struct file *f, struct dentry *d, unsigned mask)
{
	struct inode *i = d->inode;
	int err = i ? inode_permission(i, R_OK) : -ENOENT;
	if (err < 0)
		return err;
	struct watch *spare = heap_alloc(sizeof(*spare));
	if (!spare)
		return -ENOMEM;
	irq_state state = spin_lock(&notify_lock);
	int wd = watch_add(f->object, i, mask, &spare);
	spin_unlock(&notify_lock, state);
	heap_free(spare);
	return wd;
}

int inotify_remove(struct file *f, int wd)
{
	struct inotify *n = f->object;
	struct list dead = LIST_INIT(dead);
	struct watch *w, *next;
	int err = -EINVAL;
	irq_state state = spin_lock(&notify_lock);
	list_for_each_safe (w, next, &n->watches, link)
		if (w->wd == wd) {
			watch_detach(w, &dead);
			err = 0;
			break;
		}
	spin_unlock(&notify_lock, state);
	watches_free(&dead);
	return err;
}
