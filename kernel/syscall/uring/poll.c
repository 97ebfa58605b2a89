/*
 * Requests that wait for a file, and IORING_OP_POLL_ADD, which does nothing else.
 *
 * A waiter that is woken while its request is still being put to sleep (REQUEST_ARMING) only leaves a mark; whoever
 * puts it to sleep finds it.  So a request always has one owner: the thread at it, or ring->ready.
 */
#include "abi/linux/fcntl.h"
#include "kernel/syscall/uring/uring.h"

#define POLL_ALWAYS (POLLERR | POLLHUP)
#define POLL_MASK 0xffffu

static bool waiter_woken(struct waiter *w, unsigned events)
{
	struct request *r = container_of(w, struct request, waiter);
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	bool ready = r->state == REQUEST_WAITING;
	r->woken_events |= events;
	r->woken = true;
	if (ready)
		request_make_ready(r);
	spin_unlock(&u->lock, state);
	/* Its next owner takes the waiter down first, which waits for this function: r and u stay. */
	if (ready)
		uring_kick(u);
	return ready;
}

static void put_up(struct request *r)
{
	if (r->queue)
		return;
	r->queue = r->file->ready;
	r->waiter = (struct waiter){
		.events = (r->events & POLL_MASK) | POLL_ALWAYS, .wake = waiter_woken};
	list_init(&r->waiter.link);
	wait_add(r->queue, &r->waiter);
}

void request_disarm(struct request *r)
{
	if (r->queue)
		wait_remove(r->queue, &r->waiter);
	r->queue = NULL;
}

/* Asleep, unless something came meanwhile: then true, and the caller still has it. */
static bool settle(struct request *r, bool ready)
{
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	bool keep = ready || r->woken || r->cancelled;
	r->state = keep ? REQUEST_RUNNING : REQUEST_WAITING;
	spin_unlock(&u->lock, state);
	return keep;
}

/* Whether it was woken since the last time. */
static bool begin_arming(struct request *r, unsigned *events)
{
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	bool woken = r->woken;
	r->state = REQUEST_ARMING;
	*events = r->woken_events;
	r->woken = false;
	r->woken_events = 0;
	r->worker = NULL;
	spin_unlock(&u->lock, state);
	return woken;
}

bool request_arm(struct request *r)
{
	unsigned unused;
	(void)begin_arming(r, &unused);
	put_up(r);
	bool ready = file_poll(r->file) & ((r->events & POLL_MASK) | POLL_ALWAYS);
	if (!settle(r, ready))
		return false;
	request_disarm(r);
	return true;
}

/* --- IORING_OP_POLL_ADD --- */

int poll_add_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->buf_index || s->off || s->addr ||
		(s->len & ~(IORING_POLL_ADD_MULTI | IORING_POLL_ADD_LEVEL)))
		return -EINVAL;
	if ((s->len & IORING_POLL_ADD_MULTI) && (s->flags & IOSQE_CQE_SKIP_SUCCESS))
		return -EINVAL;
	r->multishot = s->len & IORING_POLL_ADD_MULTI;
	r->events = s->op_flags | POLL_ALWAYS;
	return 0;
}

#define ANNOUNCED_IN (POLLIN | POLLRDNORM)
#define ANNOUNCED_OUT (POLLOUT | POLLWRNORM)

/* What the file says; when that has passed again, what it said when it woke the request, if that was definite. */
static unsigned events_now(struct request *r, unsigned woken)
{
	unsigned now = file_poll(r->file) & r->events & POLL_MASK;
	if (!now && !(woken & ~(unsigned)(ANNOUNCED_IN | ANNOUNCED_OUT)))
		now = woken & r->events;
	return now;
}

/* As often as there is news; a file that never changes is what it is now. */
long poll_add_issue(struct request *r)
{
	bool first = r->queue == NULL;
	if (!r->file->ready || !r->file->ops->poll) {
		unsigned now = file_poll(r->file) & r->events & POLL_MASK;
		return now ? (long)now : -EINVAL;
	}
	link_timeout_start(r);
	for (;;) {
		unsigned woken_events;
		bool was_woken = begin_arming(r, &woken_events);
		put_up(r);
		unsigned now = events_now(r, woken_events);
		bool news = now && (first || was_woken || !r->multishot);
		first = false;
		if (news && (!r->multishot || !cqe_more(r, now, 0))) {
			settle(r, true);
			request_disarm(r);
			return now;
		}
		if (!settle(r, false))
			return ISSUE_PENDING;
		if (r->cancelled) {
			request_disarm(r);
			return -ECANCELED;
		}
	}
}

/* --- IORING_OP_POLL_REMOVE, which also updates --- */

int poll_remove_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	unsigned update = IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA;
	if (s->buf_index || s->splice_fd_in || (s->len & ~(update | IORING_POLL_ADD_MULTI)))
		return -EINVAL;
	if (!(s->len & update) && (s->len || s->off || s->op_flags))
		return -EINVAL;
	return s->len == IORING_POLL_ADD_MULTI ? -EINVAL : 0;
}

/* Change what the waiting request is about, and let it look again. */
static void update(struct request *target, const struct linux_sqe *s)
{
	if (s->len & IORING_POLL_UPDATE_USER_DATA)
		target->sqe.user_data = s->off;
	if (s->len & IORING_POLL_UPDATE_EVENTS) {
		target->events = s->op_flags | POLL_ALWAYS;
		target->waiter.events = (target->events & POLL_MASK) | POLL_ALWAYS;
		target->multishot = s->len & IORING_POLL_ADD_MULTI;
		target->woken = true;
		request_make_ready(target);
	}
}

long poll_remove_issue(struct request *r)
{
	struct uring *u = r->ring;
	const struct linux_sqe *s = &r->sqe;
	irq_state state = spin_lock(&u->lock);
	struct request *target = request_find_locked(u, s->addr, IORING_OP_POLL_ADD);
	long result = -ENOENT;
	if (target && !(s->len & ~IORING_POLL_ADD_MULTI)) {
		result = request_cancel_locked(target);
	} else if (target) {
		result = target->state == REQUEST_WAITING ? 0 : -EALREADY;
		if (result == 0)
			update(target, s);
	}
	spin_unlock(&u->lock, state);
	uring_kick(u);
	return result;
}
