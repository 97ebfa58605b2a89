/* io_uring_setup(2), io_uring_enter(2), the ring as a file, and its end. */
#include "abi/linux/fcntl.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/uring/sq_thread.h"
#include "kernel/syscall/uring/uring.h"

#define SQ_MAX 32768u
#define CQ_MAX (2 * SQ_MAX)
#define CQES_OFFSET PAGE_SIZE
#define FEATURES                                                                                   \
	(IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |                \
		IORING_FEAT_RW_CUR_POS | IORING_FEAT_CUR_PERSONALITY | IORING_FEAT_FAST_POLL |     \
		IORING_FEAT_POLL_32BITS | IORING_FEAT_SQPOLL_NONFIXED | IORING_FEAT_EXT_ARG |      \
		IORING_FEAT_NATIVE_WORKERS | IORING_FEAT_RSRC_TAGS | IORING_FEAT_CQE_SKIP |        \
		IORING_FEAT_LINKED_FILE)

static struct spinlock all_lock;
static struct list all = LIST_INIT(all); /* every ring, under all_lock */

static const struct file_ops uring_ops;

/* --- life --- */

void uring_put(struct uring *u)
{
	if (atomic_fetch_sub_explicit(&u->references, 1, memory_order_acq_rel) != 1)
		return;
	if (u->rings)
		ring_memory_put(u->rings);
	if (u->sqes)
		ring_memory_put(u->sqes);
	heap_free(u);
}

/* The next ring after u (NULL: the first), counted; u's reference goes. */
static struct uring *next_ring(struct uring *u)
{
	irq_state state = spin_lock(&all_lock);
	struct list *at = u ? u->all_link.next : all.next;
	/* A ring that has just ended is on no list: begin again, the rest finds nothing to do. */
	if (u && list_empty(&u->all_link))
		at = all.next;
	struct uring *next = at == &all ? NULL : list_entry(at, struct uring, all_link);
	if (next)
		uring_get(next);
	spin_unlock(&all_lock, state);
	if (u)
		uring_put(u);
	return next;
}

/* execve(2): the memory that requests name is about to go. */
static void program_left(void)
{
	for (struct uring *u = next_ring(NULL); u; u = next_ring(u)) {
		sq_thread_stop(u);
		uring_cancel_all(u);
	}
	aio_end_all();
}

/* What a thread submitted goes on without it, as on Linux. */
void uring_watch_process(void)
{
	process_set_leave_hooks(slots_forget, program_left);
}

static void release(struct file *f)
{
	struct uring *u = f->object;
	u->dying = true;
	irq_state state = spin_lock(&all_lock);
	list_remove(&u->all_link);
	spin_unlock(&all_lock, state);
	sq_thread_stop(u);
	uring_cancel_all(u);
	uring_drop_registered(u);
	uring_put(u);
}

/* --- the ring as a file --- */

static unsigned ring_poll(struct file *f)
{
	struct uring *u = f->object;
	unsigned events = 0;
	if (u->header->sq_tail - u->header->sq_head < u->sq_entries)
		events |= POLLOUT | POLLWRNORM;
	if (uring_has_news(u))
		events |= POLLIN | POLLRDNORM;
	return events;
}

static int map_window(struct file *f, uint64_t *offset, uint64_t length, struct page_cache **out)
{
	struct uring *u = f->object;
	struct ring_memory *m = *offset == 0 || *offset == IORING_OFF_CQ_RING ? u->rings
				: *offset == IORING_OFF_SQES                  ? u->sqes
									      : NULL;
	if (!m || length > m->n_pages * PAGE_SIZE)
		return -EINVAL;
	*offset = 0;
	*out = &m->cache;
	return 0;
}

/* A descriptor closes.  When all that keeps the ring open now is requests of its own that name it, they end. */
static int ring_flush(struct file *f)
{
	struct uring *u = f->object;
	const struct cancel_match m = {
		.file = f, .flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL, .only = 0xff};
	unsigned own = 0;
	struct request *r;
	irq_state state = spin_lock(&u->lock);
	list_for_each (r, &u->requests, link)
		own += r->file == f;
	spin_unlock(&u->lock, state);
	if (own && f->references <= own + 1)
		(void)!uring_cancel(u, &m, NULL);
	return 0;
}

static int describe(struct file *f, char *buf, size_t size)
{
	const struct uring *u = f->object;
	const struct ring_header *h = u->header;
	return format(buf, size,
		"SqMask:\t0x%x\nSqHead:\t%u\nSqTail:\t%u\nCqMask:\t0x%x\nCqHead:\t%u\nCqTail:\t%"
		"u\n",
		u->sq_entries - 1, h->sq_head, h->sq_tail, u->cq_entries - 1, h->cq_head,
		h->cq_tail);
}

