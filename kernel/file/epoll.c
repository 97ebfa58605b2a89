/*
 * epoll(7).  An interest hangs a waiter on the file's queue.  When the file announces an event, the waiter puts the interest
 * on its epoll's ready list; epoll_wait() looks only at that list, asks each file what holds now, and puts
 * level-triggered interests back for the next look.  So waiting costs what is ready, not what is watched.
 *
 * Locks, outermost first:
 *     nest_lock      who watches whom among epolls, so that no loop arises
 *     teardown_lock  end of a file against end of an epoll
 *     epoll.lock     the interests; parent before child.  While it is held, no watched file is freed
 *     (locks inside file_ops.poll; a file's wait queue)
 *     epoll.ready_lock, file.watchers_lock
 * ready_lock is taken by wakers under their queue's lock, so nothing is polled under it.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/format.h"
#include "kernel/mem/heap.h"

#define EPOLL_NESTING_MAX 5u
#define EPOLL_ALWAYS (EPOLLERR | EPOLLHUP)
#define EPOLL_MODES (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)
#define EPOLL_EXCLUSIVE_MAY                                                                        \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct epoll {
	struct file *file;
	struct mutex lock;
	/* under lock: */
	struct list interests;
	struct wait_queue sleepers; /* in epoll_wait() */
	struct wait_queue watchers; /* poll() of the epoll itself */
	struct spinlock ready_lock;
	/* under ready_lock: */
	struct list ready;
};

struct interest {
	struct waiter waiter; /* in file->ready */
	struct epoll *epoll;
	struct file *file; /* not counted: its end takes the interest away */
	int fd;
	struct list epoll_link; /* epoll->interests */
	struct list file_link;  /* file->watchers */
	struct list ready_link; /* epoll->ready; under ready_lock */
	/* under epoll->lock: */
	_Atomic uint32_t events;
	uint64_t data;
	uint64_t pass; /* the last collection that reported it */
};

static struct mutex nest_lock, teardown_lock;
static const struct file_ops epoll_ops;
static _Atomic uint64_t next_pass = 1;

static bool epoll_has_ready(struct epoll *e)
{
	return !list_empty(&e->ready);
}

static void interest_make_ready(struct interest *i)
{
	struct epoll *e = i->epoll;
	irq_state state = spin_lock(&e->ready_lock);
	if (list_empty(&i->ready_link))
		list_push_back(&e->ready, &i->ready_link);
	spin_unlock(&e->ready_lock, state);
}

static void epoll_announce(struct epoll *e)
{
	wait_wake(&e->sleepers, EPOLLIN);
	wait_wake(&e->watchers, EPOLLIN);
}

/* From the file's queue, any context. */
static bool interest_wake(struct waiter *w, unsigned events)
{
	struct interest *i = container_of(w, struct interest, waiter);
	if (!(i->events & ~EPOLL_MODES & (events | EPOLL_ALWAYS)))
		return false; /* spent EPOLLONESHOT */
	struct epoll *e = i->epoll;
	bool awaited = !list_empty(&e->sleepers.waiters) || !list_empty(&e->watchers.waiters);
	interest_make_ready(i);
	epoll_announce(e);
	return awaited;
}

static void interest_unready(struct interest *i)
{
	irq_state state = spin_lock(&i->epoll->ready_lock);
	list_remove(&i->ready_link);
	spin_unlock(&i->epoll->ready_lock, state);
}

static void interest_watch(struct interest *i)
{
	i->waiter.flags = i->events & EPOLLEXCLUSIVE ? WAIT_EXCLUSIVE : 0;
	i->waiter.events = i->events & ~EPOLL_MODES;
	i->waiter.wake = interest_wake;
	if (i->file->ready)
		wait_add(i->file->ready, &i->waiter);
}

static void interest_unwatch(struct interest *i)
{
	if (i->file->ready)
		wait_remove(i->file->ready, &i->waiter);
}

/* Under epoll->lock: what of interest holds now. */
static unsigned interest_poll(struct interest *i)
{
	unsigned wanted = i->events & ~EPOLL_MODES;
	return wanted ? file_poll(i->file) & wanted : 0; /* none: a spent EPOLLONESHOT */
}

/* Under epoll->lock. */
static void interest_free(struct interest *i)
{
	interest_unwatch(i);
	irq_state state = spin_lock(&i->file->watchers_lock);
	list_remove(&i->file_link);
	spin_unlock(&i->file->watchers_lock, state);
	interest_unready(i);
	list_remove(&i->epoll_link);
	heap_free(i);
}

/* Under epoll->lock.  Files have few watchers, so their list is searched, not the epoll's. */
static struct interest *interest_find(struct epoll *e, int fd, struct file *f)
{
	struct interest *i, *found = NULL;
	irq_state state = spin_lock(&f->watchers_lock);
	list_for_each (i, &f->watchers, file_link)
		if (i->epoll == e && i->fd == fd) {
			found = i;
			break;
		}
	spin_unlock(&f->watchers_lock, state);
	return found;
}

