/*
 * Pipes and named pipes: pipe(7).  A ring of slots, each a piece of a page: bytes written here, or somebody else's page by
 * reference (splice.c).
 *
 * A write of at most PIPE_BUF bytes is atomic because it takes one slot, or room left behind the last one.  Without readers
 * write returns -EPIPE; SIGPIPE is raised by the system call layer, which sees that.
 */
#include "kernel/file/pipe.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/stat.h"
#include "kernel/arch/timer.h"
#include "kernel/file/kinds.h"
#include "kernel/mem/heap.h"

#define PIPE_SLOTS 16u
#define PIPE_SIZE_MAX (1u << 20)

int pipe_new(struct pipe **out)
{
	struct pipe *p = heap_zalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->slots = heap_array(PIPE_SLOTS, sizeof(*p->slots));
	if (!p->slots) {
		heap_free(p);
		return -ENOMEM;
	}
	p->references = 1;
	p->number = file_anonymous_number();
	p->created_ns = clock_realtime_ns();
	p->n_slots = PIPE_SLOTS;
	wait_queue_init(&p->queue);
	mutex_init(&p->lock);
	*out = p;
	return 0;
}

void pipe_put(struct pipe *p)
{
	if (atomic_fetch_sub(&p->references, 1) != 1)
		return;
	while (!pipe_empty(p))
		pipe_pop(p);
	if (p->spare)
		page_put(p->spare);
	heap_free(p->slots);
	heap_free(p);
}

void pipe_pop(struct pipe *p)
{
	struct pipe_slot *s = pipe_first(p);
	/* A page nobody else has serves the next write. */
	if (!p->spare && (s->flags & SLOT_OURS) && s->page->references == 1)
		p->spare = s->page;
	else
		page_put(s->page);
	p->tail++;
}

struct page *pipe_new_page(struct pipe *p)
{
	struct page *page = p->spare;
	p->spare = NULL;
	return page ? page : page_alloc(0, 0);
}

/* Under the lock: bytes into `to`; 0, or why not all went there that could. */
static int pipe_take(struct pipe *p, struct io_buffer *to)
{
	while (to->left && !pipe_empty(p)) {
		struct pipe_slot *s = pipe_first(p);
		size_t n = min((size_t)s->len, to->left);
		bool packet = s->flags & SLOT_PACKET;
		long done = io_buffer_put_some(to, (char *)page_address(s->page) + s->offset, n);
		if (done < 0)
			return (int)done;
		s->offset += (uint32_t)done;
		s->len -= (uint32_t)done;
		bool whole = (size_t)done == n;
		if (!s->len || (packet && whole))
			pipe_pop(p);
		if (packet || !whole)
			return 0;
	}
	return 0;
}

/* Under the lock: what is left of a page behind the last bytes, if all that does not fill pages goes there. */
static int pipe_append(struct pipe *p, struct io_buffer *from)
{
	struct pipe_slot *s = pipe_empty(p) ? NULL : pipe_last(p);
	size_t n = from->left % PAGE_SIZE;
	if (!n || !s || !(s->flags & SLOT_MERGE) || s->offset + s->len + n > PAGE_SIZE)
		return 0;
	int err = io_buffer_get(from, (char *)page_address(s->page) + s->offset + s->len, n);
	if (!err)
		s->len += (uint32_t)n;
	return err;
}

int pipe_add(struct pipe *p, struct io_buffer *from, unsigned flags)
{
	int err = flags & SLOT_MERGE ? pipe_append(p, from) : 0;
	while (!err && from->left && !pipe_full(p)) {
		struct page *page = pipe_new_page(p);
		size_t n = min(from->left, PAGE_SIZE);
		if (!page)
			return -ENOMEM;
		err = io_buffer_get(from, page_address(page), n);
		if (err < 0)
			page_put(page);
		else
			pipe_push(p, page, 0, (uint32_t)n, flags);
	}
	return err;
}