static const struct file_ops uring_ops = {
	.kind = "[io_uring]",
	.poll = ring_poll,
	.map_window = map_window,
	.flush = ring_flush,
	.release = release,
	.describe = describe,
};

struct uring *uring_of_file(struct file *f)
{
	return f->ops == &uring_ops ? f->object : NULL;
}

int uring_of_fd(int fd, struct file **file, struct uring **out)
{
	int err = fd_get(fd, file);
	if (err < 0)
		return err;
	*out = uring_of_file(*file);
	if (*out)
		return 0;
	file_put(*file);
	return -EOPNOTSUPP;
}

/* --- io_uring_setup(2) --- */

static uint32_t power_of_two_from(uint32_t n)
{
	return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

static int check_sizes(struct linux_uring_params *p, uint32_t entries)
{
	bool clamp = p->flags & IORING_SETUP_CLAMP;
	if (entries == 0 || (entries > SQ_MAX && !clamp))
		return -EINVAL;
	p->sq_entries = power_of_two_from(min(entries, SQ_MAX));
	if (!(p->flags & IORING_SETUP_CQSIZE)) {
		p->cq_entries = 2 * p->sq_entries;
		return 0;
	}
	if (p->cq_entries == 0 || (p->cq_entries > CQ_MAX && !clamp))
		return -EINVAL;
	p->cq_entries = power_of_two_from(min(p->cq_entries, CQ_MAX));
	return p->cq_entries < p->sq_entries ? -EINVAL : 0;
}

static int check_flags(const struct linux_uring_params *p)
{
	unsigned flags = p->flags;
	if ((flags & ~IORING_SETUP_ALL) || p->pad[0] || p->pad[1] || p->pad[2])
		return -EINVAL;
	/* Busy polling of a disk: no file of ours can do it, so every request would fail. */
	if (flags & IORING_SETUP_IOPOLL)
		return -EOPNOTSUPP;
	if ((flags & IORING_SETUP_SQPOLL) &&
		(flags & (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
				 IORING_SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	if ((flags & IORING_SETUP_TASKRUN_FLAG) &&
		!(flags & (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	if ((flags & IORING_SETUP_DEFER_TASKRUN) && !(flags & IORING_SETUP_SINGLE_ISSUER))
		return -EINVAL;
	if ((flags & IORING_SETUP_SQ_AFF) &&
		(!(flags & IORING_SETUP_SQPOLL) || p->sq_thread_cpu >= cpu_count()))
		return -EINVAL;
	return 0;
}

static size_t cqe_size(unsigned setup)
{
	return setup & IORING_SETUP_CQE32 ? 2 * CQE_SIZE : CQE_SIZE;
}

static int make_memory(struct uring *u)
{
	u->array_offset = CQES_OFFSET + u->cq_entries * cqe_size(u->setup);
	int err = ring_memory_new(u->array_offset + u->sq_entries * sizeof(uint32_t), &u->rings);
	size_t sqe_size = sizeof(struct linux_sqe) << ((u->setup & IORING_SETUP_SQE128) != 0);
	if (err == 0)
		err = ring_memory_new(u->sq_entries * sqe_size, &u->sqes);
	if (err < 0)
		return err;
	struct ring_header *h = u->header = u->rings->pages[0];
	h->sq_mask = u->sq_entries - 1;
	h->sq_entries = u->sq_entries;
	h->cq_mask = u->cq_entries - 1;
	h->cq_entries = u->cq_entries;
	return 0;
}

static void run_work(struct work *w)
{
	struct uring *u = container_of(w, struct uring, run_work);
	irq_state state = spin_lock(&u->lock);
	u->run_queued = false;
	spin_unlock(&u->lock, state);
	if (u->setup & IORING_SETUP_DEFER_TASKRUN) {
		wait_wake(&u->events, POLLIN | POLLRDNORM);
		wait_wake(&u->waiters, EVENTS_ALL);
	} else {
		uring_run_ready(u);
	}
	uring_put(u);
}

static int uring_new(const struct linux_uring_params *p, struct uring **out)
{
	struct uring *u = heap_zalloc(sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->references = 1;
	u->sq_entries = p->sq_entries;
	u->cq_entries = p->cq_entries;
	u->setup = p->flags;
	u->disabled = p->flags & IORING_SETUP_R_DISABLED;
	if (!u->disabled && (p->flags & IORING_SETUP_SINGLE_ISSUER))
		u->submitter = thread_current()->tid;
	mutex_init(&u->submit);
	mutex_init(&u->buffers_lock);
	list_init(&u->all_link);
	list_init(&u->groups);
	list_init(&u->requests);
	list_init(&u->ready);
	list_init(&u->deferred);
	list_init(&u->overflow);
	wait_queue_init(&u->waiters);
	wait_queue_init(&u->events);
	work_init(&u->run_work, run_work);
	int err = make_memory(u);
	if (err == 0)
		err = work_start();
	if (err < 0)
		uring_put(u);
	*out = u;
	return err;
}

static void describe_offsets(const struct uring *u, struct linux_uring_params *p)
{
	p->features = FEATURES;
	p->sq_off = (struct linux_sq_offsets){
		.head = offsetof(struct ring_header, sq_head),
		.tail = offsetof(struct ring_header, sq_tail),
		.ring_mask = offsetof(struct ring_header, sq_mask),
		.ring_entries = offsetof(struct ring_header, sq_entries),
		.flags = offsetof(struct ring_header, sq_flags),
		.dropped = offsetof(struct ring_header, sq_dropped),
		.array = (uint32_t)u->array_offset,
	};
	p->cq_off = (struct linux_cq_offsets){
		.head = offsetof(struct ring_header, cq_head),
		.tail = offsetof(struct ring_header, cq_tail),
		.ring_mask = offsetof(struct ring_header, cq_mask),
		.ring_entries = offsetof(struct ring_header, cq_entries),
		.overflow = offsetof(struct ring_header, cq_overflow),
		.cqes = CQES_OFFSET,
		.flags = offsetof(struct ring_header, cq_flags),
	};
}

/* The threads are everybody's here: sharing those of another ring needs no more than that it is one. */
static int check_attach(const struct linux_uring_params *p)
{
	struct file *f;
	struct uring *other;
	if (!(p->flags & IORING_SETUP_ATTACH_WQ))
		return 0;
	int err = fd_get((int)p->wq_fd, &f);
	if (err < 0)
		return -ENXIO;
	other = uring_of_file(f);
	file_put(f);
	return other ? 0 : -EINVAL;
}

static long setup_ring(struct linux_uring_params *p, user_addr params_at)
{
	struct uring *u;
	struct file *f;
	uring_watch_process();
	int err = uring_new(p, &u);
	if (err < 0)
		return err;
	err = file_new(&uring_ops, u, O_RDWR, &f);
	if (err < 0) {
		uring_put(u);
		return err;
	}
	f->ready = &u->events;
	irq_state state = spin_lock(&all_lock);
	list_push_back(&all, &u->all_link);
	spin_unlock(&all_lock, state);
	if (p->flags & IORING_SETUP_SQPOLL)
		err = sq_thread_start(u, p);
	describe_offsets(u, p);
	if (err == 0)
		err = copy_out(params_at, p, sizeof(*p));
	if (err < 0) {
		file_put(f);
		return err;
	}
	return install(f, O_CLOEXEC);
}

long sys_io_uring_setup(const struct syscall_args *args)
{
	struct linux_uring_params p;
	if (copy_in(&p, arg_user(args, 1), sizeof(p)) < 0)
		return -EFAULT;
	int err = check_flags(&p);
	if (err == 0)
		err = check_sizes(&p, arg_uint(args, 0));
	if (err == 0)
		err = check_attach(&p);
	return err < 0 ? err : setup_ring(&p, arg_user(args, 1));
}

/* --- io_uring_enter(2) --- */

struct wait_request {
	unsigned wanted;
	uint64_t deadline_ns;
	user_addr mask;
	size_t mask_size;
};

static int get_wait(const struct syscall_args *args, struct wait_request *w)
{
	struct linux_getevents_arg e;
	w->wanted = arg_uint(args, 2);
	w->deadline_ns = NO_DEADLINE;
	if (!(arg_uint(args, 3) & IORING_ENTER_EXT_ARG)) {
		w->mask = arg_user(args, 4);
		w->mask_size = args->a[5];
		return 0;
	}
	if (args->a[5] != sizeof(e))
		return -EINVAL;
	if (copy_in(&e, arg_user(args, 4), sizeof(e)) < 0)
		return -EFAULT;
	if (e.pad)
		return -EINVAL;
	w->mask = user_at(e.sigmask);
	w->mask_size = e.sigmask_size;
	uint64_t span_ns, now_ns = clock_monotonic_ns();
	if (!e.ts)
		return 0;
	int err = user_timespec(user_at(e.ts), &span_ns);
	w->deadline_ns = err < 0 || span_ns > NO_DEADLINE - now_ns ? NO_DEADLINE : now_ns + span_ns;
	return err;
}

static bool ready_to_run(struct uring *u)
{
	return !list_empty(&u->ready);
}

/* Until wanted completions are there; this thread runs what becomes ready meanwhile. */
static long wait_for_completions(struct uring *u, const struct wait_request *w)
{
	long err = 0;
	struct waiter waiter;
	waiter_init_thread(&waiter, EVENTS_ALL, 0);
	atomic_fetch_add(&u->n_waiting, 1);
	wait_add(&u->waiters, &waiter);
	unsigned wanted = min(w->wanted, u->cq_entries);
	for (;;) {
		uring_run_ready(u);
		cqe_flush_overflow(u);
		if (cqe_ready(u) >= wanted)
			break;
		if (ready_to_run(u))
			continue;
		err = err ? err : thread_block_interruptible(w->deadline_ns);
		if (err < 0 && !ready_to_run(u) && cqe_ready(u) < wanted)
			break;
	}
	wait_remove(&u->waiters, &waiter);
	atomic_fetch_sub(&u->n_waiting, 1);
	if (ready_to_run(u))
		uring_kick(u);
	/* What came with the error goes first. */
	return cqe_ready(u) ? 0 : err == -ETIMEDOUT ? -ETIME : err;
}

static long wait_masked(struct uring *u, const struct wait_request *w)
{
	uint64_t mask;
	if (w->mask.va) {
		int err = user_sigset(w->mask, w->mask_size, &mask);
		if (err < 0)
			return err;
		signal_set_temporary_mask(mask);
	}
	long err = wait_for_completions(u, w);
	if (w->mask.va)
		signal_end_temporary_mask(err);
	return err;
}

static long submit_now(struct uring *u, unsigned n)
{
	mutex_lock(&u->submit);
	long submitted = uring_submit(u, n);
	mutex_unlock(&u->submit);
	return submitted;
}

static int check_issuer(struct uring *u)
{
	if (u->disabled)
		return -EBADFD;
	if ((u->setup & IORING_SETUP_SINGLE_ISSUER) && u->submitter != thread_current()->tid)
		return -EEXIST;
	return 0;
}

static long enter(struct uring *u, const struct syscall_args *args)
{
	unsigned n = arg_uint(args, 1), flags = arg_uint(args, 3);
	struct wait_request w;
	long submitted = 0;
	int err = check_issuer(u);
	/* Linux lets other threads wait, unless this ring's completions come from its thread alone. */
	if (err == -EEXIST && n == 0 && !(u->setup & IORING_SETUP_DEFER_TASKRUN))
		err = 0;
	if (err < 0)
		return err;
	if (u->setup & IORING_SETUP_SQPOLL)
		submitted = sq_thread_enter(u, n, flags);
	else if (n)
		submitted = submit_now(u, n);
	if (submitted < 0 || !(flags & IORING_ENTER_GETEVENTS) ||
		(!(u->setup & IORING_SETUP_SQPOLL) && submitted != (long)n))
		return submitted;
	err = get_wait(args, &w);
	long waited = err < 0 ? err : wait_masked(u, &w);
	return submitted ? submitted : waited;
}

#define ENTER_FLAGS                                                                                \
	(IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT |                  \
		IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING)

long sys_io_uring_enter(const struct syscall_args *args)
{
	struct file *f;
	struct uring *u;
	unsigned flags = arg_uint(args, 3);
	if (flags & ~ENTER_FLAGS)
		return -EINVAL;
	int err = flags & IORING_ENTER_REGISTERED_RING ? uring_of_slot(arg_uint(args, 0), &f, &u)
						       : uring_of_fd(arg_int(args, 0), &f, &u);
	if (err < 0)
		return err;
	long result = enter(u, args);
	file_put(f);
	return result;
}

long sys_io_uring_register(const struct syscall_args *args)
{
	struct file *f;
	struct uring *u;
	unsigned what = arg_uint(args, 1);
	if (what >= IORING_REGISTER_LAST)
		return -EINVAL;
	int err = uring_of_fd(arg_int(args, 0), &f, &u);
	if (err < 0)
		return err;
	long result = uring_register(u, what, arg_user(args, 2), arg_uint(args, 3));
	file_put(f);
	return result;
}
