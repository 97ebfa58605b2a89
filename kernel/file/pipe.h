/* A pipe from inside: for pipe.c and splice.c. */
#pragma once

#include "kernel/file/file.h"
#include "kernel/mem/page.h"

#define SLOT_MERGE 1u  /* the next write may go on behind it */
#define SLOT_OURS 2u   /* the page was allocated for this pipe */
#define SLOT_PACKET 4u /* O_DIRECT: read(2) takes it alone, and drops what it does not take */

struct pipe_slot {
	struct page *page; /* counted */
	uint32_t offset, len, flags;
};

struct pipe {
	atomic_uint references;
	uint64_t number;
	uint64_t created_ns;
	struct wait_queue queue; /* both ends; the event tells them apart */
	struct mutex lock;
	/* changed under lock, read by poll without: */
	atomic_uint head, tail; /* slots ever filled, ever emptied */
	atomic_uint n_slots;    /* a power of two */
	atomic_uint n_readers, n_writers;
	atomic_uint readers_ever, writers_ever; /* opens so far: fifo(7) */
	/* under lock: */
	struct pipe_slot *slots;
	struct page *spare; /* kept for the next write, or NULL */
};

static inline bool pipe_empty(const struct pipe *p)
{
	return p->head == p->tail;
}

static inline bool pipe_full(const struct pipe *p)
{
	return p->head - p->tail >= p->n_slots;
}

/* Under the lock; there is one. */
static inline struct pipe_slot *pipe_first(struct pipe *p)
{
	return &p->slots[p->tail & (p->n_slots - 1)];
}

static inline struct pipe_slot *pipe_last(struct pipe *p)
{
	return &p->slots[(p->head - 1) & (p->n_slots - 1)];
}

/* Under the lock, not full: takes over the reference on page. */
static inline void pipe_push(
	struct pipe *p, struct page *page, uint32_t offset, uint32_t len, unsigned flags)
{
	p->slots[p->head & (p->n_slots - 1)] = (struct pipe_slot){page, offset, len, flags};
	p->head++;
}

struct pipe *pipe_of(const struct file *f); /* NULL: not a pipe */
/* Under the lock. */
void pipe_pop(struct pipe *p); /* the first slot goes, with its page */
struct page *pipe_new_page(struct pipe *p) must_check;
/* Copy into fresh slots until the pipe is full: 0, -EFAULT, -ENOMEM. */
int pipe_add(struct pipe *p, struct io_buffer *from, unsigned flags) must_check;
/* Without the lock: until there is data or nobody writes; room or nobody reads.  -EINTR. */
int pipe_wait_data(struct pipe *p) must_check;
int pipe_wait_room(struct pipe *p) must_check;
