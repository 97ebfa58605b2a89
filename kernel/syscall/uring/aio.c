/*
 * io_submit(2) and kin.  A context is a ring of events mapped into the program at the address that is its name;
 * requests run in the threads of the pool (work.h), IOCB_CMD_POLL hangs on its file.
 */
#include "abi/linux/aio.h"
#include "abi/linux/fcntl.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/uring/uring.h"

#define EVENTS_MAX 65536u /* fs.aio-max-nr */
#define KEY_CANCEL 0u

struct aio {
	struct list link; /* under all_lock */
	atomic_uint references;
	uintptr_t address;
	struct ring_memory *memory;
	unsigned size, limit; /* slots of the ring; requests at a time */
	atomic_bool dead;
	struct spinlock lock;
	/* under lock: */
	uint32_t tail;
	unsigned n_active;   /* requests and events not taken yet count against limit */
	struct list polling; /* requests that wait for a file */
	struct wait_queue arrived;
};

enum iocb_state { IOCB_RUNNING, IOCB_ARMING, IOCB_WAITING, IOCB_FINISHED };

struct iocb_request {
	struct list link; /* context's polling */
	struct aio *context;
	struct linux_iocb iocb;
	uint64_t at; /* where the program keeps it */
	struct file *file, *eventfd;
	struct user_pieces pieces;
	bool has_pieces;
	struct waiter waiter;
	enum iocb_state state; /* of polls, under context->lock */
	bool woken, cancelled;
	struct work work;
};

static struct spinlock all_lock;
static struct list all = LIST_INIT(all);
static unsigned n_reserved; /* under all_lock: sum of limits */

/* --- contexts --- */

static void aio_put(struct aio *a)
{
	if (atomic_fetch_sub(&a->references, 1) != 1)
		return;
	ring_memory_put(a->memory);
	irq_state state = spin_lock(&all_lock);
	n_reserved -= a->limit;
	spin_unlock(&all_lock, state);
	heap_free(a);
}

static int aio_find(uintptr_t address, struct aio **out)
{
	struct aio *a, *found = NULL;
	irq_state state = spin_lock(&all_lock);
	list_for_each (a, &all, link)
		if (a->address == address)
			found = a;
	if (found)
		atomic_fetch_add(&found->references, 1);
	spin_unlock(&all_lock, state);
	*out = found;
	return found ? 0 : -EINVAL;
}

static struct linux_aio_ring *header(const struct aio *a)
{
	return a->memory->pages[0];
}

/* Events follow the 32 bytes of the header; both sizes divide a page. */
static struct linux_io_event *slot(const struct aio *a, uint32_t n)
{
	return ring_memory_at(
		a->memory, sizeof(struct linux_aio_ring) + n * sizeof(struct linux_io_event));
}

static int map_context(struct aio *a)
{
	const struct map_request r = {
		.length = a->memory->n_pages * PAGE_SIZE,
		.prot = MMU_READ | MMU_WRITE,
		.max_prot = MMU_READ | MMU_WRITE,
		.flags = AREA_SHARED,
		.cache = &a->memory->cache,
		.name = "/[aio] (deleted)",
	};
	rw_lock_write(&process.space_lock);
	int err = address_space_map(&process.space, &r, &a->address);
	rw_unlock_write(&process.space_lock);
	return err;
}

static void unmap_context(struct aio *a)
{
	rw_lock_write(&process.space_lock);
	const struct area *area = area_at(&process.space, a->address);
	/* The program may have unmapped or moved it: what is there now is its own. */
	if (area && area->cache == &a->memory->cache)
		(void)!address_space_unmap(
			&process.space, a->address, a->memory->n_pages * PAGE_SIZE);
	rw_unlock_write(&process.space_lock);
}

static int aio_new(unsigned n, struct aio **out)
{
	struct aio *a = heap_zalloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	size_t bytes = sizeof(struct linux_aio_ring) + (n + 2) * sizeof(struct linux_io_event);
	bytes = align_up(bytes, PAGE_SIZE);
	int err = ring_memory_new(bytes, &a->memory);
	if (err < 0) {
		heap_free(a);
		return err;
	}
	a->references = 1;
	a->limit = n;
	a->size =
		(unsigned)((bytes - sizeof(struct linux_aio_ring)) / sizeof(struct linux_io_event));
	list_init(&a->link);
	list_init(&a->polling);
	wait_queue_init(&a->arrived);
	struct linux_aio_ring *h = header(a);
	h->nr = a->size;
	h->magic = AIO_RING_MAGIC;
	h->compat_features = 1;
	h->header_length = sizeof(*h);
	*out = a;
	return 0;
}