/* Take the first of the ready list off it; NULL: none. */
static struct interest *epoll_pop(struct epoll *e)
{
	irq_state state = spin_lock(&e->ready_lock);
	struct list *item = list_pop_front(&e->ready);
	spin_unlock(&e->ready_lock, state);
	return item ? list_entry(item, struct interest, ready_link) : NULL;
}

/* Under epoll->lock: after reporting. */
static void interest_reported(struct interest *i, uint64_t pass)
{
	i->pass = pass;
	if (i->events & EPOLLONESHOT)
		i->events &= EPOLL_MODES;
	else if (!(i->events & EPOLLET))
		interest_make_ready(i);
}

static long epoll_collect(struct epoll *e, struct linux_epoll_event *out, unsigned max)
{
	long n = 0;
	mutex_lock(&e->lock);
	uint64_t pass = atomic_fetch_add_explicit(&next_pass, 1, memory_order_relaxed);
	struct interest *i;
	while (n < (long)max && (i = epoll_pop(e))) {
		if (i->pass == pass) { /* came round again: once per call is enough */
			interest_make_ready(i);
			break;
		}
		unsigned events = interest_poll(i);
		if (!events)
			continue;
		out[n++] = (struct linux_epoll_event){events, i->data};
		interest_reported(i, pass);
	}
	mutex_unlock(&e->lock);
	/* What is left is for another thread. */
	if (n && epoll_has_ready(e))
		wait_wake(&e->sleepers, EPOLLIN);
	return n;
}

long epoll_wait_events(
	struct file *epoll, struct linux_epoll_event *out, unsigned max, uint64_t deadline_ns)
{
	if (epoll->ops != &epoll_ops || !max)
		return -EINVAL;
	struct epoll *e = epoll->object;
	for (;;) {
		long n = epoll_has_ready(e) ? epoll_collect(e, out, max) : 0;
		if (n || deadline_ns == 0)
			return n;
		int err = wait_event_exclusive(
			&e->sleepers, EPOLLIN, epoll_has_ready(e), deadline_ns);
		if (err < 0)
			return err == -ETIMEDOUT ? 0 : err;
	}
}

/* Readable when some interest is.  Never sleeps: while another thread works on the list, its being there counts. */
static unsigned epoll_poll(struct file *f)
{
	struct epoll *e = f->object;
	if (!epoll_has_ready(e))
		return 0;
	if (!mutex_try_lock(&e->lock))
		return POLLIN | POLLRDNORM;
	unsigned events = 0;
	struct interest *i;
	while (!events && (i = epoll_pop(e)))
		if (interest_poll(i)) {
			interest_make_ready(i);
			events = POLLIN | POLLRDNORM;
		}
	mutex_unlock(&e->lock);
	return events;
}

static struct epoll *epoll_of(struct file *f)
{
	return f->ops == &epoll_ops ? f->object : NULL;
}

/* Under nest_lock.  Longest chain of epolls below e, e counted; -ELOOP when `forbidden` is among them. */
static int epoll_depth(struct epoll *e, struct epoll *forbidden, unsigned level)
{
	int deepest = 0;
	if (e == forbidden || level > EPOLL_NESTING_MAX)
		return -ELOOP;
	mutex_lock(&e->lock);
	struct interest *i;
	list_for_each (i, &e->interests, epoll_link) {
		struct epoll *below = epoll_of(i->file);
		int depth = below ? epoll_depth(below, forbidden, level + 1) : 0;
		if (depth < 0) {
			deepest = depth;
			break;
		}
		deepest = max(deepest, depth);
	}
	mutex_unlock(&e->lock);
	return deepest < 0 ? deepest : deepest + 1;
}

/* Under nest_lock: the longest chain of epolls above the file, itself counted.  Nesting is never deeper than
 * EPOLL_NESTING_MAX, nor is this recursion. */
static unsigned epoll_height(struct file *f)
{
	unsigned highest = 0;
	struct interest *i;
	irq_state state = spin_lock(&f->watchers_lock);
	list_for_each (i, &f->watchers, file_link)
		highest = max(highest, epoll_height(i->epoll->file));
	spin_unlock(&f->watchers_lock, state);
	return highest + 1;
}

static int epoll_check_nesting(struct file *epoll, struct epoll *below)
{
	int depth = epoll_depth(below, epoll->object, 1);
	if (depth < 0)
		return depth;
	return epoll_height(epoll) + (unsigned)depth > EPOLL_NESTING_MAX ? -ELOOP : 0;
}

