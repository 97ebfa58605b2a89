/* Cancelling: what waits ends at once, what runs in the pool is interrupted. */
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/syscall/uring/uring.h"

int request_cancel_locked(struct request *r)
{
	switch (r->state) {
	case REQUEST_WAITING:
		r->cancelled = true;
		request_make_ready(r);
		return 0;
	case REQUEST_READY:
	case REQUEST_ARMING:
		r->cancelled = true;
		return 0;
	case REQUEST_QUEUED:
		r->cancelled = true;
		if (work_cancel(&r->work))
			request_make_ready(r);
		return 0;
	case REQUEST_RUNNING:
		r->cancelled = true;
		if (r->worker)
			thread_notify(r->worker, WORK_SIGNAL);
		return -EALREADY;
	}
	return -ENOENT;
}

struct request *request_find_locked(struct uring *u, uint64_t user_data, uint8_t only)
{
	struct request *r;
	list_for_each (r, &u->requests, link)
		if (r->sqe.user_data == user_data && r->sqe.opcode == only && !r->cancelled)
			return r;
	return NULL;
}

static bool matches(const struct request *r, const struct cancel_match *m)
{
	if (m->only != 0xff && r->sqe.opcode != m->only)
		return false;
	/* It ends with what it watches. */
	if (r->sqe.opcode == IORING_OP_LINK_TIMEOUT && r->timeout)
		return false;
	if (m->flags & IORING_ASYNC_CANCEL_ANY)
		return true;
	if (m->flags & IORING_ASYNC_CANCEL_FD)
		return r->file == m->file;
	return r->sqe.user_data == m->user_data;
}

long uring_cancel(struct uring *u, const struct cancel_match *m, const struct request *but)
{
	bool all = m->flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY);
	long n = 0;
	int err = -ENOENT;
	struct request *r;
	irq_state state = spin_lock(&u->lock);
	list_for_each (r, &u->requests, link) {
		if (r == but || r->cancelled || !matches(r, m))
			continue;
		int result = request_cancel_locked(r);
		n += result == 0;
		err = result;
		if (!all)
			break;
	}
	spin_unlock(&u->lock, state);
	if (n)
		uring_kick(u);
	return all ? n : err;
}

/* --- IORING_OP_ASYNC_CANCEL --- */

#define CANCEL_FLAGS                                                                               \
	(IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY |              \
		IORING_ASYNC_CANCEL_FD_FIXED)

static int check_flags(unsigned flags)
{
	if (flags & ~CANCEL_FLAGS)
		return -EINVAL;
	return (flags & IORING_ASYNC_CANCEL_FD) && (flags & IORING_ASYNC_CANCEL_ANY) ? -EINVAL : 0;
}

int cancel_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->off || s->splice_fd_in || (s->flags & IOSQE_BUFFER_SELECT))
		return -EINVAL;
	return check_flags(s->op_flags);
}

/* The file that is meant, when one is. */
static int match_file(struct uring *u, int fd, bool fixed, struct cancel_match *m)
{
	if (!(m->flags & IORING_ASYNC_CANCEL_FD))
		return 0;
	return fixed ? files_get(u, (unsigned)fd, &m->file) : fd_get(fd, &m->file);
}

long cancel_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	struct cancel_match m = {.user_data = s->addr, .flags = s->op_flags, .only = 0xff};
	bool fixed = (s->flags & IOSQE_FIXED_FILE) || (m.flags & IORING_ASYNC_CANCEL_FD_FIXED);
	int err = match_file(r->ring, s->fd, fixed, &m);
	if (err < 0)
		return err;
	long result = uring_cancel(r->ring, &m, r);
	if (m.file)
		file_put(m.file);
	return result;
}

/* --- IORING_REGISTER_SYNC_CANCEL --- */

static bool any_left(struct uring *u, const struct cancel_match *m)
{
	bool any = false;
	struct request *r;
	irq_state state = spin_lock(&u->lock);
	list_for_each (r, &u->requests, link)
		any |= matches(r, m);
	spin_unlock(&u->lock, state);
	return any;
}

static long cancel_and_wait(struct uring *u, const struct cancel_match *m, uint64_t deadline_ns)
{
	bool all = m->flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY);
	long result = uring_cancel(u, m, NULL);
	if (result == -ENOENT || (all && result == 0 && !any_left(u, m)))
		return all ? 0 : -ENOENT;
	uring_run_ready(u);
	while (any_left(u, m)) {
		/* In steps: the end of a request that others still wait for tells nobody. */
		int err = thread_block_interruptible(
			min(deadline_ns, clock_monotonic_ns() + NS_PER_MS));
		if (err == -EINTR)
			return err;
		if (clock_monotonic_ns() >= deadline_ns)
			return -ETIME;
		uring_run_ready(u);
	}
	return all ? result : 0;
}

long uring_sync_cancel(struct uring *u, user_addr argument)
{
	struct linux_sync_cancel c;
	if (copy_in(&c, argument, sizeof(c)) < 0)
		return -EFAULT;
	int err = check_flags(c.flags);
	if (err < 0 || c.pad[0] || c.pad[1] || c.pad[2] || c.pad[3])
		return -EINVAL;
	struct cancel_match m = {.user_data = c.addr, .flags = c.flags, .only = 0xff};
	uint64_t deadline_ns = NO_DEADLINE, span_ns;
	if (c.tv_sec != -1 || c.tv_nsec != -1) {
		const struct linux_timespec t = {c.tv_sec, c.tv_nsec};
		err = timespec_to_ns(&t, &span_ns);
		if (err < 0)
			return err;
		uint64_t now_ns = clock_monotonic_ns();
		deadline_ns = span_ns > INT64_MAX - now_ns ? NO_DEADLINE : now_ns + span_ns;
	}
	err = match_file(u, c.fd, m.flags & IORING_ASYNC_CANCEL_FD_FIXED, &m);
	if (err < 0)
		return err;
	long result = cancel_and_wait(u, &m, deadline_ns);
	if (m.file)
		file_put(m.file);
	return result;
}

/* --- the ring, or its program, ends --- */

/* What was held back begins, to be cancelled. */
static void release_deferred(struct uring *u)
{
	struct list *item;
	irq_state state = spin_lock(&u->lock);
	while ((item = list_pop_front(&u->deferred))) {
		struct request *r = list_entry(item, struct request, queue_link);
		r->cancelled = true;
		u->n_active += r->chain_length;
		request_make_ready(r);
	}
	spin_unlock(&u->lock, state);
}

void uring_cancel_all(struct uring *u)
{
	const struct cancel_match all = {.flags = IORING_ASYNC_CANCEL_ANY, .only = 0xff};
	bool was_dying = u->dying;
	u->dying = true;
	while (u->n_requests) {
		release_deferred(u);
		uring_cancel(u, &all, NULL);
		uring_run_ready(u);
		if (u->n_requests)
			(void)wait_event_(&u->waiters, EVENTS_ALL, u->n_requests == 0,
				clock_monotonic_ns() + 5 * NS_PER_MS, 0, thread_block);
	}
	u->dying = was_dying;
}
