/*
 * splice(2), tee(2), vmsplice(2): between pipes and files without passing through the program.
 *
 * Pages of files go into a pipe by reference (file_ops.page) and out of it likewise (file_ops.write_pages); everything else
 * is copied once.  As on Linux the pipe stays locked while the other file is read or written, so bytes keep their order.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/kinds.h"
#include "kernel/file/pipe.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define COPY_MAX 65536u
#define PIECES 16u

/* Files of these kinds are messages rather than streams: Linux splices none of them. */
static bool is_spliceable(const struct file *f)
{
	return f->ops->kind[0] != '[' && !strchr(f->ops->kind, ':');
}

/* Lock the pipe when there is room.  -EPIPE: nobody reads; -EAGAIN, -EINTR. */
static int lock_with_room(struct pipe *p, unsigned flags)
{
	for (;;) {
		mutex_lock(&p->lock);
		int err = !p->n_readers ? -EPIPE : !pipe_full(p) ? 0 : -EAGAIN;
		if (!err)
			return 0;
		mutex_unlock(&p->lock);
		if (err == -EPIPE || (flags & SPLICE_F_NONBLOCK))
			return err;
		err = pipe_wait_room(p);
		if (err < 0)
			return err;
	}
}

/* Lock the pipe when there is data: 1.  0: never will be. */
static int lock_with_data(struct pipe *p, unsigned flags)
{
	for (;;) {
		mutex_lock(&p->lock);
		if (!pipe_empty(p))
			return 1;
		bool writers = p->n_writers;
		mutex_unlock(&p->lock);
		if (!writers || (flags & SPLICE_F_NONBLOCK))
			return writers ? -EAGAIN : 0;
		int err = pipe_wait_data(p);
		if (err < 0)
			return err;
	}
}

static void unlock_filled(struct pipe *p)
{
	mutex_unlock(&p->lock);
	wait_wake(&p->queue, EPOLLIN | EPOLLRDNORM);
}

static void unlock_drained(struct pipe *p)
{
	mutex_unlock(&p->lock);
	wait_wake(&p->queue, EPOLLOUT | EPOLLWRNORM);
}

/* --- into a pipe ----------------------------------------------------------------------------- */

static long fill_with_pages(struct file *in, uint64_t at, struct pipe *p, size_t n)
{
	size_t done = 0;
	while (done < n && !pipe_full(p)) {
		struct page *page;
		long len = in->ops->page(in, at + done, &page);
		if (len <= 0)
			return done ? (long)done : len;
		len = min(len, (long)(n - done));
		pipe_push(p, page, (uint32_t)((at + done) % PAGE_SIZE), (uint32_t)len, 0);
		done += (size_t)len;
	}
	return (long)done;
}

/* One read(2) of whatever kind of file. */
static long fill_by_reading(struct file *in, const uint64_t *at, struct pipe *p, size_t n)
{
	size_t room = (size_t)(p->n_slots - (p->head - p->tail)) * PAGE_SIZE;
	n = min(n, min(room, (size_t)COPY_MAX));
	uint8_t *buf = heap_alloc(n);
	if (!buf)
		return -ENOMEM;
	struct io_buffer b;
	io_buffer_kernel(&b, buf, n);
	long got = file_read(in, &b, at);
	if (got > 0) {
		io_buffer_kernel(&b, buf, (size_t)got);
		int err = pipe_add(p, &b, SLOT_OURS);
		got -= (long)b.left;
		if (!got)
			got = err;
	}
	heap_free(buf);
	return got;
}

static long fill(struct file *in, uint64_t *at, struct pipe *p, size_t n)
{
	if (!in->ops->page || !in->ops->seek)
		return fill_by_reading(in, at, p, n);
	if (!at)
		mutex_lock(&in->position_lock);
	uint64_t *position = at ? at : &in->position;
	long done = fill_with_pages(in, *position, p, n);
	if (done > 0 && !at)
		*position += (uint64_t)done;
	if (!at)
		mutex_unlock(&in->position_lock);
	if (done > 0)
		file_transferred(in, false);
	return done;
}

long splice_to_pipe(struct file *in, uint64_t *at, struct file *pipe, size_t n, unsigned flags)
{
	struct pipe *p = pipe_of(pipe);
	if (!is_spliceable(in) || !in->ops->read || in->ops->list)
		return -EINVAL;
	int err = lock_with_room(p, flags);
	if (err < 0)
		return err;
	long done = fill(in, at, p, n);
	unlock_filled(p);
	if (done > 0 && at)
		*at += (uint64_t)done;
	return done;
}

long vmsplice_to_pipe(struct file *pipe, struct io_buffer *from, unsigned flags)
{
	struct pipe *p = pipe_of(pipe);
	size_t before = from->left;
	int err = 0;
	while (!err && from->left) {
		err = lock_with_room(p, flags);
		if (err < 0)
			break;
		err = pipe_add(p, from, SLOT_OURS);
		unlock_filled(p);
		if (from->left < before)
			flags |= SPLICE_F_NONBLOCK; /* something is better than waiting */
	}
	return before > from->left ? (long)(before - from->left) : err;
}