static long pipe_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct pipe *p = f->object;
	if (!to->left)
		return 0;
	for (;;) {
		mutex_lock(&p->lock);
		uint64_t before = to->left;
		bool writers = p->n_writers;
		int err = pipe_take(p, to);
		mutex_unlock(&p->lock);
		long done = (long)(before - to->left);
		if (done)
			wait_wake(&p->queue, EPOLLOUT | EPOLLWRNORM);
		if (done || err < 0)
			return done ? done : err;
		if (!writers)
			return 0;
		if (file_nonblocking(f))
			return -EAGAIN;
		err = pipe_wait_data(p);
		if (err < 0)
			return err;
	}
}

static long pipe_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)offset;
	struct pipe *p = f->object;
	uint64_t total = from->left;
	if (!total)
		return 0;
	for (;;) {
		mutex_lock(&p->lock);
		uint64_t before = from->left;
		unsigned kind = f->flags & O_DIRECT ? SLOT_PACKET : SLOT_MERGE;
		int err = p->n_readers ? pipe_add(p, from, SLOT_OURS | kind) : -EPIPE;
		mutex_unlock(&p->lock);
		if (from->left != before)
			wait_wake(&p->queue, EPOLLIN | EPOLLRDNORM);
		long done = (long)(total - from->left);
		if (err < 0 || !from->left)
			return done ? done : err;
		if (file_nonblocking(f))
			return done ? done : -EAGAIN;
		err = pipe_wait_room(p);
		if (err < 0)
			return done ? done : err;
	}
}

int pipe_wait_data(struct pipe *p)
{
	return wait_event_interruptible(
		&p->queue, EPOLLIN | EPOLLHUP, !pipe_empty(p) || !p->n_writers, NO_DEADLINE);
}

int pipe_wait_room(struct pipe *p)
{
	return wait_event_interruptible(
		&p->queue, EPOLLOUT | EPOLLERR, !pipe_full(p) || !p->n_readers, NO_DEADLINE);
}

static unsigned pipe_poll(struct file *f)
{
	struct pipe *p = f->object;
	unsigned events = 0;
	if (file_readable(f)) {
		if (!pipe_empty(p))
			events |= POLLIN | POLLRDNORM;
		/* A fifo nobody has written to since it was opened shows no hang-up. */
		if (!p->n_writers && p->writers_ever != f->read_ahead)
			events |= POLLHUP;
	}
	if (file_writable(f)) {
		if (!pipe_full(p))
			events |= POLLOUT | POLLWRNORM;
		if (!p->n_readers)
			events |= POLLERR;
	}
	return events;
}

static long pipe_ioctl(struct file *f, unsigned request, unsigned long argument)
{
	if (request != FIONREAD)
		return -ENOTTY;
	struct pipe *p = f->object;
	int n = 0;
	mutex_lock(&p->lock);
	for (unsigned i = p->tail; i != p->head; i++)
		n += (int)p->slots[i & (p->n_slots - 1)].len;
	mutex_unlock(&p->lock);
	return copy_out(user_at(argument), &n, sizeof(n));
}

static int pipe_stat(struct file *f, struct linux_stat *out)
{
	struct pipe *p = f->object;
	struct linux_timespec t = {
		(int64_t)(p->created_ns / NS_PER_S), (int64_t)(p->created_ns % NS_PER_S)};
	*out = (struct linux_stat){.st_dev = FILE_ANONYMOUS_DEVICE,
		.st_ino = p->number,
		.st_nlink = 1,
		.st_mode = S_IFIFO | 0600,
		.st_blksize = PAGE_SIZE,
		.st_atim = t,
		.st_mtim = t,
		.st_ctim = t};
	return 0;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->object;
	if (file_readable(f))
		p->n_readers--;
	if (file_writable(f))
		p->n_writers--;
	wait_wake_all(&p->queue, EVENTS_ALL);
	pipe_put(p);
}

static const struct file_ops pipe_ops = {
	.kind = "pipe",
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.stat = pipe_stat,
	.release = pipe_release,
};

bool file_is_pipe(const struct file *f)
{
	return f->ops == &pipe_ops;
}

struct pipe *pipe_of(const struct file *f)
{
	return f->ops == &pipe_ops ? f->object : NULL;
}

