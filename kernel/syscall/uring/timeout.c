/* Timeouts: alone, counting completions, and of the request they are linked to. */
#include "kernel/arch/timer.h"
#include "kernel/syscall/uring/uring.h"

#define CLOCKS (IORING_TIMEOUT_BOOTTIME | IORING_TIMEOUT_REALTIME)

static void timer_fired(struct timer *t)
{
	struct request *r = container_of(t, struct request, timer);
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	bool ready = r->state == REQUEST_WAITING;
	r->expired = true;
	if (ready)
		request_make_ready(r);
	spin_unlock(&u->lock, state);
	/* Its next owner stops the timer first, which waits for this function: r and u stay. */
	if (ready)
		uring_kick(u);
}

void timeout_stop_timer(struct request *r)
{
	if (r->has_timer)
		timer_stop(&r->timer);
	r->has_timer = false;
}

/* The monotonic time that the request's timespec and flags name. */
static int deadline_of(user_addr spec, unsigned flags, uint64_t *out)
{
	struct linux_timespec t;
	uint64_t span_ns, now_ns = clock_monotonic_ns();
	if (copy_in(&t, spec, sizeof(t)) < 0)
		return -EFAULT;
	/* Any number of nanoseconds will do, as on Linux. */
	if (t.tv_sec < 0 || t.tv_nsec < 0)
		return -EINVAL;
	if (__builtin_mul_overflow((uint64_t)t.tv_sec, NS_PER_S, &span_ns) ||
		__builtin_add_overflow(span_ns, (uint64_t)t.tv_nsec, &span_ns))
		span_ns = INT64_MAX;
	if (flags & IORING_TIMEOUT_ABS) {
		uint64_t clock_ns = flags & IORING_TIMEOUT_REALTIME ? clock_realtime_ns() : now_ns;
		span_ns = span_ns > clock_ns ? span_ns - clock_ns : 0;
	}
	*out = span_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + span_ns;
	return 0;
}

static int timespec_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->buf_index || s->len != 1 || s->splice_fd_in)
		return -EINVAL;
	if (s->op_flags & ~(IORING_TIMEOUT_ABS | CLOCKS | IORING_TIMEOUT_ETIME_SUCCESS) ||
		(s->op_flags & CLOCKS) == CLOCKS)
		return -EINVAL;
	return deadline_of(user_at(s->addr), s->op_flags, &r->deadline_ns);
}

int timeout_prepare(struct request *r)
{
	return timespec_prepare(r);
}

int link_timeout_prepare(struct request *r)
{
	return r->sqe.off ? -EINVAL : timespec_prepare(r);
}

/* Under u->lock.  True: it has something to say already. */
static bool sleep_locked(struct request *r)
{
	if (r->cancelled || r->expired)
		return true;
	r->state = REQUEST_WAITING;
	return false;
}

static void start_timer(struct request *r)
{
	timer_init(&r->timer, timer_fired);
	r->has_timer = true;
	timer_start(&r->timer, r->deadline_ns);
}

static bool is_link_timeout(const struct request *r)
{
	return r->sqe.opcode == IORING_OP_LINK_TIMEOUT;
}

/* Its time has come, or the completions it counted. */
static long timeout_result(struct request *r)
{
	if (r->deadline_ns > clock_monotonic_ns())
		return 0;
	if (r->sqe.op_flags & IORING_TIMEOUT_ETIME_SUCCESS)
		r->wanted = -ETIME;
	return -ETIME;
}

/* What it watches is cancelled; -ENOENT when that has ended just now. */
static long link_timeout_result(struct request *r)
{
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	struct request *watched = r->timeout;
	int err = -ENOENT;
	if (watched) {
		watched->timeout = NULL;
		r->timeout = NULL;
		err = request_cancel_locked(watched);
	}
	spin_unlock(&u->lock, state);
	if (watched)
		uring_kick(u);
	return !watched ? -ECANCELED : err ? err : -ETIME;
}