static bool reserve(unsigned n)
{
	irq_state state = spin_lock(&all_lock);
	bool fits = n_reserved + n <= EVENTS_MAX;
	n_reserved += fits ? n : 0;
	spin_unlock(&all_lock, state);
	return fits;
}

long sys_io_setup(const struct syscall_args *args)
{
	uint64_t old;
	unsigned n = arg_uint(args, 0);
	struct aio *a = NULL;
	if (copy_in(&old, arg_user(args, 1), sizeof(old)) < 0)
		return -EFAULT;
	if (old || n == 0 || n > 0x10000000u)
		return -EINVAL;
	if (n > EVENTS_MAX || !reserve(n))
		return -EAGAIN;
	uring_watch_process();
	int err = work_start();
	if (err == 0)
		err = aio_new(n, &a);
	if (err < 0) {
		irq_state state = spin_lock(&all_lock);
		n_reserved -= n;
		spin_unlock(&all_lock, state);
		return err;
	}
	err = map_context(a);
	if (err == 0 && copy_out(arg_user(args, 1), &a->address, sizeof(a->address)) < 0) {
		unmap_context(a);
		err = -EFAULT;
	}
	if (err < 0) {
		aio_put(a);
		return err;
	}
	irq_state state = spin_lock(&all_lock);
	list_push_back(&all, &a->link);
	spin_unlock(&all_lock, state);
	return 0;
}

/* --- completions --- */

static void request_free(struct iocb_request *r)
{
	struct aio *a = r->context;
	if (r->file)
		file_put(r->file);
	if (r->eventfd)
		file_put(r->eventfd);
	if (r->has_pieces)
		user_pieces_put(&r->pieces);
	heap_free(r);
	aio_put(a);
}

static unsigned events_there(const struct aio *a)
{
	uint32_t head = header(a)->head % a->size, tail = a->tail;
	return tail >= head ? tail - head : tail + a->size - head;
}

/* There is always a slot: requests and events together are fewer than slots, unless the program lies about its head;
 * then its own events are lost. */
static void put_event(struct aio *a, const struct linux_io_event *e)
{
	irq_state state = spin_lock(&a->lock);
	*slot(a, a->tail) = *e;
	a->tail = (a->tail + 1) % a->size;
	atomic_store_explicit(&header(a)->tail, a->tail, memory_order_release);
	a->n_active--;
	spin_unlock(&a->lock, state);
	wait_wake_all(&a->arrived, EVENTS_ALL);
}

static void signal_file(struct file *f)
{
	uint64_t one = 1;
	struct io_buffer b;
	io_buffer_kernel(&b, &one, sizeof(one));
	struct thread *self = thread_current();
	bool before = self->no_wait;
	self->no_wait = true;
	(void)!file_write(f, &b, NULL);
	self->no_wait = before;
}

static void complete(struct iocb_request *r, long result)
{
	const struct linux_io_event e = {r->iocb.data, r->at, result, 0};
	struct file *eventfd = r->eventfd;
	r->eventfd = NULL;
	/* Closed before it is told, as a call that has returned would have. */
	file_put(r->file);
	r->file = NULL;
	put_event(r->context, &e);
	if (eventfd) {
		signal_file(eventfd);
		file_put(eventfd);
	}
	request_free(r);
}

/* --- work --- */

static bool vectored(const struct iocb_request *r)
{
	return r->iocb.opcode == IOCB_CMD_PREADV || r->iocb.opcode == IOCB_CMD_PWRITEV;
}

static long transfer(struct iocb_request *r, bool reading)
{
	const struct io_piece one = {user_at(r->iocb.buf), min(r->iocb.nbytes, TRANSFER_MAX)};
	struct io_buffer b;
	uint64_t at = (uint64_t)r->iocb.offset;
	if (vectored(r))
		io_buffer_user(&b, r->pieces.pieces, r->pieces.n);
	else
		io_buffer_user(&b, &one, 1);
	const uint64_t *position = r->file->ops->seek ? &at : NULL;
	if (reading)
		return file_read(r->file, &b, position);
	long n = file_write(r->file, &b, position);
	/* RWF_DSYNC, RWF_SYNC: done only when it is on the disk. */
	if (n > 0 && r->iocb.rw_flags && r->file->ops->sync) {
		int err = r->file->ops->sync(r->file, !(r->iocb.rw_flags & RWF_SYNC));
		n = err < 0 ? err : n;
	}
	return n;
}

