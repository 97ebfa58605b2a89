/*
 * Record locks of fcntl(2) and locks of flock(2): two worlds that do not see each other.
 *
 * A record lock's owner is the process or, for open file description locks, the file.  There is one process, so classic
 * locks never conflict among themselves, and no deadlock can come of them.
 */
#include "abi/linux/errno.h"
#include "kernel/fs/internal.h"
#include "kernel/lib/format.h"
#include "kernel/mem/heap.h"

#define TO_THE_END ((uint64_t)INT64_MAX)

struct record_lock {
	struct list link;
	void *owner;
	bool of_file; /* owner is an open file: F_OFD_SETLK, flock(2) */
	bool exclusive;
	uint64_t start, end; /* inclusive */
};

struct record_locks {
	struct inode *inode;
	struct list link; /* all_locks, under all_lock */
	struct wait_queue released;
	struct spinlock lock;
	/* under lock: */
	struct list records, whole; /* fcntl's, flock's */
};

static struct spinlock all_lock;
static struct list all_locks = LIST_INIT(all_locks);

static struct record_locks *locks_of(struct inode *i)
{
	struct record_locks *l = i->locks;
	if (l)
		return l;
	l = heap_zalloc(sizeof(*l));
	if (!l)
		return NULL;
	l->inode = i;
	wait_queue_init(&l->released);
	list_init(&l->records);
	list_init(&l->whole);
	struct record_locks *expected = NULL;
	if (!atomic_compare_exchange_strong(&i->locks, &expected, l)) {
		heap_free(l);
		return expected;
	}
	irq_state state = spin_lock(&all_lock);
	list_push_back(&all_locks, &l->link);
	spin_unlock(&all_lock, state);
	return l;
}

static void free_list(struct list *gone)
{
	struct list *item;
	while ((item = list_pop_front(gone)))
		heap_free(list_entry(item, struct record_lock, link));
}

void locks_free(struct inode *i)
{
	struct record_locks *l = i->locks;
	if (!l)
		return;
	irq_state state = spin_lock(&all_lock);
	list_remove(&l->link);
	spin_unlock(&all_lock, state);
	free_list(&l->records);
	free_list(&l->whole);
	heap_free(l);
}

/* Under the lock: somebody else's lock that stands in the way. */
static struct record_lock *find_conflict(struct list *among, const struct record_lock *wanted)
{
	struct record_lock *r;
	list_for_each (r, among, link)
		if (r->owner != wanted->owner && r->start <= wanted->end &&
			wanted->start <= r->end && (r->exclusive || wanted->exclusive))
			return r;
	return NULL;
}

static bool is_free(struct record_locks *l, struct list *among, const struct record_lock *wanted)
{
	irq_state state = spin_lock(&l->lock);
	bool nothing = !find_conflict(among, wanted);
	spin_unlock(&l->lock, state);
	return nothing;
}

/* Under the lock: r, of the same owner as the range, gives way to it.  May use *spare for a second half. */
static void cut(struct record_lock *r, uint64_t start, uint64_t end, struct record_lock **spare,
	struct list *gone)
{
	if (r->start < start && r->end > end) {
		struct record_lock *rest = *spare;
		*spare = NULL;
		*rest = *r;
		rest->start = end + 1;
		r->end = start - 1;
		list_push_back(&r->link, &rest->link);
	} else if (r->start < start) {
		r->end = start - 1;
	} else if (r->end > end) {
		r->start = end + 1;
	} else {
		list_remove(&r->link);
		list_push_back(gone, &r->link);
	}
}

/* Under the lock: all of the owner's locks make room for `wanted`; neighbours of its kind are swallowed.
 * unlock: only make room. */
static void replace(struct list *among, struct record_lock *wanted, bool unlock,
	struct record_lock **spare, struct list *gone)
{
	struct record_lock *r, *next;
	list_for_each_safe (r, next, among, link) {
		if (r->owner != wanted->owner)
			continue;
		bool touches = r->start <= wanted->end + 1 && wanted->start <= r->end + 1;
		if (!unlock && r->exclusive == wanted->exclusive && touches) {
			wanted->start = min(wanted->start, r->start);
			wanted->end = max(wanted->end, r->end);
			list_remove(&r->link);
			list_push_back(gone, &r->link);
		} else if (r->start <= wanted->end && wanted->start <= r->end) {
			cut(r, wanted->start, wanted->end, spare, gone);
		}
	}
	if (!unlock)
		list_push_back(among, &wanted->link);
}

/* Take or give back what `model` says; allocates beforehand all that may be needed. */
static int locks_apply(struct record_locks *l, struct list *among, const struct record_lock *model,
	bool unlock, bool wait)
{
	struct record_lock *wanted = heap_alloc(sizeof(*wanted)),
			   *spare = heap_alloc(sizeof(*spare));
	struct list gone = LIST_INIT(gone);
	int err = wanted && spare ? 0 : -ENOMEM;
	bool done = false;
	while (!err && !done) {
		*wanted = *model;
		irq_state state = spin_lock(&l->lock);
		done = unlock || !find_conflict(among, model);
		if (done)
			replace(among, wanted, unlock, &spare, &gone);
		spin_unlock(&l->lock, state);
		if (!done && !wait)
			err = -EAGAIN;
		else if (!done)
			err = wait_event_interruptible(
				&l->released, EVENTS_ALL, is_free(l, among, model), NO_DEADLINE);
	}
	/* Less exclusive than before, perhaps. */
	if (done)
		wait_wake_all(&l->released, EVENTS_ALL);
	free_list(&gone);
	heap_free(spare);
	if (!done || unlock)
		heap_free(wanted);
	return err;
}

