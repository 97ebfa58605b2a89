/*
 * Sets of semaphores.  One lock for all of them: operations are short and touch no user memory.  Who can not go on
 * hangs in the set's list with its operations; whoever changes a value tries those in order, on their behalf, so that
 * nobody wakes for nothing.
 */
#include "kernel/ipc/sem.h"

#include "abi/linux/errno.h"
#include "kernel/lib/format.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/thread.h"

#define SETS_MAX 32000u
#define ALL_MAX 1024000000
#define SEM_TOTAL_MAX (4u << 20) /* of all sets, so that they can not fill the machine */

struct semaphore {
	uint16_t value;
	int pid; /* of the last operation */
};

struct sem_set {
	struct ipc_object object; /* first */
	int64_t operated, changed;
	struct list waiters; /* oldest first */
	struct list undos;
	unsigned n;
	struct semaphore semaphores[];
};

/* What one list has to take back in one set. */
struct sem_undo {
	struct list set_link, list_link;
	struct sem_set *set; /* NULL: removed */
	int16_t adjust[];
};

struct sem_undo_list {
	unsigned references; /* under sets.lock, like the rest */
	struct list undos;
};

struct sem_waiter {
	struct list link;
	const struct linux_sembuf *operations, *blocking;
	unsigned n;
	struct sem_undo *undo;
	struct thread *thread;
	int pid, result; /* WAITING, or what the call returns */
};
#define WAITING 1

static struct ipc_table sets = {.max = SETS_MAX};
static unsigned n_total;

static struct sem_set *find(int id)
{
	return (struct sem_set *)ipc_find(&sets, id);
}

/* --- operations, under the lock --- */

static int apply_one(struct sem_set *set, const struct linux_sembuf *op, struct sem_undo *undo)
{
	struct semaphore *s = &set->semaphores[op->number];
	int value = s->value + op->operation;
	if (op->operation == 0 ? s->value != 0 : value < 0)
		return op->flags & (int16_t)IPC_NOWAIT ? -EAGAIN : WAITING;
	if (value > SEM_VALUE_MAX)
		return -ERANGE;
	if (op->flags & SEM_UNDO) {
		int adjust = undo->adjust[op->number] - op->operation;
		if (adjust < -SEM_VALUE_MAX - 1 || adjust > SEM_VALUE_MAX)
			return -ERANGE;
		undo->adjust[op->number] = (int16_t)adjust;
	}
	s->value = (uint16_t)value;
	return 0;
}

static void take_back(struct sem_set *set, const struct linux_sembuf *op, struct sem_undo *undo)
{
	set->semaphores[op->number].value -= (uint16_t)op->operation;
	if (op->flags & SEM_UNDO)
		undo->adjust[op->number] = (int16_t)(undo->adjust[op->number] + op->operation);
}

/* All or none. */
static int try(struct sem_set *set, struct sem_waiter *w)
{
	int result = 0;
	unsigned done = 0;
	while (done < w->n && (result = apply_one(set, &w->operations[done], w->undo)) == 0)
		done++;
	if (result != 0) {
		w->blocking = &w->operations[done];
		while (done > 0)
			take_back(set, &w->operations[--done], w->undo);
		return result;
	}
	for (unsigned i = 0; i < w->n; i++)
		set->semaphores[w->operations[i].number].pid = w->pid;
	set->operated = ipc_now();
	return 0;
}

static void finish(struct sem_waiter *w, int result)
{
	list_remove(&w->link);
	w->result = result;
	thread_wake(w->thread);
}

static bool changes_anything(const struct sem_waiter *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->operations[i].operation)
			return true;
	return false;
}

/* Values have changed: let go on who can, again from the oldest whenever one of them changed more. */
static void settle(struct sem_set *set)
{
	struct sem_waiter *w, *next;
	bool again = true;
	while (again) {
		again = false;
		list_for_each_safe (w, next, &set->waiters, link) {
			int result = try(set, w);
			if (result == WAITING)
				continue;
			again = result == 0 && changes_anything(w);
			finish(w, result);
			if (again)
				break;
		}
	}
}

/* --- undo --- */