static long perform(struct iocb_request *r)
{
	switch (r->iocb.opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PREADV:
		return transfer(r, true);
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PWRITEV:
		return transfer(r, false);
	default:
		return r->file->ops->sync
			       ? r->file->ops->sync(r->file, r->iocb.opcode == IOCB_CMD_FDSYNC)
			       : -EINVAL;
	}
}

static void run(struct work *w)
{
	struct iocb_request *r = container_of(w, struct iocb_request, work);
	complete(r, perform(r));
}

/* --- IOCB_CMD_POLL --- */

static unsigned poll_events(const struct iocb_request *r)
{
	return (unsigned)r->iocb.buf & 0xffff;
}

static bool poll_woken(struct waiter *w, unsigned events)
{
	(void)events;
	struct iocb_request *r = container_of(w, struct iocb_request, waiter);
	struct aio *a = r->context;
	irq_state state = spin_lock(&a->lock);
	bool ours = r->state == IOCB_WAITING;
	r->woken = true;
	if (ours)
		r->state = IOCB_RUNNING;
	spin_unlock(&a->lock, state);
	if (ours)
		work_now(&r->work);
	return ours;
}

/* It waits, or it is over: by the pool's prompt thread, or by who submitted it. */
static void poll_look(struct work *w)
{
	struct iocb_request *r = container_of(w, struct iocb_request, work);
	struct aio *a = r->context;
	struct wait_queue *queue = r->file->ready;
	for (;;) {
		irq_state state = spin_lock(&a->lock);
		r->state = IOCB_ARMING;
		r->woken = false;
		spin_unlock(&a->lock, state);
		unsigned now = file_poll(r->file) & (poll_events(r) | POLLERR | POLLHUP);
		state = spin_lock(&a->lock);
		bool over = now || r->cancelled;
		bool again = !over && r->woken;
		r->state = over ? IOCB_FINISHED : again ? IOCB_RUNNING : IOCB_WAITING;
		if (over)
			list_remove(&r->link);
		spin_unlock(&a->lock, state);
		if (over) {
			if (queue)
				wait_remove(queue, &r->waiter);
			complete(r, r->cancelled && !now ? -ECANCELED : (long)now);
			return;
		}
		if (!again)
			return;
	}
}

static void start_poll(struct iocb_request *r)
{
	struct aio *a = r->context;
	r->waiter =
		(struct waiter){.events = poll_events(r) | POLLERR | POLLHUP, .wake = poll_woken};
	list_init(&r->waiter.link);
	irq_state state = spin_lock(&a->lock);
	r->state = IOCB_RUNNING;
	list_push_back(&a->polling, &r->link);
	spin_unlock(&a->lock, state);
	if (r->file->ready)
		wait_add(r->file->ready, &r->waiter);
	poll_look(&r->work);
}

/* --- io_submit(2) --- */

static int check(const struct linux_iocb *c)
{
	if (c->reserved || (c->flags & ~(IOCB_FLAG_RESFD | IOCB_FLAG_IOPRIO)))
		return -EINVAL;
	if ((int64_t)c->nbytes < 0)
		return -EINVAL;
	switch (c->opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PREADV:
	case IOCB_CMD_PWRITEV:
		return c->rw_flags & ~(RWF_DSYNC | RWF_SYNC) ? -EOPNOTSUPP : 0;
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		return c->buf || c->offset || c->nbytes || c->rw_flags ? -EINVAL : 0;
	case IOCB_CMD_POLL:
		return (uint16_t)c->buf != c->buf || c->offset || c->nbytes || c->rw_flags ? -EINVAL
											   : 0;
	default:
		return -EINVAL;
	}
}

/* What the call itself would refuse is refused at submission. */
static int check_file(struct iocb_request *r)
{
	bool reads = r->iocb.opcode == IOCB_CMD_PREAD || r->iocb.opcode == IOCB_CMD_PREADV;
	bool writes = r->iocb.opcode == IOCB_CMD_PWRITE || r->iocb.opcode == IOCB_CMD_PWRITEV;
	if ((reads && !file_readable(r->file)) || (writes && !file_writable(r->file)))
		return -EBADF;
	if ((reads && !r->file->ops->read) || (writes && !r->file->ops->write))
		return -EINVAL;
	if ((reads || writes) && r->file->ops->seek && r->iocb.offset < 0)
		return -EINVAL;
	if ((r->iocb.opcode == IOCB_CMD_FSYNC || r->iocb.opcode == IOCB_CMD_FDSYNC) &&
		!r->file->ops->sync)
		return -EINVAL;
	if (!vectored(r))
		return 0;
	int err = user_pieces_get(&r->pieces, user_at(r->iocb.buf), r->iocb.nbytes);
	r->has_pieces = err == 0;
	return err;
}

