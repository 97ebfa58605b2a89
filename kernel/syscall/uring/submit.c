/*
 * From the submission queue to requests, in chains of linked ones; and a request's course: try, wait, try again, end.
 */
#include "kernel/file/fd_table.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/uring/uring.h"

#define REQUESTS_MAX 65536u /* of one ring */
#define SPINS_MAX 3u /* tries that a file said ready for, in vain: then it may block in the pool */
#define IOSQE_LINKS (IOSQE_IO_LINK | IOSQE_IO_HARDLINK)

/* --- their end --- */

/* A ring that a request keeps open waits, when closed, for that request: closed later, by the pool. */
static void drop_file(struct request *r)
{
	if (!r->file || uring_of_file(r->file))
		return;
	file_put(r->file);
	r->file = NULL;
}

static void close_ring(struct work *w)
{
	struct request *r = container_of(w, struct request, work);
	file_put(r->file);
	heap_free(r);
}

/* Under u->lock: chains that waited for others to end. */
static bool start_deferred(struct uring *u)
{
	bool any = false;
	if (u->n_active == 0)
		u->draining = false;
	while (!list_empty(&u->deferred) && !u->draining) {
		struct request *r = list_first(&u->deferred, struct request, queue_link);
		if (r->drain && u->n_active > 0)
			break;
		u->draining = r->drain;
		list_remove(&r->queue_link);
		u->n_active += r->chain_length;
		request_make_ready(r);
		any = true;
	}
	return any;
}

static void request_free(struct request *r, bool active)
{
	struct uring *u = r->ring;
	bool kick = false;
	drop_file(r);
	if (r->operation && r->operation->drop)
		r->operation->drop(r);
	heap_free(r->data);
	irq_state state = spin_lock(&u->lock);
	if (r->in_table)
		list_remove(&r->link);
	u->n_active -= active;
	if (!list_empty(&u->deferred) || u->draining)
		kick = start_deferred(u);
	bool quiet = --u->n_requests == 0;
	spin_unlock(&u->lock, state);
	if (r->file) {
		work_init(&r->work, close_ring);
		work_now(&r->work);
	} else {
		heap_free(r);
	}
	if (kick)
		uring_kick(u);
	if (quiet && u->dying)
		wait_wake(&u->waiters, EVENTS_ALL);
	uring_put(u);
}

/* The rest of a broken chain.  quiet: its head asked for no completions. */
static void fail_chain(struct request *r, bool quiet, bool active)
{
	while (r) {
		struct request *next = r->next;
		r->sqe.flags = (uint8_t)(r->sqe.flags & ~IOSQE_CQE_SKIP_SUCCESS);
		if (r->timeout)
			r->timeout->next = next, next = r->timeout, r->timeout->timeout = NULL;
		r->timeout = NULL;
		if (!quiet)
			cqe_post_of(r, r->prepare_error ? r->prepare_error : -ECANCELED, 0);
		request_free(r, active);
		r = next;
	}
}

/* Its completion; what was linked behind it comes back to be run, or fails with it. */
static struct request *request_end(struct request *r, long result)
{
	bool failed = r->failed || (r->wanted == ANY_SUCCESS ? result < 0 : result != r->wanted);
	bool skip = r->sqe.flags & IOSQE_CQE_SKIP_SUCCESS;
	if (r->buffer.taken && result <= 0)
		buffer_return(r);
	uint32_t flags = r->cqe_flags | buffer_consume(r);
	/* Given up first: the completion may be what another request waits for to use it. */
	drop_file(r);
	link_timeout_stop(r);
	if (!r->no_cqe && !(skip && !failed))
		cqe_post_of(r, result, flags);
	struct request *next = r->next;
	r->next = NULL;
	if (next && failed && !(r->sqe.flags & IOSQE_IO_HARDLINK)) {
		fail_chain(next, skip, true);
		next = NULL;
	}
	request_free(r, true);
	return next;
}

/* --- their course --- */

