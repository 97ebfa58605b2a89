/*
 * Inodes in memory: found by (super, number), counted.  While one is being read, or its end is being written, whoever looks
 * for the same number waits.
 */
#include "kernel/fs/inode.h"

#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/file/kinds.h"
#include "kernel/fs/internal.h"
#include "kernel/mem/heap.h"

#define BUCKETS 256u

enum { INODE_LIVE, INODE_READING, INODE_ENDING };

static struct {
	struct spinlock lock;
	struct list buckets[BUCKETS]; /* under lock; next NULL: empty, never used */
	struct wait_queue settled;    /* some inode left READING or ENDING */
	bool ready;
} table;

static _Atomic uint64_t next_device = 20;

static void table_prepare(void)
{
	if (table.ready)
		return;
	wait_queue_init(&table.settled);
	table.ready = true;
}

static struct list *inode_bucket(const struct super *s, uint64_t number)
{
	uint64_t key = (number + ((uintptr_t)s >> 6)) * 0x9e3779b97f4a7c15ull;
	struct list *bucket = &table.buckets[key >> 56];
	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

struct super *super_new(const struct filesystem *type, const struct super_ops *ops)
{
	table_prepare();
	struct super *s = heap_zalloc(sizeof(*s));
	if (!s)
		return NULL;
	s->type = type;
	s->ops = ops;
	s->device = atomic_fetch_add(&next_device, 1);
	s->block_size = PAGE_SIZE;
	s->max_file_size = INT64_MAX & ~(PAGE_SIZE - 1);
	return s;
}

void super_free(struct super *s)
{
	heap_free(s);
}

struct linux_timespec time_now(void)
{
	uint64_t now = clock_realtime_ns();
	return (struct linux_timespec){(int64_t)(now / NS_PER_S), (int64_t)(now % NS_PER_S)};
}

struct inode *inode_new(struct super *s, uint64_t number)
{
	struct inode *i = heap_zalloc(s->inode_size ? s->inode_size : sizeof(*i));
	if (!i)
		return NULL;
	i->super = s;
	i->number = number;
	i->references = 1;
	i->n_links = 1;
	list_init(&i->hash_link);
	list_init(&i->dirty_link);
	mutex_init(&i->lock);
	i->accessed = i->modified = i->changed = i->born = time_now();
	page_cache_init(&i->pages, s->page_ops, s->page_flags);
	i->data = &i->pages;
	return i;
}

/* Under the lock. */
static struct inode *table_find(struct super *s, uint64_t number)
{
	struct inode *i;
	list_for_each (i, inode_bucket(s, number), hash_link)
		if (i->number == number && i->super == s)
			return i;
	return NULL;
}

void inode_publish(struct inode *i)
{
	irq_state state = spin_lock(&table.lock);
	list_push_front(inode_bucket(i->super, i->number), &i->hash_link);
	spin_unlock(&table.lock, state);
}

void inode_publish_once(struct inode *i)
{
	irq_state state = spin_lock(&table.lock);
	if (list_empty(&i->hash_link))
		list_push_front(inode_bucket(i->super, i->number), &i->hash_link);
	spin_unlock(&table.lock, state);
}

/* Under the lock: does something go on with that number that must end first? */
static bool table_is_busy(struct super *s, uint64_t number)
{
	struct inode *i = table_find(s, number);
	return i && i->state != INODE_LIVE;
}

static bool inode_is_settled(struct super *s, uint64_t number)
{
	irq_state state = spin_lock(&table.lock);
	bool busy = table_is_busy(s, number);
	spin_unlock(&table.lock, state);
	return !busy;
}

/* The live one, counted; else NULL, and `fresh`, unless NULL, stands there from now on. */
static struct inode *table_find_or_add(struct super *s, uint64_t number, struct inode *fresh)
{
	for (;;) {
		wait_event(&table.settled, EVENTS_ALL, inode_is_settled(s, number));
		irq_state state = spin_lock(&table.lock);
		bool busy = table_is_busy(s, number);
		struct inode *i = busy ? NULL : table_find(s, number);
		if (i)
			inode_get(i);
		else if (!busy && fresh)
			list_push_front(inode_bucket(s, number), &fresh->hash_link);
		spin_unlock(&table.lock, state);
		if (!busy)
			return i;
	}
}

struct inode *inode_in_memory(struct super *s, uint64_t number)
{
	return table_find_or_add(s, number, NULL);
}

static void inode_unhash(struct inode *i)
{
	irq_state state = spin_lock(&table.lock);
	list_remove(&i->hash_link);
	spin_unlock(&table.lock, state);
	wait_wake_all(&table.settled, EVENTS_ALL);
}

int inode_by_number(struct super *s, uint64_t number, struct inode **out)
{
	struct inode *i = inode_in_memory(s, number);
	if (i) {
		*out = i;
		return 0;
	}
	struct inode *fresh = inode_new(s, number);
	if (!fresh)
		return -ENOMEM;
	fresh->state = INODE_READING;
	i = table_find_or_add(s, number, fresh);
	if (i) { /* somebody was quicker */
		page_cache_destroy(&fresh->pages);
		heap_free(fresh);
		*out = i;
		return 0;
	}
	int err = s->ops->inode_read(fresh);
	if (err < 0) {
		inode_unhash(fresh);
		page_cache_destroy(&fresh->pages);
		heap_free(fresh);
		return err;
	}
	fresh->state = INODE_LIVE;
	wait_wake_all(&table.settled, EVENTS_ALL);
	*out = fresh;
	return 0;
}

bool inode_try_get(struct inode *i)
{
	unsigned n = atomic_load_explicit(&i->references, memory_order_relaxed);
	while (n > 0)
		if (atomic_compare_exchange_weak(&i->references, &n, n + 1))
			return true;
	return false;
}

static void inode_end(struct inode *i)
{
	if (!i->n_links)
		page_cache_truncate(&i->pages, 0);
	if (i->super->ops->inode_release)
		i->super->ops->inode_release(i);
	write_back_remove(i);
	locks_free(i);
	if (S_ISFIFO(i->mode) && i->pipe)
		pipe_put(i->pipe);
	if (S_ISSOCK(i->mode))
		socket_binding_free(i);
	page_cache_destroy(&i->pages);
	inode_unhash(i);
	heap_free(i);
}

void inode_put(struct inode *i)
{
	unsigned n = atomic_load_explicit(&i->references, memory_order_relaxed);
	while (n > 1)
		if (atomic_compare_exchange_weak_explicit(
			    &i->references, &n, n - 1, memory_order_acq_rel, memory_order_relaxed))
			return;
	/* Perhaps the last: only under the lock, so that nobody finds it at 0. */
	irq_state state = spin_lock(&table.lock);
	bool last = atomic_fetch_sub(&i->references, 1) == 1;
	if (last)
		i->state = INODE_ENDING;
	spin_unlock(&table.lock, state);
	if (last)
		inode_end(i);
}

void inode_pages_get(struct page_cache *c)
{
	inode_get(inode_of_pages(c));
}

void inode_pages_put(struct page_cache *c)
{
	inode_put(inode_of_pages(c));
}

void inode_apply(struct inode *i, const struct inode_change *c)
{
	if (c->what & CHANGE_MODE)
		i->mode = (i->mode & S_IFMT) | (c->mode & ~S_IFMT);
	if (c->what & CHANGE_OWNER) {
		i->uid = c->uid;
		i->gid = c->gid;
	}
	if (c->what & CHANGE_ACCESSED)
		i->accessed = c->accessed;
	if (c->what & CHANGE_MODIFIED)
		i->modified = c->modified;
	if (c->what & CHANGE_CHANGED)
		i->changed = c->changed;
}

/* Where the file system has its own idea of changes (journal, copy-up) it hears of this one, too. */
static void inode_touch(struct inode *i, unsigned what)
{
	struct inode_change c = {.what = what};
	c.modified = c.changed = time_now();
	if (!i->ops->change || i->ops->change(i, &c) < 0)
		inode_apply(i, &c);
}

static bool is_later(const struct linux_timespec *a, const struct linux_timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

#define DAY_S 86400

/* relatime, mount(8): not later than a change, or a day old (which is looked at when reading starts). */
static bool access_time_is_old(const struct inode *i, bool start)
{
	if (!is_later(&i->accessed, &i->modified) || !is_later(&i->accessed, &i->changed))
		return true;
	return start && time_now().tv_sec - i->accessed.tv_sec >= DAY_S;
}

void inode_accessed(struct inode *i, bool start)
{
	if (i->super->flags & (SUPER_READ_ONLY | SUPER_NO_ACCESS_TIME))
		return;
	if ((i->flags & INODE_LOWER) || !i->ops->change || !access_time_is_old(i, start))
		return;
	struct inode_change c = {.what = CHANGE_ACCESSED, .accessed = time_now()};
	mutex_lock(&i->lock);
	(void)!i->ops->change(i, &c);
	mutex_unlock(&i->lock);
}

void inode_modified(struct inode *i)
{
	inode_touch(i, CHANGE_MODIFIED | CHANGE_CHANGED);
}

void inode_changed(struct inode *i)
{
	inode_touch(i, CHANGE_CHANGED);
}