static int get_files(struct iocb_request *r)
{
	int err = fd_get((int)r->iocb.fd, &r->file);
	if (err < 0)
		return err;
	if (r->iocb.flags & IOCB_FLAG_RESFD) {
		err = fd_get((int)r->iocb.resfd, &r->eventfd);
		if (err == 0 && !file_is_eventfd(r->eventfd))
			err = -EINVAL;
	}
	return err < 0 ? err : check_file(r);
}

static bool take_slot(struct aio *a)
{
	irq_state state = spin_lock(&a->lock);
	bool free = a->n_active + events_there(a) < a->limit;
	a->n_active += free;
	spin_unlock(&a->lock, state);
	return free;
}

static void give_slot_back(struct aio *a)
{
	irq_state state = spin_lock(&a->lock);
	a->n_active--;
	spin_unlock(&a->lock, state);
}

static int submit_one(struct aio *a, user_addr at)
{
	const uint32_t key = KEY_CANCEL;
	if (!take_slot(a))
		return -EAGAIN;
	struct iocb_request *r = heap_zalloc(sizeof(*r));
	if (!r) {
		give_slot_back(a);
		return -EAGAIN;
	}
	r->context = a;
	r->at = at.va;
	atomic_fetch_add(&a->references, 1);
	list_init(&r->link);
	int err = copy_in(&r->iocb, at, sizeof(r->iocb));
	if (err == 0)
		err = check(&r->iocb);
	if (err == 0)
		err = get_files(r);
	if (err == 0)
		err = copy_out(
			user_offset(at, offsetof(struct linux_iocb, key)), &key, sizeof(key));
	if (err < 0) {
		give_slot_back(a);
		request_free(r);
		return err;
	}
	bool polls = r->iocb.opcode == IOCB_CMD_POLL;
	work_init(&r->work, polls ? poll_look : run);
	if (polls)
		start_poll(r);
	else
		work_queue(&r->work);
	return 0;
}

long sys_io_submit(const struct syscall_args *args)
{
	struct aio *a;
	long n = (long)args->a[1], done = 0, err = 0;
	if (n < 0)
		return -EINVAL;
	err = aio_find(args->a[0], &a);
	if (err < 0)
		return err;
	n = min(n, (long)a->size);
	while (done < n && !a->dead) {
		uint64_t at;
		err = copy_in(
			&at, user_offset(arg_user(args, 2), (size_t)done * sizeof(at)), sizeof(at));
		if (err == 0)
			err = submit_one(a, user_at(at));
		if (err < 0)
			break;
		done++;
	}
	aio_put(a);
	return done ? done : err;
}

/* --- io_getevents(2) --- */

/* Up to n events out of the ring; the program takes them out, too, so head is where it says. */
static long take_events(struct aio *a, user_addr to, long n)
{
	long done = 0;
	while (done < n) {
		struct linux_io_event e = {0};
		irq_state state = spin_lock(&a->lock);
		bool any = events_there(a) > 0;
		if (any) {
			uint32_t head = header(a)->head % a->size;
			e = *slot(a, head);
			header(a)->head = (head + 1) % a->size;
		}
		spin_unlock(&a->lock, state);
		if (!any)
			break;
		if (copy_out(user_offset(to, (size_t)done * sizeof(e)), &e, sizeof(e)) < 0)
			return done ? done : -EFAULT;
		done++;
	}
	return done;
}

static long get_events(const struct syscall_args *args, uint64_t span_ns)
{
	struct aio *a;
	long least = (long)args->a[1], n = (long)args->a[2], done = 0;
	int err = aio_find(args->a[0], &a);
	if (err < 0)
		return err;
	if (least < 0 || n < 0 || least > n) {
		aio_put(a);
		return -EINVAL;
	}
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t deadline_ns = span_ns > NO_DEADLINE - now_ns ? NO_DEADLINE : now_ns + span_ns;
	for (;;) {
		long got = take_events(a,
			user_offset(
				arg_user(args, 3), (size_t)done * sizeof(struct linux_io_event)),
			n - done);
		if (got < 0)
			err = (int)got;
		else
			done += got;
		if (err < 0 || done >= least || a->dead)
			break;
		err = wait_event_interruptible(
			&a->arrived, EVENTS_ALL, events_there(a) || a->dead, deadline_ns);
		if (err == -ETIMEDOUT) {
			err = 0;
			if (!events_there(a))
				break;
		}
	}
	aio_put(a);
	return done ? done : err;
}