/* Under epoll->lock. */
static int epoll_add(struct epoll *e, int fd, struct file *f, uint32_t events, uint64_t data)
{
	if (interest_find(e, fd, f))
		return -EEXIST;
	if ((events & EPOLLEXCLUSIVE) && ((events & ~EPOLL_EXCLUSIVE_MAY) || epoll_of(f)))
		return -EINVAL;
	struct interest *i = heap_zalloc(sizeof(*i));
	if (!i)
		return -ENOMEM;
	i->epoll = e;
	i->file = f;
	i->fd = fd;
	i->events = events | EPOLL_ALWAYS;
	i->data = data;
	list_init(&i->ready_link);
	list_push_back(&e->interests, &i->epoll_link);
	irq_state state = spin_lock(&f->watchers_lock);
	list_push_back(&f->watchers, &i->file_link);
	spin_unlock(&f->watchers_lock, state);
	interest_watch(i);
	if (interest_poll(i)) {
		interest_make_ready(i);
		epoll_announce(e);
	}
	return 0;
}

/* Under epoll->lock. */
static int epoll_modify(struct interest *i, uint32_t events, uint64_t data)
{
	if ((i->events | events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	interest_unwatch(i);
	i->events = events | EPOLL_ALWAYS;
	i->data = data;
	interest_watch(i);
	if (interest_poll(i)) {
		interest_make_ready(i);
		epoll_announce(i->epoll);
	}
	return 0;
}

static int epoll_apply(
	struct epoll *e, int operation, int fd, struct file *f, uint32_t events, uint64_t data)
{
	if (operation == EPOLL_CTL_ADD)
		return epoll_add(e, fd, f, events, data);
	struct interest *i = interest_find(e, fd, f);
	if (!i)
		return -ENOENT;
	if (operation == EPOLL_CTL_MOD)
		return epoll_modify(i, events, data);
	interest_free(i);
	return 0;
}

int epoll_control(struct file *epoll, int operation, int fd, struct file *target, uint32_t events,
	uint64_t data)
{
	if (target->flags & O_PATH)
		return -EBADF;
	if (!target->ops->poll)
		return -EPERM;
	if (epoll == target || epoll->ops != &epoll_ops)
		return -EINVAL;
	if (operation < EPOLL_CTL_ADD || operation > EPOLL_CTL_MOD)
		return -EINVAL;
	struct epoll *e = epoll->object, *below = epoll_of(target);
	bool nesting = below && operation == EPOLL_CTL_ADD;
	int err = 0;
	if (nesting) {
		mutex_lock(&nest_lock);
		err = epoll_check_nesting(epoll, below);
	}
	if (!err) {
		mutex_lock(&e->lock);
		err = epoll_apply(e, operation, fd, target, events, data);
		mutex_unlock(&e->lock);
	}
	if (nesting)
		mutex_unlock(&nest_lock);
	return err;
}

void epoll_forget(struct file *f)
{
	mutex_lock(&teardown_lock);
	while (!list_empty(&f->watchers)) {
		struct interest *i = list_first(&f->watchers, struct interest, file_link);
		struct epoll *e = i->epoll;
		mutex_lock(&e->lock);
		interest_free(i);
		mutex_unlock(&e->lock);
	}
	mutex_unlock(&teardown_lock);
}

static void epoll_release(struct file *f)
{
	struct epoll *e = f->object;
	mutex_lock(&teardown_lock);
	mutex_lock(&e->lock);
	while (!list_empty(&e->interests))
		interest_free(list_first(&e->interests, struct interest, epoll_link));
	mutex_unlock(&e->lock);
	mutex_unlock(&teardown_lock);
	heap_free(e);
}

static int epoll_describe(struct file *f, char *buf, size_t size)
{
	struct epoll *e = f->object;
	size_t len = 0;
	struct interest *i;
	mutex_lock(&e->lock);
	list_for_each (i, &e->interests, epoll_link)
		len += (size_t)format(buf + min(len, size), size - min(len, size),
			"tfd: %8d events: %8x data: %16llx\n", i->fd, i->events,
			(unsigned long long)i->data);
	mutex_unlock(&e->lock);
	return (int)len;
}

static const struct file_ops epoll_ops = {
	.kind = "[eventpoll]",
	.poll = epoll_poll,
	.describe = epoll_describe,
	.release = epoll_release,
};

void epoll_init(void)
{
	mutex_init(&nest_lock);
	mutex_init(&teardown_lock);
}

int epoll_create_file(unsigned flags, struct file **out)
{
	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	struct epoll *e = heap_zalloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	mutex_init(&e->lock);
	list_init(&e->interests);
	list_init(&e->ready);
	wait_queue_init(&e->sleepers);
	wait_queue_init(&e->watchers);
	int err = file_new(&epoll_ops, e, O_RDWR, out);
	if (err < 0) {
		heap_free(e);
		return err;
	}
	e->file = *out;
	e->file->ready = &e->watchers;
	return 0;
}
