/* Reading and writing: READ, READV, READ_FIXED and their counterparts. */
#include "abi/linux/fcntl.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/uring/uring.h"

#define CACHED_PAGES_MAX 64u

/* An iovec, fetched when it was submitted. */
struct vector {
	unsigned n;
	size_t bytes;
	struct io_piece pieces[];
};

int rw_prepare(struct request *r)
{
	unsigned flags = r->sqe.op_flags;
	if (flags & ~(1u | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND))
		return -EOPNOTSUPP;
	/* Appending against the file's own mode, and busy polling, are not to be had. */
	if (flags & (RWF_APPEND | 1u))
		return -EOPNOTSUPP;
	r->no_retry = flags & RWF_NOWAIT;
	r->wanted = min((size_t)r->sqe.len, TRANSFER_MAX);
	return 0;
}

int rw_vector_prepare(struct request *r)
{
	struct user_pieces p;
	int err = rw_prepare(r);
	if (err < 0)
		return err;
	err = user_pieces_get(&p, user_at(r->sqe.addr), r->sqe.len);
	if (err < 0)
		return err;
	struct vector *v = r->data = heap_alloc(sizeof(*v) + p.n * sizeof(v->pieces[0]));
	if (v) {
		v->n = p.n;
		v->bytes = p.bytes;
		for (unsigned i = 0; i < p.n; i++)
			v->pieces[i] = p.pieces[i];
		r->wanted = (long)p.bytes;
	}
	user_pieces_put(&p);
	return v ? 0 : -ENOMEM;
}

/* Whether a read finds all pages (of the first few) in memory: then it need not leave this thread. */
static bool cached(struct file *f, uint64_t at, size_t n)
{
	struct page_cache *c;
	uint64_t id, device;
	if (!f->ops->map || f->ops->map(f, &c, &id, &device) < 0)
		return true;
	if (c->flags & PAGE_CACHE_KEEP)
		return true;
	uint64_t size = c->size;
	if (at >= size || n == 0)
		return true;
	uint64_t last = (min(at + n, size) - 1) / PAGE_SIZE, first = at / PAGE_SIZE;
	for (uint64_t i = first; i <= min(last, first + CACHED_PAGES_MAX); i++) {
		struct page *p = page_cache_find(c, i);
		if (!p)
			return false;
		page_put(p);
	}
	return true;
}

static bool would_wait(const struct request *r, bool reading, uint64_t at, size_t n)
{
	if (r->may_wait || !r->file->ops->seek)
		return false;
	if (r->file->flags & O_DIRECT)
		return true;
	if (!reading)
		return (r->file->flags & O_DSYNC) || (r->sqe.op_flags & (RWF_DSYNC | RWF_SYNC));
	return !cached(r->file, at, n);
}

static int describe(struct request *r, struct io_buffer *b, struct io_piece *one)
{
	struct vector *v = r->data;
	bool fixed =
		r->sqe.opcode == IORING_OP_READ_FIXED || r->sqe.opcode == IORING_OP_WRITE_FIXED;
	int err = fixed ? buffers_check(r->ring, r->sqe.buf_index, r->sqe.addr, r->sqe.len) : 0;
	if (err < 0)
		return err;
	if (r->sqe.flags & IOSQE_BUFFER_SELECT) {
		if (v && v->n != 1)
			return -EINVAL;
		err = buffer_choose(r, v ? (uint32_t)v->bytes : r->sqe.len);
		if (err < 0)
			return err;
		*one = (struct io_piece){user_at(r->buffer.address), r->buffer.len};
	} else if (v) {
		io_buffer_user(b, v->pieces, v->n);
		return 0;
	} else {
		*one = (struct io_piece){user_at(r->sqe.addr), (size_t)r->wanted};
	}
	io_buffer_user(b, one, 1);
	return 0;
}

static long transfer(struct request *r, bool reading)
{
	struct file *f = r->file;
	struct io_buffer b;
	struct io_piece one;
	/* -1: the file's own position; files without one do not care. */
	bool positioned = f->ops->seek && (int64_t)r->sqe.off != -1;
	const uint64_t *at = positioned ? &r->sqe.off : NULL;
	int err = describe(r, &b, &one);
	if (err < 0)
		return err;
	if (would_wait(r, reading, positioned ? *at : f->position, b.left))
		return -EAGAIN;
	return reading ? file_read(f, &b, at) : file_write(f, &b, at);
}

long read_issue(struct request *r)
{
	return transfer(r, true);
}

long write_issue(struct request *r)
{
	unsigned flags = r->sqe.op_flags;
	long n = transfer(r, false);
	if (n > 0 && (flags & (RWF_DSYNC | RWF_SYNC)) && r->file->ops->sync) {
		int err = r->file->ops->sync(r->file, !(flags & RWF_SYNC));
		n = err < 0 ? err : n;
	}
	return n;
}