/* --- out of a pipe --------------------------------------------------------------------------- */

/* The first slots, together at most n bytes. */
static unsigned gather(struct pipe *p, size_t n, struct page_piece pieces[PIECES])
{
	unsigned count = 0;
	for (unsigned i = p->tail; i != p->head && n && count < PIECES; i++) {
		const struct pipe_slot *s = &p->slots[i & (p->n_slots - 1)];
		uint32_t len = (uint32_t)min((size_t)s->len, n);
		pieces[count++] = (struct page_piece){s->page, s->offset, len};
		n -= len;
	}
	return count;
}

static long write_first(struct file *out, const uint64_t *at, struct pipe *p, size_t n)
{
	const struct pipe_slot *s = pipe_first(p);
	struct io_buffer b;
	io_buffer_kernel(&b, (char *)page_address(s->page) + s->offset, min((size_t)s->len, n));
	return file_write(out, &b, at);
}

/* n bytes are through. */
static void consume(struct pipe *p, size_t n)
{
	while (n) {
		struct pipe_slot *s = pipe_first(p);
		uint32_t part = (uint32_t)min((size_t)s->len, n);
		s->offset += part;
		s->len -= part;
		n -= part;
		if (!s->len)
			pipe_pop(p);
	}
}

static long drain(struct pipe *p, struct file *out, const uint64_t *at, size_t n, unsigned flags)
{
	struct page_piece pieces[PIECES];
	size_t done = 0;
	while (done < n && !pipe_empty(p)) {
		uint64_t to = at ? *at + done : 0;
		long part = out->ops->write_pages
				    ? out->ops->write_pages(out, pieces,
					      gather(p, n - done, pieces), flags & SPLICE_F_MORE)
				    : write_first(out, at ? &to : NULL, p, n - done);
		if (part <= 0)
			return done ? (long)done : part;
		consume(p, (size_t)part);
		done += (size_t)part;
	}
	return (long)done;
}

long splice_from_pipe(struct file *pipe, struct file *out, uint64_t *at, size_t n, unsigned flags)
{
	struct pipe *p = pipe_of(pipe);
	if (!is_spliceable(out) || !out->ops->write)
		return -EINVAL;
	int ready = lock_with_data(p, flags);
	if (ready <= 0)
		return ready;
	long done = drain(p, out, at, n, flags);
	unlock_drained(p);
	if (done > 0 && at)
		*at += (uint64_t)done;
	return done;
}

/* --- between pipes --------------------------------------------------------------------------- */

static void lock_both(struct pipe *a, struct pipe *b)
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	mutex_lock(a < b ? &b->lock : &a->lock);
}

/* Slots of `in` from the nth on, by reference, until n bytes or `out` is full. */
static size_t link_slots(struct pipe *in, struct pipe *out, size_t n)
{
	size_t done = 0;
	for (unsigned i = in->tail; i != in->head && done < n && !pipe_full(out); i++) {
		const struct pipe_slot *s = &in->slots[i & (in->n_slots - 1)];
		uint32_t len = (uint32_t)min((size_t)s->len, n - done);
		page_get(s->page);
		pipe_push(out, s->page, s->offset, len, s->flags & SLOT_PACKET);
		done += len;
	}
	return done;
}

static long move(struct pipe *in, struct pipe *out, size_t n, bool keep)
{
	lock_both(in, out);
	long done = !out->n_readers ? -EPIPE : (long)link_slots(in, out, n);
	if (done > 0 && !keep)
		consume(in, (size_t)done);
	mutex_unlock(&in->lock);
	mutex_unlock(&out->lock);
	if (done > 0)
		wait_wake(&out->queue, EPOLLIN | EPOLLRDNORM);
	if (done > 0 && !keep)
		wait_wake(&in->queue, EPOLLOUT | EPOLLWRNORM);
	return done;
}

static long between(struct file *from, struct file *to, size_t n, unsigned flags, bool keep)
{
	struct pipe *in = pipe_of(from), *out = pipe_of(to);
	if (in == out)
		return -EINVAL;
	for (;;) {
		int ready = lock_with_data(in, flags);
		if (ready <= 0)
			return ready;
		mutex_unlock(&in->lock);
		int err = lock_with_room(out, flags);
		if (err < 0)
			return err;
		mutex_unlock(&out->lock);
		/* 0: somebody was quicker. */
		long done = move(in, out, n, keep);
		if (done)
			return done;
	}
}

long splice_pipes(struct file *in, struct file *out, size_t n, unsigned flags)
{
	return between(in, out, n, flags, false);
}

long tee_pipes(struct file *in, struct file *out, size_t n, unsigned flags)
{
	return between(in, out, n, flags, true);
}