void request_make_ready(struct request *r)
{
	r->state = REQUEST_READY;
	list_push_back(&r->ring->ready, &r->queue_link);
}

static bool pollable(const struct request *r)
{
	return r->operation->events && r->file->ready && r->file->ops->poll;
}

static long resolve_file(struct request *r)
{
	if (r->file || !(r->operation->flags & OP_FILE))
		return 0;
	if (r->sqe.flags & IOSQE_FIXED_FILE)
		return files_get(r->ring, (unsigned)r->sqe.fd, &r->file);
	return fd_get(r->sqe.fd, &r->file);
}

static void run_in_pool(struct work *w)
{
	struct request *r = container_of(w, struct request, work);
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	r->state = REQUEST_RUNNING;
	r->worker = thread_current();
	spin_unlock(&u->lock, state);
	uring_get(u);
	request_run(r);
	uring_announce_from_pool(u);
	uring_put(u);
}

static void give_to_pool(struct request *r)
{
	struct uring *u = r->ring;
	r->may_wait = true;
	work_init(&r->work, run_in_pool);
	irq_state state = spin_lock(&u->lock);
	r->state = REQUEST_QUEUED;
	spin_unlock(&u->lock, state);
	work_queue(&r->work);
}

static long attempt(struct request *r)
{
	struct thread *self = thread_current();
	bool before = self->no_wait;
	self->no_wait = !r->may_wait;
	long result = r->operation->issue(r);
	self->no_wait = before;
	return result;
}

static bool goes_to_pool(const struct request *r)
{
	if (r->may_wait)
		return false;
	return (r->operation->flags & OP_BLOCKS) ||
	       ((r->sqe.flags & IOSQE_ASYNC) && (r->operation->flags & OP_FILE) && !pollable(r));
}

/* True: it waits for its file now, and is somebody else's. */
static bool wait_for_file(struct request *r)
{
	r->retried = true;
	if (r->buffer.taken)
		buffer_return(r);
	link_timeout_start(r);
	return !request_arm(r);
}

/* As far as it goes now: ISSUE_PENDING, or its result. */
static long request_try(struct request *r)
{
	for (;;) {
		/* Read without the lock: who sets it later finds the request in a state to act on. */
		if (r->cancelled)
			return -ECANCELED;
		long result = resolve_file(r);
		if (result < 0)
			return result;
		if (goes_to_pool(r)) {
			link_timeout_start(r);
			give_to_pool(r);
			return ISSUE_PENDING;
		}
		if (!r->retried && (r->sqe.ioprio & IORING_RECVSEND_POLL_FIRST) &&
			(r->operation->flags & OP_BUFFER_SELECT) && pollable(r) &&
			r->sqe.opcode != IORING_OP_READ) {
			if (wait_for_file(r))
				return ISSUE_PENDING;
			continue;
		}
		result = attempt(r);
		if (result != -EAGAIN || r->no_retry)
			return result == -EINTR && r->cancelled ? -ECANCELED : result;
		if ((r->operation->flags & OP_FILE) && pollable(r) && r->spins++ < SPINS_MAX) {
			if (wait_for_file(r))
				return ISSUE_PENDING;
			continue;
		}
		if (r->may_wait)
			return result;
		link_timeout_start(r);
		give_to_pool(r);
		return ISSUE_PENDING;
	}
}

/* It begins: from now on it can be found. */
static void enter_table(struct request *r)
{
	struct uring *u = r->ring;
	irq_state state = spin_lock(&u->lock);
	list_push_back(&u->requests, &r->link);
	r->in_table = true;
	spin_unlock(&u->lock, state);
}

void request_run(struct request *r)
{
	while (r) {
		if (!r->in_table)
			enter_table(r);
		long result = request_try(r);
		r = result == ISSUE_PENDING ? NULL : request_end(r, result);
	}
}