struct sem_undo_list *sem_undo_share(struct sem_undo_list **list)
{
	struct sem_undo_list *fresh = *list ? NULL : heap_zalloc(sizeof(*fresh));
	if (fresh) {
		list_init(&fresh->undos);
		fresh->references = 1;
		*list = fresh;
	}
	irq_state state = spin_lock(&sets.lock);
	if (*list)
		(*list)->references++;
	spin_unlock(&sets.lock, state);
	return *list;
}

static void undo_drop(struct sem_undo *u)
{
	list_remove(&u->set_link);
	list_remove(&u->list_link);
	heap_free(u);
}

static void undo_apply(struct sem_undo *u)
{
	struct sem_set *set = u->set;
	for (unsigned i = 0; set && i < set->n; i++) {
		int value = set->semaphores[i].value + u->adjust[i];
		set->semaphores[i].value = (uint16_t)max(0, min(value, SEM_VALUE_MAX));
	}
	undo_drop(u);
	if (set) {
		set->operated = ipc_now();
		settle(set);
	}
}

void sem_undo_put(struct sem_undo_list *list)
{
	if (!list)
		return;
	irq_state state = spin_lock(&sets.lock);
	bool last = --list->references == 0;
	while (last && !list_empty(&list->undos))
		undo_apply(list_first(&list->undos, struct sem_undo, list_link));
	spin_unlock(&sets.lock, state);
	if (last)
		heap_free(list);
}

static struct sem_undo *undo_of(struct sem_undo_list *list, struct sem_set *set)
{
	struct sem_undo *u;
	list_for_each (u, &list->undos, list_link)
		if (u->set == set)
			return u;
	u = heap_zalloc(sizeof(*u) + set->n * sizeof(u->adjust[0]));
	if (!u)
		return NULL;
	u->set = set;
	list_push_back(&list->undos, &u->list_link);
	list_push_back(&set->undos, &u->set_link);
	return u;
}

/* What was set by hand is not taken back. */
static void undo_forget(struct sem_set *set, unsigned number)
{
	struct sem_undo *u;
	list_for_each (u, &set->undos, set_link)
		u->adjust[number] = 0;
}

/* --- semget(2), semop(2) --- */

static struct sem_set *set_new(const struct ipc_caller *who, int key, unsigned n, unsigned flags)
{
	struct sem_set *set = heap_zalloc(sizeof(*set) + n * sizeof(set->semaphores[0]));
	if (!set)
		return NULL;
	ipc_fill(&set->object, who, key, flags);
	set->n = n;
	set->changed = ipc_now();
	list_init(&set->waiters);
	list_init(&set->undos);
	return set;
}

static long set_add(const struct ipc_caller *who, int key, unsigned n, unsigned flags)
{
	if (n == 0)
		return -EINVAL;
	if (n_total + n > SEM_TOTAL_MAX)
		return -ENOSPC;
	struct sem_set *set = set_new(who, key, n, flags);
	if (!set)
		return -ENOMEM;
	int err = ipc_add(&sets, &set->object);
	if (err < 0) {
		heap_free(set);
		return err;
	}
	n_total += n;
	return set->object.id;
}

long sem_get(const struct ipc_caller *who, int key, int n, unsigned flags)
{
	struct ipc_object *found = NULL;
	if (n < 0 || (unsigned)n > SEM_PER_SET_MAX)
		return -EINVAL;
	irq_state state = spin_lock(&sets.lock);
	long result = ipc_lookup(&sets, who, key, flags, &found);
	if (result == 0)
		result = set_add(who, key, (unsigned)n, flags);
	else if (result == 1)
		result = (unsigned)n > ((struct sem_set *)found)->n ? -EINVAL : found->id;
	spin_unlock(&sets.lock, state);
	return result;
}

static int check(const struct ipc_caller *who, struct sem_set *set, const struct sem_waiter *w)
{
	bool changes = false;
	if (!set)
		return -EINVAL;
	for (unsigned i = 0; i < w->n; i++) {
		if (w->operations[i].number >= set->n)
			return -EFBIG;
		changes |= w->operations[i].operation != 0;
	}
	return ipc_permits(&set->object, who, changes ? 0222 : 0444) ? 0 : -EACCES;
}