/* Called when it begins and when it is over. */
long timeout_issue(struct request *r)
{
	struct uring *u = r->ring;
	if (is_link_timeout(r))
		return r->expired ? link_timeout_result(r) : -ECANCELED;
	if (r->expired)
		return timeout_result(r);
	irq_state state = spin_lock(&u->lock);
	r->count_from = u->n_completed;
	r->counts = r->sqe.off != 0;
	u->n_counting += r->counts;
	r->state = REQUEST_WAITING;
	/* Armed under the lock: whoever ends it stops a timer that runs. */
	start_timer(r);
	spin_unlock(&u->lock, state);
	return ISSUE_PENDING;
}

void timeout_drop(struct request *r)
{
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	u->n_counting -= r->counts;
	spin_unlock(&u->lock, state);
}

bool timeouts_count_locked(struct uring *u)
{
	struct request *r;
	bool any = false;
	list_for_each (r, &u->requests, link) {
		if (r->sqe.opcode != IORING_OP_TIMEOUT || r->state != REQUEST_WAITING ||
			!r->sqe.off)
			continue;
		if (u->n_completed - r->count_from < (uint32_t)r->sqe.off)
			continue;
		r->expired = true;
		request_make_ready(r);
		any = true;
	}
	return any;
}

/* --- IORING_OP_LINK_TIMEOUT --- */

void link_timeout_start(struct request *r)
{
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	struct request *t = r->timeout;
	if (t && !is_link_timeout(r) && !t->in_table) {
		list_push_back(&u->requests, &t->link);
		t->in_table = true;
		if (!sleep_locked(t))
			start_timer(t);
	}
	spin_unlock(&u->lock, state);
}

void link_timeout_stop(struct request *r)
{
	struct uring *u = r->ring;
	if (is_link_timeout(r))
		return;
	irq_state state = spin_lock(&u->lock);
	struct request *t = r->timeout;
	bool kick = false;
	if (t) {
		r->timeout = t->timeout = NULL;
		if (!t->in_table) {
			list_push_back(&u->requests, &t->link);
			t->in_table = true;
			t->state = REQUEST_WAITING;
		}
		/* Otherwise it is about to find that there is nothing to cancel. */
		if (t->state == REQUEST_WAITING) {
			t->cancelled = true;
			request_make_ready(t);
			kick = true;
		}
	}
	spin_unlock(&u->lock, state);
	if (kick)
		uring_kick(u);
}

/* --- IORING_OP_TIMEOUT_REMOVE, which also updates --- */

int timeout_remove_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	unsigned clocks = s->op_flags & CLOCKS;
	if (s->buf_index || s->len || s->splice_fd_in)
		return -EINVAL;
	if (!(s->op_flags & (IORING_TIMEOUT_UPDATE | IORING_LINK_TIMEOUT_UPDATE)))
		return s->op_flags ? -EINVAL : 0;
	if (clocks == CLOCKS ||
		(s->op_flags & ~(IORING_TIMEOUT_UPDATE | IORING_LINK_TIMEOUT_UPDATE |
				       IORING_TIMEOUT_ABS | CLOCKS)))
		return -EINVAL;
	return deadline_of(user_at(s->off), s->op_flags, &r->deadline_ns);
}

long timeout_remove_issue(struct request *r)
{
	struct uring *u = r->ring;
	unsigned flags = r->sqe.op_flags;
	uint8_t kind =
		flags & IORING_LINK_TIMEOUT_UPDATE ? IORING_OP_LINK_TIMEOUT : IORING_OP_TIMEOUT;
	irq_state state = spin_lock(&u->lock);
	struct request *target = request_find_locked(u, r->sqe.addr, kind);
	long result = target ? 0 : -ENOENT;
	if (target && target->state != REQUEST_WAITING) {
		result = -EALREADY;
	} else if (target && (flags & (IORING_TIMEOUT_UPDATE | IORING_LINK_TIMEOUT_UPDATE))) {
		target->deadline_ns = r->deadline_ns;
		timer_start(&target->timer, target->deadline_ns);
	} else if (target) {
		result = request_cancel_locked(target);
	}
	spin_unlock(&u->lock, state);
	if (target)
		uring_kick(u);
	return result;
}
