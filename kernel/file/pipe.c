/*
 * Pipes and named pipes: pipe(7).  A ring of bytes in pages that come with the data and go with it.
 *
 * Writes of at most PIPE_BUF bytes are atomic.  Packet mode (O_DIRECT) is refused.  Without readers write returns -EPIPE;
 * SIGPIPE is raised by the system call layer, which sees that.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/stat.h"
#include "kernel/arch/timer.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page.h"

#define PIPE_PAGES 16u
#define PIPE_SIZE_MAX (1u << 20)

struct pipe {
	atomic_uint references;
	uint64_t number;
	uint64_t created_ns;
	struct wait_queue queue; /* both ends; the event tells them apart */
	struct mutex lock;
	/* changed under lock, read by poll without: */
	_Atomic uint64_t head, tail; /* bytes ever written, ever read */
	atomic_uint n_pages;         /* capacity */
	atomic_uint n_readers, n_writers;
	atomic_uint readers_ever, writers_ever; /* opens so far: fifo(7) */
	struct page **pages; /* of byte N: pages[N / PAGE_SIZE % (n_pages + 1)]; a full pipe touches
				      * one page more than it could fill */
};

static uint64_t pipe_used(const struct pipe *p)
{
	return p->head - p->tail;
}

static uint64_t pipe_room(const struct pipe *p)
{
	return p->n_pages * PAGE_SIZE - pipe_used(p);
}

static struct page **pipe_page(struct pipe *p, uint64_t at)
{
	return &p->pages[at / PAGE_SIZE % (p->n_pages + 1)];
}

int pipe_new(struct pipe **out)
{
	struct pipe *p = heap_zalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->pages = heap_array(PIPE_PAGES + 1, sizeof(*p->pages));
	if (!p->pages) {
		heap_free(p);
		return -ENOMEM;
	}
	p->references = 1;
	p->number = file_anonymous_number();
	p->created_ns = clock_realtime_ns();
	p->n_pages = PIPE_PAGES;
	wait_queue_init(&p->queue);
	mutex_init(&p->lock);
	*out = p;
	return 0;
}

void pipe_put(struct pipe *p)
{
	if (atomic_fetch_sub(&p->references, 1) != 1)
		return;
	for (unsigned i = 0; i <= p->n_pages; i++)
		if (p->pages[i])
			page_put(p->pages[i]);
	heap_free(p->pages);
	heap_free(p);
}

/* Under the lock, at most as much as there is.  Pages read to their end go. */
static int pipe_take(struct pipe *p, struct io_buffer *to, uint64_t n)
{
	while (n) {
		uint64_t in_page = p->tail % PAGE_SIZE, part = min(n, PAGE_SIZE - in_page);
		struct page **page = pipe_page(p, p->tail);
		long done = io_buffer_put_some(to, (char *)page_address(*page) + in_page, part);
		if (done < 0)
			return (int)done;
		p->tail += (uint64_t)done;
		n -= (uint64_t)done;
		if (p->tail % PAGE_SIZE == 0) {
			page_put(*page);
			*page = NULL;
		}
	}
	return 0;
}

/* Under the lock, at most as much as there is room. */
static int pipe_add(struct pipe *p, struct io_buffer *from, uint64_t n)
{
	while (n) {
		uint64_t in_page = p->head % PAGE_SIZE, part = min(n, PAGE_SIZE - in_page);
		struct page **page = pipe_page(p, p->head);
		if (!*page)
			*page = page_alloc(0, 0);
		if (!*page)
			return -ENOMEM;
		long done = io_buffer_get_some(from, (char *)page_address(*page) + in_page, part);
		if (done < 0)
			return (int)done;
		p->head += (uint64_t)done;
		n -= (uint64_t)done;
	}
	return 0;
}

static long pipe_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct pipe *p = f->object;
	if (!to->left)
		return 0;
	for (;;) {
		mutex_lock(&p->lock);
		uint64_t before = to->left, n = min(pipe_used(p), to->left);
		bool writers = p->n_writers;
		int err = pipe_take(p, to, n);
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
		err = wait_event_interruptible(
			&p->queue, EPOLLIN | EPOLLHUP, pipe_used(p) || !p->n_writers, NO_DEADLINE);
		if (err < 0)
			return err;
	}
}