static int get_span(user_addr at, uint64_t *span_ns)
{
	*span_ns = NO_DEADLINE;
	return at.va ? user_timespec(at, span_ns) : 0;
}

long sys_io_getevents(const struct syscall_args *args)
{
	uint64_t span_ns;
	int err = get_span(arg_user(args, 4), &span_ns);
	return err < 0 ? err : get_events(args, span_ns);
}

long sys_io_pgetevents(const struct syscall_args *args)
{
	struct {
		uint64_t mask, size;
	} given = {0, 0};
	uint64_t span_ns, mask;
	int err = get_span(arg_user(args, 4), &span_ns);
	if (err == 0 && args->a[5])
		err = copy_in(&given, arg_user(args, 5), sizeof(given));
	if (err == 0 && given.mask)
		err = user_sigset(user_at(given.mask), given.size, &mask);
	if (err < 0)
		return err;
	if (given.mask)
		signal_set_temporary_mask(mask);
	long result = get_events(args, span_ns);
	if (given.mask)
		signal_end_temporary_mask(result);
	return result;
}

/* --- cancelling, and the end --- */

/* Under a->lock: a poll that waits is over, soon. */
static bool cancel_locked(struct iocb_request *r)
{
	r->cancelled = true;
	r->woken = true;
	if (r->state != IOCB_WAITING)
		return false;
	r->state = IOCB_RUNNING;
	return true;
}

/* Only what waits for a file can be cancelled; its event comes all the same (aio_cancel of Linux: -EINPROGRESS). */
long sys_io_cancel(const struct syscall_args *args)
{
	struct aio *a;
	uint32_t key;
	if (copy_in(&key, user_offset(arg_user(args, 1), offsetof(struct linux_iocb, key)),
		    sizeof(key)) < 0)
		return -EFAULT;
	if (key != KEY_CANCEL)
		return -EINVAL;
	int err = aio_find(args->a[0], &a);
	if (err < 0)
		return err;
	struct iocb_request *r, *found = NULL, *waits = NULL;
	irq_state state = spin_lock(&a->lock);
	list_for_each (r, &a->polling, link)
		if (r->at == args->a[1])
			found = r;
	if (found && cancel_locked(found))
		waits = found;
	spin_unlock(&a->lock, state);
	if (waits)
		work_now(&waits->work);
	aio_put(a);
	return found ? -EINPROGRESS : -EINVAL;
}

static void cancel_polls(struct aio *a)
{
	for (;;) {
		struct iocb_request *r, *waits = NULL;
		irq_state state = spin_lock(&a->lock);
		list_for_each (r, &a->polling, link)
			if (cancel_locked(r)) {
				waits = r;
				break;
			}
		spin_unlock(&a->lock, state);
		if (!waits)
			return;
		work_now(&waits->work);
	}
}

/* Nothing of it is at work any more. */
static void aio_end(struct aio *a)
{
	a->dead = true;
	wait_wake_all(&a->arrived, EVENTS_ALL);
	cancel_polls(a);
	while (a->n_active)
		(void)wait_event_(&a->arrived, EVENTS_ALL, a->n_active == 0,
			clock_monotonic_ns() + 5 * NS_PER_MS, 0, thread_block);
}

static bool unlist(struct aio *a)
{
	irq_state state = spin_lock(&all_lock);
	bool listed = !list_empty(&a->link);
	list_remove(&a->link);
	spin_unlock(&all_lock, state);
	return listed;
}

long sys_io_destroy(const struct syscall_args *args)
{
	struct aio *a;
	int err = aio_find(args->a[0], &a);
	if (err < 0)
		return err;
	if (!unlist(a)) {
		aio_put(a);
		return -EINVAL;
	}
	aio_end(a);
	unmap_context(a);
	aio_put(a);
	aio_put(a);
	return 0;
}

void aio_end_all(void)
{
	for (;;) {
		irq_state state = spin_lock(&all_lock);
		struct list *item = list_pop_front(&all);
		spin_unlock(&all_lock, state);
		if (!item)
			return;
		struct aio *a = list_entry(item, struct aio, link);
		aio_end(a);
		aio_put(a);
	}
}
