/* A ring of io_uring without liburing: what tests need to fill, submit and show. */
#pragma once

#include "check.h"
#include <linux/io_uring.h>

struct ring {
	int fd;
	unsigned flags;
	struct io_uring_params p;
	_Atomic unsigned *sq_head, *sq_tail, *sq_flags, *cq_head, *cq_tail;
	unsigned *array, *cq_overflow, pending;
	char *sq, *sqes;
	struct io_uring_cqe *cqes;
};

static inline int ring_setup(unsigned n, struct io_uring_params *p)
{
	return (int)syscall(SYS_io_uring_setup, n, p);
}

static inline int ring_register(
	const struct ring *r, unsigned what, const void *argument, unsigned n)
{
	return (int)syscall(SYS_io_uring_register, r->fd, what, argument, n);
}

static inline void ring_map(struct ring *r)
{
	struct io_uring_params *p = &r->p;
	size_t cq = p->cq_off.cqes + (p->cq_entries * sizeof(struct io_uring_cqe)
					     << !!(p->flags & IORING_SETUP_CQE32));
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(unsigned), size = cq > sq ? cq : sq;
	r->sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
		IORING_OFF_SQ_RING);
	must(r->sq == MAP_FAILED ? -1 : 0);
	r->sqes = mmap(NULL, p->sq_entries * (p->flags & IORING_SETUP_SQE128 ? 128 : 64),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQES);
	must(r->sqes == MAP_FAILED ? -1 : 0);
	r->sq_head = (void *)(r->sq + p->sq_off.head);
	r->sq_tail = (void *)(r->sq + p->sq_off.tail);
	r->sq_flags = (void *)(r->sq + p->sq_off.flags);
	r->array = (void *)(r->sq + p->sq_off.array);
	r->cq_head = (void *)(r->sq + p->cq_off.head);
	r->cq_tail = (void *)(r->sq + p->cq_off.tail);
	r->cq_overflow = (void *)(r->sq + p->cq_off.overflow);
	r->cqes = (void *)(r->sq + p->cq_off.cqes);
}

static inline void ring_open_with(struct ring *r, unsigned n, const struct io_uring_params *p)
{
	memset(r, 0, sizeof(*r));
	r->p = *p;
	r->fd = (int)must(ring_setup(n, &r->p));
	ring_map(r);
}

static inline void ring_open(struct ring *r, unsigned n)
{
	const struct io_uring_params p = {.flags = 0};
	ring_open_with(r, n, &p);
}

static inline void ring_close(struct ring *r)
{
	close(r->fd);
}

/* The next submission, cleared. */
static inline struct io_uring_sqe *ring_sqe(struct ring *r, unsigned op, int fd, const void *addr,
	unsigned len, uint64_t off, uint64_t data)
{
	unsigned tail = *r->sq_tail + r->pending++, slot = tail & (r->p.sq_entries - 1);
	size_t size = r->p.flags & IORING_SETUP_SQE128 ? 128 : 64;
	struct io_uring_sqe *s = (void *)(r->sqes + slot * size);
	memset(s, 0, size);
	s->opcode = (uint8_t)op;
	s->fd = fd;
	s->addr = (uintptr_t)addr;
	s->len = len;
	s->off = off;
	s->user_data = data;
	r->array[slot] = slot;
	return s;
}

static inline int ring_enter(struct ring *r, unsigned submit, unsigned wait, unsigned flags)
{
	return (int)syscall(SYS_io_uring_enter, r->fd, submit, wait, flags, NULL, 8);
}

static inline int ring_submit(struct ring *r, unsigned wait)
{
	unsigned n = r->pending;
	atomic_fetch_add(r->sq_tail, n);
	r->pending = 0;
	return ring_enter(r, n, wait, wait ? IORING_ENTER_GETEVENTS : 0);
}

static inline unsigned ring_ready(struct ring *r)
{
	return *r->cq_tail - *r->cq_head;
}

/* Take one completion, waiting for it. */
static inline struct io_uring_cqe ring_take(struct ring *r)
{
	while (ring_ready(r) == 0)
		if (ring_enter(r, 0, 1, IORING_ENTER_GETEVENTS) < 0 && errno != EINTR)
			must(-1);
	unsigned slot = *r->cq_head & (r->p.cq_entries - 1);
	struct io_uring_cqe c = r->cqes[slot << !!(r->p.flags & IORING_SETUP_CQE32)];
	(*r->cq_head)++;
	return c;
}

static inline void cqe_show(const struct io_uring_cqe *c)
{
	printf("  %llu: ", (unsigned long long)c->user_data);
	if (c->res < 0)
		printf("%s", strerrorname_np(-c->res));
	else
		printf("%d", c->res);
	/* Whether more data wait is a hint. */
	unsigned flags = c->flags & ~IORING_CQE_F_SOCK_NONEMPTY & 0xffff;
	if (flags)
		printf(" flags %#x", flags);
	printf("\n");
	fflush(stdout);
}

static inline int cqe_compare(const void *a, const void *b)
{
	const struct io_uring_cqe *x = a, *y = b;
	return x->user_data < y->user_data ? -1 : x->user_data > y->user_data;
}

/* n completions in the order of their numbers: which comes first is often nobody's promise. */
static inline void ring_show(struct ring *r, unsigned n)
{
	struct io_uring_cqe all[64];
	for (unsigned i = 0; i < n; i++)
		all[i] = ring_take(r);
	qsort(all, n, sizeof(all[0]), cqe_compare);
	for (unsigned i = 0; i < n; i++)
		cqe_show(&all[i]);
}

/* Submit all, and show as many completions. */
static inline void ring_do(struct ring *r, unsigned n)
{
	int done = ring_submit(r, n);
	printf("submitted %d\n", done);
	ring_show(r, n);
}
