/* The completion queue: entries, those it had no room for, and telling whoever waits for them. */
#include "abi/linux/fcntl.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/uring/uring.h"

#define CQES_OFFSET PAGE_SIZE
#define OVERFLOW_MAX 65536u

unsigned cqe_ready(const struct uring *u)
{
	return u->header->cq_tail - u->header->cq_head;
}

bool uring_has_news(const struct uring *u)
{
	return cqe_ready(u) || u->n_overflow ||
	       ((u->setup & IORING_SETUP_DEFER_TASKRUN) && !list_empty(&u->ready));
}

/* Under u->lock.  The program's head is only believed to say that there is room. */
static bool write_cqe(struct uring *u, const struct linux_cqe *c)
{
	if (u->cq_tail - u->header->cq_head >= u->cq_entries)
		return false;
	bool wide = u->setup & IORING_SETUP_CQE32;
	size_t size = CQE_SIZE << wide;
	memcpy(ring_memory_at(u->rings, CQES_OFFSET + (u->cq_tail & (u->cq_entries - 1)) * size), c,
		size);
	u->cq_tail++;
	atomic_store_explicit(&u->header->cq_tail, u->cq_tail, memory_order_release);
	return true;
}

static void keep_for_later(struct uring *u, const struct linux_cqe *c)
{
	struct overflow *o = u->n_overflow < OVERFLOW_MAX ? heap_alloc(sizeof(*o)) : NULL;
	if (!o) {
		u->header->cq_overflow++;
		return;
	}
	o->cqe = *c;
	list_push_back(&u->overflow, &o->link);
	u->n_overflow++;
	atomic_fetch_or(&u->header->sq_flags, IORING_SQ_CQ_OVERFLOW);
}

static bool post_locked(struct uring *u, const struct linux_cqe *c, bool only_if_room)
{
	bool done = u->n_overflow == 0 && write_cqe(u, c);
	if (!done && !only_if_room)
		keep_for_later(u, c);
	if (done || !only_if_room)
		u->news = true;
	return done;
}

static bool post(struct uring *u, const struct linux_cqe *c, bool only_if_room, bool counts)
{
	irq_state state = spin_lock(&u->lock);
	bool done = post_locked(u, c, only_if_room);
	u->n_completed += counts && (done || !only_if_room);
	bool kick = counts && u->n_counting && timeouts_count_locked(u);
	spin_unlock(&u->lock, state);
	if (kick)
		uring_kick(u);
	return done;
}

bool cqe_post(struct uring *u, const struct linux_cqe *c)
{
	return post(u, c, false, true);
}

bool cqe_post_if_room(struct uring *u, const struct linux_cqe *c)
{
	return post(u, c, true, true);
}

static struct linux_cqe cqe_of(const struct request *r, long result, uint32_t flags)
{
	return (struct linux_cqe){
		r->sqe.user_data, (int32_t)result, flags, {r->cqe_extra[0], r->cqe_extra[1]}};
}

void cqe_post_of(struct request *r, long result, uint32_t flags)
{
	const struct linux_cqe c = cqe_of(r, result, flags);
	post(r->ring, &c, false, r->sqe.opcode != IORING_OP_TIMEOUT);
}

bool cqe_more(struct request *r, long result, uint32_t flags)
{
	const struct linux_cqe c = cqe_of(r, result, flags | IORING_CQE_F_MORE);
	bool done = post(r->ring, &c, true, true);
	if (done)
		uring_announce(r->ring);
	return done;
}

void cqe_flush_overflow(struct uring *u)
{
	if (u->n_overflow == 0)
		return;
	irq_state state = spin_lock(&u->lock);
	while (!list_empty(&u->overflow)) {
		struct overflow *o = list_first(&u->overflow, struct overflow, link);
		if (!write_cqe(u, &o->cqe))
			break;
		list_remove(&o->link);
		u->n_overflow--;
		heap_free(o);
	}
	if (u->n_overflow == 0)
		atomic_fetch_and(&u->header->sq_flags, ~IORING_SQ_CQ_OVERFLOW);
	spin_unlock(&u->lock, state);
}

static void signal_eventfd(struct uring *u, bool from_pool)
{
	irq_state state = spin_lock(&u->lock);
	struct file *f = u->eventfd_async && !from_pool ? NULL : u->eventfd;
	if (f)
		file_get(f);
	spin_unlock(&u->lock, state);
	if (!f)
		return;
	uint64_t one = 1;
	struct io_buffer b;
	io_buffer_kernel(&b, &one, sizeof(one));
	struct thread *self = thread_current();
	bool before = self->no_wait;
	self->no_wait = true;
	(void)!file_write(f, &b, NULL);
	self->no_wait = before;
	file_put(f);
}

static void announce(struct uring *u, bool from_pool)
{
	if (!atomic_exchange(&u->news, false))
		return;
	wait_wake(&u->waiters, EVENTS_ALL);
	wait_wake(&u->events, POLLIN | POLLRDNORM);
	if (u->eventfd && !(u->header->cq_flags & IORING_CQ_EVENTFD_DISABLED))
		signal_eventfd(u, from_pool);
}

void uring_announce(struct uring *u)
{
	announce(u, false);
}

void uring_announce_from_pool(struct uring *u)
{
	announce(u, true);
}