static struct request *take_ready(struct uring *u)
{
	irq_state state = spin_lock(&u->lock);
	struct list *item = list_pop_front(&u->ready);
	struct request *r = item ? list_entry(item, struct request, queue_link) : NULL;
	if (r) {
		r->state = REQUEST_RUNNING;
		r->spins = 0;
	}
	spin_unlock(&u->lock, state);
	return r;
}

void uring_run_ready(struct uring *u)
{
	struct request *r;
	bool any = false;
	if (u->setup & IORING_SETUP_TASKRUN_FLAG)
		atomic_fetch_and(&u->header->sq_flags, ~IORING_SQ_TASKRUN);
	while ((r = take_ready(u))) {
		timeout_stop_timer(r);
		if (!(r->multishot && r->sqe.opcode == IORING_OP_POLL_ADD && !r->cancelled))
			request_disarm(r);
		request_run(r);
		any = true;
	}
	if (any)
		uring_announce(u);
}

void uring_kick(struct uring *u)
{
	if (atomic_load(&u->n_waiting)) {
		wait_wake(&u->waiters, EVENTS_ALL);
		return;
	}
	irq_state state = spin_lock(&u->lock);
	bool queue = !u->run_queued;
	u->run_queued = true;
	if (queue)
		uring_get(u);
	if (u->setup & IORING_SETUP_TASKRUN_FLAG)
		atomic_fetch_or(&u->header->sq_flags, IORING_SQ_TASKRUN);
	spin_unlock(&u->lock, state);
	if (queue)
		work_now(&u->run_work);
}

/* --- from the queue --- */

struct chain {
	struct request *head, *last;
	bool failed, open; /* open: the last one taken is linked to what follows */
};

static bool read_sqe(struct uring *u, struct linux_sqe *out)
{
	uint32_t slot = u->sq_head++ & (u->sq_entries - 1);
	const _Atomic uint32_t *entry =
		ring_memory_at(u->rings, u->array_offset + slot * sizeof(uint32_t));
	uint32_t index = *entry;
	if (index >= u->sq_entries) {
		u->header->sq_dropped++;
		return false;
	}
	unsigned wide = (u->setup & IORING_SETUP_SQE128) != 0;
	memcpy(out, ring_memory_at(u->sqes, (index * sizeof(*out)) << wide), sizeof(*out));
	return true;
}

static int check_restrictions(const struct uring *u, const struct linux_sqe *s)
{
	if (!u->restricted)
		return 0;
	if (s->opcode >= 64 || !(u->allowed_ops >> s->opcode & 1))
		return -EACCES;
	if ((s->flags & u->required_flags) != u->required_flags)
		return -EACCES;
	return s->flags & ~(unsigned)(u->allowed_flags | u->required_flags) ? -EACCES : 0;
}

static int check_personality(struct uring *u, unsigned id)
{
	if (id == 0)
		return 0;
	if (id > array_size(u->personalities) || !u->personalities[id - 1].used)
		return -EINVAL;
	/* There is one set of ids for all: those registered count only while they are these. */
	const struct personality *p = &u->personalities[id - 1];
	return p->uid == process.euid && p->gid == process.egid ? 0 : -EPERM;
}

static int check_sqe(struct uring *u, const struct linux_sqe *s)
{
	if (s->opcode >= IORING_OP_LAST || (s->flags & ~IOSQE_ALL))
		return -EINVAL;
	const struct operation *o = &uring_operations[s->opcode];
	if ((s->flags & IOSQE_BUFFER_SELECT) && !(o->flags & OP_BUFFER_SELECT))
		return -EOPNOTSUPP;
	if (s->flags & IOSQE_CQE_SKIP_SUCCESS)
		u->drain_off = true;
	if ((s->flags & IOSQE_IO_DRAIN) && u->drain_off)
		return -EOPNOTSUPP;
	int err = check_restrictions(u, s);
	if (err < 0)
		return err;
	if ((o->flags & OP_NO_PRIORITY) && s->ioprio)
		return -EINVAL;
	if (!(o->flags & OP_SUPPORTED))
		return -EOPNOTSUPP;
	return check_personality(u, s->personality);
}