static long pipe_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)offset;
	struct pipe *p = f->object;
	uint64_t total = from->left, least = total <= PIPE_BUF ? total : 1;
	if (!total)
		return 0;
	for (;;) {
		mutex_lock(&p->lock);
		uint64_t before = from->left, room = pipe_room(p);
		int err = !p->n_readers ? -EPIPE : 0;
		if (!err && room >= least)
			err = pipe_add(p, from, min(room, from->left));
		mutex_unlock(&p->lock);
		if (from->left != before)
			wait_wake(&p->queue, EPOLLIN | EPOLLRDNORM);
		long done = (long)(total - from->left);
		if (err < 0 || !from->left)
			return done ? done : err;
		if (file_nonblocking(f))
			return done ? done : -EAGAIN;
		err = wait_event_interruptible(&p->queue, EPOLLOUT | EPOLLERR,
			pipe_room(p) >= least || !p->n_readers, NO_DEADLINE);
		if (err < 0)
			return done ? done : err;
	}
}

static unsigned pipe_poll(struct file *f)
{
	struct pipe *p = f->object;
	unsigned events = 0;
	if (file_readable(f)) {
		if (pipe_used(p))
			events |= POLLIN | POLLRDNORM;
		/* A fifo nobody has written to since it was opened shows no hang-up. */
		if (!p->n_writers && p->writers_ever != f->read_ahead)
			events |= POLLHUP;
	}
	if (file_writable(f)) {
		if (pipe_room(p) >= PIPE_BUF)
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
	int n = (int)pipe_used(f->object);
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

/* One end, counted among its kind; takes no notice of the other. */
static int pipe_attach(struct pipe *p, uint32_t flags, struct file **out)
{
	uint32_t kept = flags & (O_ACCMODE | O_NONBLOCK | O_APPEND | O_LARGEFILE);
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
	if (flags & O_DIRECT)
		return -EINVAL;
	struct pipe *p;
	int err = pipe_new(&p);
	if (err < 0)
		return err;
	err = pipe_attach(p, (flags & O_NONBLOCK) | O_RDONLY, reader);
	if (err < 0)
		goto put;
	err = pipe_attach(p, (flags & O_NONBLOCK) | O_WRONLY, writer);
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
	return ((struct pipe *)f->object)->n_pages * (long)PAGE_SIZE;
}

/* Under the lock: the pages in use go to their places in an array of another size. */
static int pipe_resize(struct pipe *p, unsigned n_pages)
{
	uint64_t first = p->tail / PAGE_SIZE, end = div_round_up(p->head, PAGE_SIZE);
	if (pipe_used(p) > n_pages * PAGE_SIZE)
		return -EBUSY;
	struct page **pages = heap_array(n_pages + 1, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	for (uint64_t i = first; i < end; i++) {
		struct page **old = pipe_page(p, i * PAGE_SIZE);
		pages[i % (n_pages + 1)] = *old;
		*old = NULL;
	}
	for (unsigned i = 0; i <= p->n_pages; i++)
		if (p->pages[i])
			page_put(p->pages[i]);
	heap_free(p->pages);
	p->pages = pages;
	p->n_pages = n_pages;
	return 0;
}

long pipe_set_size(struct file *f, unsigned size)
{
	if (!file_is_pipe(f))
		return -EBADF;
	if (size > PIPE_SIZE_MAX)
		return -EPERM;
	struct pipe *p = f->object;
	unsigned n_pages = 1;
	while (n_pages * PAGE_SIZE < size)
		n_pages *= 2;
	mutex_lock(&p->lock);
	int err = pipe_resize(p, n_pages);
	mutex_unlock(&p->lock);
	wait_wake(&p->queue, EPOLLOUT | EPOLLWRNORM);
	return err < 0 ? err : (long)(n_pages * PAGE_SIZE);
}