/* Under the lock.  WAITING: it hangs in the set. */
static int begin(
	const struct ipc_caller *who, int id, struct sem_waiter *w, struct sem_undo_list *undo)
{
	struct sem_set *set = find(id);
	int err = check(who, set, w);
	if (err < 0)
		return err;
	if (undo && !(w->undo = undo_of(undo, set)))
		return -ENOMEM;
	err = try(set, w);
	if (err == 0 && changes_anything(w))
		settle(set);
	else if (err == WAITING)
		list_push_back(&set->waiters, &w->link);
	return err;
}

static bool wants_undo(const struct linux_sembuf *operations, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (operations[i].flags & SEM_UNDO)
			return true;
	return false;
}

int sem_operate(const struct ipc_caller *who, int id, struct linux_sembuf *operations, unsigned n,
	uint64_t deadline_ns, struct sem_undo_list **undo)
{
	struct sem_waiter w = {.operations = operations,
		.n = n,
		.thread = thread_current(),
		.pid = who->pid,
		.result = WAITING};
	bool undoes = wants_undo(operations, n);
	if (undoes && !*undo) {
		if (!sem_undo_share(undo))
			return -ENOMEM;
		(*undo)->references--; /* one for us, not two */
	}
	irq_state state = spin_lock(&sets.lock);
	int err = begin(who, id, &w, undoes ? *undo : NULL);
	spin_unlock(&sets.lock, state);
	if (err != WAITING)
		return err;
	for (err = 0; err == 0 && *(volatile int *)&w.result == WAITING;)
		err = thread_block_interruptible(deadline_ns);
	state = spin_lock(&sets.lock);
	if (w.result == WAITING)
		list_remove(&w.link);
	else
		err = w.result;
	spin_unlock(&sets.lock, state);
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

/* --- semctl(2) --- */

static void describe(const struct sem_set *set, struct linux_semid_ds *out)
{
	*out = (struct linux_semid_ds){
		.perm = ipc_describe(&set->object),
		.operated = set->operated,
		.changed = set->changed,
		.n = set->n,
	};
}

static void remove_set(struct sem_set *set)
{
	while (!list_empty(&set->waiters))
		finish(list_first(&set->waiters, struct sem_waiter, link), -EIDRM);
	while (!list_empty(&set->undos))
		undo_drop(list_first(&set->undos, struct sem_undo, set_link));
	ipc_remove(&sets, &set->object);
	n_total -= set->n;
	heap_free(set);
}

static long info(int command, struct linux_seminfo *out)
{
	*out = (struct linux_seminfo){
		.map = ALL_MAX,
		.n_sets = (int)SETS_MAX,
		.n_all = ALL_MAX,
		.n_undo = ALL_MAX,
		.per_set = (int)SEM_PER_SET_MAX,
		.per_operation = (int)SEM_OPERATIONS_MAX,
		.per_undo = (int)SEM_OPERATIONS_MAX,
		.undo_size = command == SEM_INFO ? (int)sets.n : 20,
		.value_max = SEM_VALUE_MAX,
		.adjust_max = command == SEM_INFO ? (int)n_total : SEM_VALUE_MAX,
	};
	return ipc_last(&sets);
}

/* Who waits for that semaphore to become zero, or larger. */
static long count_waiters(const struct sem_set *set, unsigned number, bool for_zero)
{
	long n = 0;
	const struct sem_waiter *w;
	list_for_each (w, &set->waiters, link)
		n += w->blocking->number == number && (w->blocking->operation == 0) == for_zero;
	return n;
}

static long set_value(const struct ipc_caller *who, struct sem_set *set, unsigned number, int value)
{
	if (value < 0 || value > SEM_VALUE_MAX)
		return -ERANGE;
	if (!ipc_permits(&set->object, who, 0222))
		return -EACCES;
	undo_forget(set, number);
	set->semaphores[number].value = (uint16_t)value;
	set->semaphores[number].pid = who->pid;
	set->changed = ipc_now();
	settle(set);
	return 0;
}

static long one_semaphore(
	const struct ipc_caller *who, struct sem_set *set, int number, int command, int value)
{
	if (number < 0 || (unsigned)number >= set->n)
		return -EINVAL;
	if (command == SEM_SETVAL)
		return set_value(who, set, (unsigned)number, value);
	if (!ipc_permits(&set->object, who, 0444))
		return -EACCES;
	if (command == SEM_GETVAL)
		return set->semaphores[number].value;
	if (command == SEM_GETPID)
		return set->semaphores[number].pid;
	return count_waiters(set, (unsigned)number, command == SEM_GETZCNT);
}

static long whole_set(
	const struct ipc_caller *who, struct sem_set *set, int command, union sem_argument *buf)
{
	if (command == IPC_SET || command == IPC_RMID) {
		if (!ipc_owns(&set->object, who))
			return -EPERM;
		if (command == IPC_RMID) {
			remove_set(set);
			return 0;
		}
		ipc_set(&set->object, &buf->ds.perm);
		set->changed = ipc_now();
		return 0;
	}
	if (command != SEM_STAT_ANY && !ipc_permits(&set->object, who, 0444))
		return -EACCES;
	describe(set, &buf->ds);
	return command == IPC_STAT ? 0 : set->object.id;
}

long sem_control(const struct ipc_caller *who, int id, int number, int command, int value,
	union sem_argument *buf)
{
	irq_state state = spin_lock(&sets.lock);
	bool by_slot = command == SEM_STAT || command == SEM_STAT_ANY;
	struct sem_set *set = by_slot ? (struct sem_set *)ipc_at(&sets, (unsigned)id) : find(id);
	long result = -EINVAL;
	switch (command) {
	case IPC_INFO:
	case SEM_INFO:
		result = info(command, &buf->info);
		break;
	case IPC_SET:
	case IPC_RMID:
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		if (set)
			result = whole_set(who, set, command, buf);
		break;
	case SEM_GETPID:
	case SEM_GETVAL:
	case SEM_GETNCNT:
	case SEM_GETZCNT:
	case SEM_SETVAL:
		if (set)
			result = one_semaphore(who, set, number, command, value);
		break;
	}
	spin_unlock(&sets.lock, state);
	return result;
}

int sem_count(const struct ipc_caller *who, int id, unsigned mode)
{
	irq_state state = spin_lock(&sets.lock);
	const struct sem_set *set = find(id);
	int n = !set ? -EINVAL : !ipc_permits(&set->object, who, mode) ? -EACCES : (int)set->n;
	spin_unlock(&sets.lock, state);
	return n;
}

int sem_get_all(int id, uint16_t *values, unsigned n)
{
	irq_state state = spin_lock(&sets.lock);
	const struct sem_set *set = find(id);
	int err = set && set->n == n ? 0 : -EIDRM;
	for (unsigned i = 0; err == 0 && i < n; i++)
		values[i] = set->semaphores[i].value;
	spin_unlock(&sets.lock, state);
	return err;
}

int sem_set_all(const struct ipc_caller *who, int id, const uint16_t *values, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (values[i] > SEM_VALUE_MAX)
			return -ERANGE;
	irq_state state = spin_lock(&sets.lock);
	struct sem_set *set = find(id);
	int err = set && set->n == n ? 0 : -EIDRM;
	for (unsigned i = 0; err == 0 && i < n; i++) {
		undo_forget(set, i);
		set->semaphores[i] = (struct semaphore){values[i], who->pid};
	}
	if (err == 0) {
		set->changed = ipc_now();
		settle(set);
	}
	spin_unlock(&sets.lock, state);
	return err;
}

void sem_show(struct text *t)
{
	text_add(t,
		"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
		"ctime\n");
	irq_state state = spin_lock(&sets.lock);
	for (unsigned i = 0; i < sets.size; i++) {
		const struct sem_set *s = (struct sem_set *)sets.slots[i];
		if (!s)
			continue;
		const struct ipc_object *o = &s->object;
		text_add(t, "%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n", o->key, o->id,
			o->mode, s->n, o->uid, o->gid, o->cuid, o->cgid, s->operated, s->changed);
	}
	spin_unlock(&sets.lock, state);
}