static struct request *request_new(struct uring *u)
{
	struct request *r = heap_zalloc(sizeof(*r));
	if (!r)
		return NULL;
	r->ring = u;
	r->wanted = ANY_SUCCESS;
	list_init(&r->link);
	list_init(&r->queue_link);
	uring_get(u);
	irq_state state = spin_lock(&u->lock);
	u->n_requests++;
	spin_unlock(&u->lock, state);
	return r;
}

static int prepare(struct uring *u, struct request *r)
{
	int err = check_sqe(u, &r->sqe);
	if (err < 0)
		return err;
	r->operation = &uring_operations[r->sqe.opcode];
	r->events = r->operation->events;
	return r->operation->prepare ? r->operation->prepare(r) : 0;
}

/* Begin the chain, or hold it back until others have ended. */
static void start_chain(struct uring *u, struct chain *c)
{
	struct request *head = c->head;
	if (!head)
		return;
	*c = (struct chain){0};
	bool drain = false;
	unsigned n = 0;
	for (const struct request *r = head; r; r = r->next) {
		drain |= (r->sqe.flags & IOSQE_IO_DRAIN) != 0;
		n += 1 + (r->timeout != NULL);
	}
	head->drain = drain;
	head->chain_length = n;
	irq_state state = spin_lock(&u->lock);
	bool wait = !list_empty(&u->deferred) || u->draining || (drain && u->n_active);
	if (wait) {
		list_push_back(&u->deferred, &head->queue_link);
	} else {
		u->n_active += n;
		u->draining = drain;
	}
	spin_unlock(&u->lock, state);
	if (!wait)
		request_run(head);
}

/* A timeout of its own kind stands beside the request before it, not behind. */
static int link_request(struct chain *c, struct request *r)
{
	bool watches = r->operation && r->sqe.opcode == IORING_OP_LINK_TIMEOUT;
	if (!c->head) {
		c->head = c->last = r;
		return watches && !r->prepare_error ? -EINVAL : 0;
	}
	if (watches && !r->prepare_error && !c->last->timeout) {
		c->last->timeout = r;
		r->timeout = c->last;
		return 0;
	}
	c->last->next = r;
	c->last = r;
	return watches && !r->prepare_error ? -EINVAL : 0;
}

static void end_chain(struct uring *u, struct chain *c)
{
	bool failed = c->failed;
	struct request *head = c->head;
	if (!failed) {
		start_chain(u, c);
		return;
	}
	*c = (struct chain){0};
	fail_chain(head, false, false);
}

/* One submission; false: it was in error. */
static bool take(struct uring *u, struct chain *c, struct request *r)
{
	r->prepare_error = prepare(u, r);
	int err = link_request(c, r);
	if (err < 0)
		r->prepare_error = err;
	c->failed |= r->prepare_error < 0;
	bool bad = r->prepare_error < 0;
	if (!(r->sqe.flags & IOSQE_LINKS))
		end_chain(u, c);
	return !bad;
}

long uring_submit(struct uring *u, unsigned n)
{
	struct chain c = {0};
	unsigned waiting = u->header->sq_tail - u->sq_head, done = 0;
	long err = 0;
	n = min(n, min(waiting, u->sq_entries));
	while (done < n) {
		if (u->n_requests >= REQUESTS_MAX) {
			err = -EBUSY;
			break;
		}
		struct request *r = request_new(u);
		err = r ? 0 : -EAGAIN;
		if (err < 0)
			break;
		if (!read_sqe(u, &r->sqe)) {
			request_free(r, false);
			break;
		}
		done++;
		if (!take(u, &c, r) && !(u->setup & IORING_SETUP_SUBMIT_ALL))
			break;
	}
	end_chain(u, &c);
	u->header->sq_head = u->sq_head;
	uring_announce(u);
	if (u->setup & IORING_SETUP_SQPOLL)
		wait_wake(&u->waiters, EVENTS_ALL);
	return done ? (long)done : err;
}
