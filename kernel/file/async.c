/*
 * O_ASYNC.  A waiter hangs on the file's queue and sends a signal with every announcement.  Kinds whose queue is announced
 * by signals themselves (signalfd) or that Linux leaves out (eventfd, epoll) only keep the flag.
 */
#include "kernel/file/async.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

struct async {
	struct waiter waiter;
	struct file_owner owner; /* words are read one by one without a lock: each is valid */
	bool waiting;
};

static void (*sender)(const struct file_owner *to, unsigned events);
static struct mutex change_lock;

void async_set_sender(void (*send)(const struct file_owner *to, unsigned events))
{
	mutex_init(&change_lock);
	sender = send;
}

static bool async_wake(struct waiter *w, unsigned events)
{
	struct async *a = container_of(w, struct async, waiter);
	if (a->owner.id)
		sender(&a->owner, events);
	return false;
}

static bool tells(const struct file *f)
{
	static const char *const kinds[] = {
		"pipe", "socket", "console", "tty", "pty", "anon_inode:inotify"};
	for (size_t n = 0; n < array_size(kinds); n++)
		if (!strcmp(f->ops->kind, kinds[n]))
			return f->ready;
	return false;
}

/* Under change_lock: the file's record, made if need be; NULL: out of memory. */
static struct async *async_of(struct file *f)
{
	if (!f->async) {
		struct async *a = heap_zalloc(sizeof(*a));
		if (a)
			a->owner.type = F_OWNER_PID;
		f->async = a;
	}
	return f->async;
}

int async_changed(struct file *f, int fd)
{
	bool on = f->flags & O_ASYNC;
	if (!tells(f) || (!on && !f->async))
		return 0;
	mutex_lock(&change_lock);
	struct async *a = async_of(f);
	if (a && on && !a->waiting) {
		a->owner.fd = fd;
		a->waiter = (struct waiter){.events = EVENTS_ALL, .wake = async_wake};
		wait_add(f->ready, &a->waiter);
	} else if (a && !on && a->waiting) {
		wait_remove(f->ready, &a->waiter);
	}
	if (a)
		a->waiting = on;
	mutex_unlock(&change_lock);
	return a ? 0 : -ENOMEM;
}

void async_forget(struct file *f)
{
	struct async *a = f->async;
	if (a->waiting)
		wait_remove(f->ready, &a->waiter);
	f->async = NULL;
	heap_free(a);
}

void async_set_owner(struct file *f, int type, int id)
{
	mutex_lock(&change_lock);
	struct async *a = async_of(f);
	if (a) {
		a->owner.type = type;
		a->owner.id = id;
	}
	mutex_unlock(&change_lock);
}

void async_set_signal(struct file *f, int signal)
{
	mutex_lock(&change_lock);
	struct async *a = async_of(f);
	if (a)
		a->owner.signal = signal;
	mutex_unlock(&change_lock);
}

struct file_owner async_owner(struct file *f)
{
	struct file_owner owner = {.type = F_OWNER_PID};
	mutex_lock(&change_lock);
	if (f->async)
		owner = ((struct async *)f->async)->owner;
	mutex_unlock(&change_lock);
	return owner;
}
