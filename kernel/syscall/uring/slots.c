/* Descriptors of rings that threads registered (IORING_REGISTER_RING_FDS): small numbers of each thread's own. */
#include "kernel/file/fd_table.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/uring/uring.h"

#define SLOTS 16u

struct slots {
	struct list link;
	int tid;
	struct file *files[SLOTS]; /* its thread's alone to change; cleared when that ends */
};

static struct spinlock lock;
static struct list all = LIST_INIT(all); /* under lock */

static struct slots *mine(void)
{
	int tid = thread_current()->tid;
	struct slots *s, *found = NULL;
	irq_state state = spin_lock(&lock);
	list_for_each (s, &all, link)
		if (s->tid == tid)
			found = s;
	spin_unlock(&lock, state);
	return found;
}

static struct slots *mine_or_new(void)
{
	struct slots *s = mine();
	if (s)
		return s;
	s = heap_zalloc(sizeof(*s));
	if (!s)
		return NULL;
	s->tid = thread_current()->tid;
	irq_state state = spin_lock(&lock);
	list_push_back(&all, &s->link);
	spin_unlock(&lock, state);
	return s;
}

void slots_forget(int tid)
{
	struct slots *s, *found = NULL;
	irq_state state = spin_lock(&lock);
	list_for_each (s, &all, link)
		if (s->tid == tid)
			found = s;
	if (found)
		list_remove(&found->link);
	spin_unlock(&lock, state);
	for (unsigned i = 0; found && i < SLOTS; i++)
		if (found->files[i])
			file_put(found->files[i]);
	heap_free(found);
}

int uring_of_slot(unsigned n, struct file **file, struct uring **out)
{
	struct slots *s = mine();
	if (!s || n >= SLOTS)
		return -EINVAL;
	if (!s->files[n])
		return -EBADF;
	*file = s->files[n];
	file_get(*file);
	*out = uring_of_file(*file);
	return 0;
}

static long register_one(struct slots *s, struct linux_rsrc_update *r)
{
	unsigned from = r->offset == ~0u ? 0 : r->offset, to = r->offset == ~0u ? SLOTS : from + 1;
	if (r->resv || from >= SLOTS)
		return -EINVAL;
	while (from < to && s->files[from])
		from++;
	if (from == to)
		return -EBUSY;
	struct uring *u;
	int err = uring_of_fd((int)r->data, &s->files[from], &u);
	if (err < 0)
		s->files[from] = NULL;
	r->offset = from;
	return err;
}

/* Each with an index or ~0, which becomes the one chosen.  How many, or the first one's error. */
long uring_register_slots(user_addr from, unsigned n)
{
	if (n == 0 || n > SLOTS)
		return -EINVAL;
	struct slots *s = mine_or_new();
	long done = 0, err = s ? 0 : -ENOMEM;
	while (err == 0 && done < n) {
		struct linux_rsrc_update r;
		user_addr at = user_offset(from, (size_t)done * sizeof(r));
		err = copy_in(&r, at, sizeof(r));
		if (err == 0)
			err = register_one(s, &r);
		if (err == 0 && copy_out(at, &r, sizeof(r)) < 0) {
			file_put(s->files[r.offset]);
			s->files[r.offset] = NULL;
			err = -EFAULT;
		}
		done += err == 0;
	}
	return done ? done : err;
}

long uring_unregister_slots(user_addr from, unsigned n)
{
	struct slots *s = mine();
	if (n == 0 || n > SLOTS)
		return -EINVAL;
	long done = 0, err = 0;
	for (; s && done < n; done++) {
		struct linux_rsrc_update r;
		err = copy_in(&r, user_offset(from, (size_t)done * sizeof(r)), sizeof(r));
		if (err == 0 && (r.resv || r.data || r.offset >= SLOTS))
			err = -EINVAL;
		if (err < 0)
			break;
		if (s->files[r.offset])
			file_put(s->files[r.offset]);
		s->files[r.offset] = NULL;
	}
	return done ? done : err;
}