/* l_whence, l_start, l_len to an inclusive range. */
static int range_of(struct file *f, const struct linux_flock *lock, struct record_lock *out)
{
	int64_t base = 0, start, end;
	if (lock->l_whence == SEEK_CUR)
		base = (int64_t)f->position;
	else if (lock->l_whence == SEEK_END)
		base = (int64_t)inode_size(f->inode);
	else if (lock->l_whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, lock->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	end = INT64_MAX;
	if (lock->l_len > 0 && __builtin_add_overflow(start, lock->l_len - 1, &end))
		return -EOVERFLOW;
	if (lock->l_len < 0) {
		end = start - 1;
		if (__builtin_add_overflow(start, lock->l_len, &start) || start < 0)
			return -EINVAL;
	}
	out->start = (uint64_t)start;
	out->end = (uint64_t)end;
	return 0;
}

static int model_of(
	struct file *f, const struct linux_flock *lock, void *owner, struct record_lock *out)
{
	if (!f->inode || (f->flags & O_PATH))
		return f->inode ? -EBADF : -EINVAL;
	if (lock->l_type != F_RDLCK && lock->l_type != F_WRLCK && lock->l_type != F_UNLCK)
		return -EINVAL;
	*out = (struct record_lock){
		.owner = owner, .of_file = owner == f, .exclusive = lock->l_type == F_WRLCK};
	if (out->of_file && lock->l_pid)
		return -EINVAL;
	return range_of(f, lock, out);
}

int vfs_lock_get(struct file *f, struct linux_flock *lock, void *owner)
{
	struct record_lock wanted;
	int err = model_of(f, lock, owner, &wanted);
	if (err < 0 || lock->l_type == F_UNLCK)
		return err < 0 ? err : -EINVAL;
	struct record_locks *l = f->inode->locks;
	lock->l_type = F_UNLCK;
	if (!l)
		return 0;
	irq_state state = spin_lock(&l->lock);
	struct record_lock *r = find_conflict(&l->records, &wanted);
	if (r) {
		lock->l_type = r->exclusive ? F_WRLCK : F_RDLCK;
		lock->l_whence = SEEK_SET;
		lock->l_start = (int64_t)r->start;
		lock->l_len = r->end == TO_THE_END ? 0 : (int64_t)(r->end - r->start + 1);
		lock->l_pid = r->of_file ? -1 : 1;
	}
	spin_unlock(&l->lock, state);
	return 0;
}

int vfs_lock_set(struct file *f, const struct linux_flock *lock, void *owner, bool wait)
{
	struct record_lock wanted;
	int err = model_of(f, lock, owner, &wanted);
	if (err < 0)
		return err;
	if ((lock->l_type == F_RDLCK && !file_readable(f)) ||
		(lock->l_type == F_WRLCK && !file_writable(f)))
		return -EBADF;
	struct record_locks *l = locks_of(f->inode);
	if (!l)
		return -ENOMEM;
	return locks_apply(l, &l->records, &wanted, lock->l_type == F_UNLCK, wait);
}

int vfs_flock(struct file *f, int operation)
{
	int what = operation & ~LOCK_NB;
	if (f->flags & O_PATH)
		return -EBADF;
	if (!f->inode || (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN))
		return -EINVAL;
	struct record_locks *l = locks_of(f->inode);
	if (!l)
		return -ENOMEM;
	struct record_lock wanted = {.owner = f,
		.of_file = true,
		.exclusive = what == LOCK_EX,
		.start = 0,
		.end = TO_THE_END};
	return locks_apply(l, &l->whole, &wanted, what == LOCK_UN, !(operation & LOCK_NB));
}

/* Owner f: what belongs to this open file; any other: the process's record locks. */
static void drop_matching(struct list *among, struct file *f, bool of_file, struct list *gone)
{
	struct record_lock *r, *next;
	list_for_each_safe (r, next, among, link)
		if (r->of_file == of_file && (!of_file || r->owner == f)) {
			list_remove(&r->link);
			list_push_back(gone, &r->link);
		}
}

void vfs_locks_drop(struct file *f, void *owner)
{
	struct record_locks *l = f->inode ? f->inode->locks : NULL;
	if (!l)
		return;
	struct list gone = LIST_INIT(gone);
	irq_state state = spin_lock(&l->lock);
	drop_matching(&l->records, f, owner == f, &gone);
	if (owner == f)
		drop_matching(&l->whole, f, true, &gone);
	spin_unlock(&l->lock, state);
	if (list_empty(&gone))
		return;
	wait_wake_all(&l->released, EVENTS_ALL);
	free_list(&gone);
}

static void show_list(struct text *t, const struct record_locks *l, const struct list *among,
	const char *kind, unsigned *n)
{
	struct record_lock *r;
	list_for_each (r, among, link) {
		text_add(t, "%u: %s  ADVISORY  %s %d 00:%02llx:%llu %llu ", ++*n,
			r->of_file && among == &l->records ? "OFDLCK" : kind,
			r->exclusive ? "WRITE" : "READ", r->of_file ? -1 : 1,
			(unsigned long long)l->inode->super->device,
			(unsigned long long)l->inode->number, (unsigned long long)r->start);
		if (r->end == TO_THE_END)
			text_add(t, "EOF\n");
		else
			text_add(t, "%llu\n", (unsigned long long)r->end);
	}
}

void locks_show(struct text *t)
{
	unsigned n = 0;
	struct record_locks *l;
	irq_state state = spin_lock(&all_lock);
	list_for_each (l, &all_locks, link) {
		spin_lock_nested(&l->lock);
		show_list(t, l, &l->records, "POSIX", &n);
		show_list(t, l, &l->whole, "FLOCK", &n);
		spin_unlock_nested(&l->lock);
	}
	spin_unlock(&all_lock, state);
}