/* One end, counted among its kind; takes no notice of the other. */
static int pipe_attach(struct pipe *p, uint32_t flags, struct file **out)
{
	uint32_t kept = flags & (O_ACCMODE | O_NONBLOCK | O_APPEND | O_DIRECT | O_LARGEFILE);
	int err = file_new(&pipe_ops, p, kept, out);
	if (err < 0)
		return err;
	struct file *f = *out;
	p->references++;
	f->ready = &p->queue;
	/* Nothing reads ahead in a pipe: the field serves pipe_poll(). */
	f->read_ahead = p->n_writers ? UINT64_MAX : p->writers_ever;
	if (file_readable(f)) {
		p->n_readers++;
		p->readers_ever++;
	}
	if (file_writable(f)) {
		p->n_writers++;
		p->writers_ever++;
	}
	wait_wake_all(&p->queue, EVENTS_ALL);
	return 0;
}

/* fifo(7): wait until the other side has been opened, too. */
static int pipe_meet(struct pipe *p, struct file *f)
{
	unsigned readers = p->readers_ever, writers = p->writers_ever;
	if (file_readable(f) && file_writable(f))
		return 0;
	if (file_readable(f))
		return p->n_writers || file_nonblocking(f)
			       ? 0
			       : wait_event_interruptible(&p->queue, EVENTS_ALL,
					 p->writers_ever != writers, NO_DEADLINE);
	return p->n_readers ? 0
			    : wait_event_interruptible(&p->queue, EVENTS_ALL,
				      p->readers_ever != readers, NO_DEADLINE);
}

int pipe_open(struct pipe *p, uint32_t flags, struct file **out)
{
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	if ((flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK) && !p->n_readers)
		return -ENXIO;
	struct file *f;
	int err = pipe_attach(p, flags, &f);
	if (err < 0)
		return err;
	err = pipe_meet(p, f);
	if (err < 0) {
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}

int pipe_reopen(struct file *f, uint32_t flags, struct file **out)
{
	assert(file_is_pipe(f));
	return pipe_open(f->object, flags, out);
}

int pipe_create(uint32_t flags, struct file **reader, struct file **writer)
{
	struct pipe *p;
	int err = pipe_new(&p);
	if (err < 0)
		return err;
	err = pipe_attach(p, (flags & (O_NONBLOCK | O_DIRECT)) | O_RDONLY, reader);
	if (err < 0)
		goto put;
	err = pipe_attach(p, (flags & (O_NONBLOCK | O_DIRECT)) | O_WRONLY, writer);
	if (err < 0)
		file_put(*reader);
put:
	pipe_put(p);
	return err;
}

long pipe_size(struct file *f)
{
	if (!file_is_pipe(f))
		return -EBADF;
	return ((struct pipe *)f->object)->n_slots * (long)PAGE_SIZE;
}

/* Under the lock: the slots in use go to their places in an array of another size. */
static int pipe_resize(struct pipe *p, unsigned n_slots)
{
	if (p->head - p->tail > n_slots)
		return -EBUSY;
	struct pipe_slot *slots = heap_array(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (unsigned i = p->tail; i != p->head; i++)
		slots[i & (n_slots - 1)] = p->slots[i & (p->n_slots - 1)];
	heap_free(p->slots);
	p->slots = slots;
	p->n_slots = n_slots;
	return 0;
}

long pipe_set_size(struct file *f, unsigned size)
{
	if (!file_is_pipe(f))
		return -EBADF;
	if (size > 1u << 31)
		return -EINVAL;
	if (size > PIPE_SIZE_MAX)
		return -EPERM;
	struct pipe *p = f->object;
	unsigned n_slots = 1;
	while (n_slots * PAGE_SIZE < size)
		n_slots *= 2;
	mutex_lock(&p->lock);
	int err = pipe_resize(p, n_slots);
	mutex_unlock(&p->lock);
	wait_wake(&p->queue, EPOLLOUT | EPOLLWRNORM);
	return err < 0 ? err : (long)(n_slots * PAGE_SIZE);
}
