/*
 * Writing back: inodes that have something to write stand on one list; a thread, started when the first comes, goes through
 * it every few seconds, or at once when much memory is dirty.  Whoever makes still more of it dirty waits.
 *
 * An inode on the list is not counted: it leaves the list before it ends.  It leaves the list, too, before its pages are
 * looked at, so that what becomes dirty afterwards puts it there again.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/fs/internal.h"
#include "kernel/lib/log.h"

#define PERIOD_NS (5 * NS_PER_S)
#define BACKGROUND 16u /* this part of all memory dirty: the thread is woken */
#define LIMIT 8u       /* this part: writers wait */
#define LEAST 256u     /* pages that may always be dirty */

static struct {
	struct spinlock lock;
	/* under lock: */
	struct list inodes;
	uint64_t turn;
	bool started;
	atomic_bool wanted; /* something to do within a period */
	atomic_bool urgent; /* at once */
	struct wait_queue wake, progress;
} writer = {.inodes = LIST_INIT(writer.inodes)};

static void (*clean_hook)(struct page_cache *c, uint64_t first, uint64_t n);

void vfs_set_clean(void (*clean)(struct page_cache *c, uint64_t first, uint64_t n))
{
	clean_hook = clean;
}

void clean_mappings(struct page_cache *c, uint64_t first, uint64_t n)
{
	if (clean_hook && c->n_areas)
		clean_hook(c, first, n);
}

/* --- one inode ------------------------------------------------------------------------------ */

/* The next inode of super (NULL: any) that came before that turn, counted and off the list. */
static struct inode *take(const struct super *super, uint64_t before)
{
	struct inode *found = NULL, *i, *next;
	irq_state state = spin_lock(&writer.lock);
	list_for_each_safe (i, next, &writer.inodes, dirty_link) {
		if (i->dirty_turn >= before)
			break;
		if (super && i->super != super)
			continue;
		if (!inode_try_get(i))
			continue; /* its end writes it */
		list_remove(&i->dirty_link);
		found = i;
		break;
	}
	spin_unlock(&writer.lock, state);
	return found;
}

static uint64_t next_turn(void)
{
	irq_state state = spin_lock(&writer.lock);
	uint64_t turn = ++writer.turn;
	spin_unlock(&writer.lock, state);
	return turn;
}

static int write_all(const struct super *super)
{
	uint64_t before = next_turn();
	int result = 0;
	for (struct inode *i; (i = take(super, before)) != NULL;) {
		int err = i->ops->write_back(i, 0, UINT64_MAX);
		if (!result)
			result = err;
		inode_put(i);
	}
	return result;
}

int write_back_super(struct super *super)
{
	return write_all(super);
}

/* --- the thread ----------------------------------------------------------------------------- */

static void tick(struct super *s, void *unused)
{
	(void)unused;
	if (s->ops->tick)
		s->ops->tick(s);
}

static void write_for_ever(void *unused)
{
	(void)unused;
	for (;;) {
		wait_event(&writer.wake, EVENTS_ALL, writer.wanted || writer.urgent);
		uint64_t deadline = clock_monotonic_ns() + PERIOD_NS;
		int woken = wait_event_(
			&writer.wake, EVENTS_ALL, writer.urgent, deadline, 0, thread_block);
		(void)woken;
		writer.wanted = writer.urgent = false;
		(void)!write_all(NULL);
		mount_for_each(tick, NULL);
		write_back_progress();
	}
}

static void start_thread(void)
{
	irq_state state = spin_lock(&writer.lock);
	bool mine = !writer.started;
	if (mine) {
		wait_queue_init(&writer.wake);
		wait_queue_init(&writer.progress);
	}
	writer.started = true;
	spin_unlock(&writer.lock, state);
	if (!mine)
		return;
	struct thread *t;
	const struct thread_request request = {
		.size = sizeof(*t), .name = "write-back", .entry = write_for_ever};
	if (thread_create(&request, &t) < 0) {
		log_error("no memory for the thread that writes back");
		writer.started = false;
		return;
	}
	thread_start(t);
}

void write_back_soon(void)
{
	if (writer.wanted)
		return;
	if (!writer.started)
		start_thread();
	writer.wanted = true;
	wait_wake(&writer.wake, EVENTS_ALL);
}

void write_back_add(struct inode *i)
{
	irq_state state = spin_lock(&writer.lock);
	if (list_empty(&i->dirty_link)) {
		i->dirty_turn = writer.turn;
		list_push_back(&writer.inodes, &i->dirty_link);
	}
	spin_unlock(&writer.lock, state);
	write_back_soon();
}

void write_back_remove(struct inode *i)
{
	if (list_empty(&i->dirty_link))
		return;
	irq_state state = spin_lock(&writer.lock);
	list_remove(&i->dirty_link);
	spin_unlock(&writer.lock, state);
}

/* --- bounds --------------------------------------------------------------------------------- */

static bool is_above(uint64_t part)
{
	uint64_t n_cached, n_dirty;
	page_cache_usage(&n_cached, &n_dirty);
	return n_dirty > LEAST && n_dirty > page_total() / part;
}

void write_back_throttle(void)
{
	if (likely(!writer.wanted) || !is_above(BACKGROUND))
		return;
	writer.urgent = true;
	wait_wake(&writer.wake, EVENTS_ALL);
	while (is_above(LIMIT) && !thread_interrupted()) {
		uint64_t deadline = clock_monotonic_ns() + 100 * NS_PER_MS;
		int woken = wait_event_(
			&writer.progress, EVENTS_ALL, !is_above(LIMIT), deadline, 0, thread_block);
		(void)woken;
		writer.urgent = true;
		wait_wake(&writer.wake, EVENTS_ALL);
	}
}

void write_back_progress(void)
{
	if (writer.started)
		wait_wake(&writer.progress, EVENTS_ALL);
}
