/*
 * Provided buffers: groups from which a request takes one when it has data.  A group is a list of ours
 * (IORING_OP_PROVIDE_BUFFERS) or a ring in the program's memory (IORING_REGISTER_PBUF_RING).
 */
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/uring/uring.h"

#define BUFFERS_MAX 65536u

struct provided {
	struct list link;
	uint64_t address;
	uint32_t len;
	uint16_t id;
};

static struct buffer_group *find(struct uring *u, uint16_t id)
{
	struct buffer_group *g;
	list_for_each (g, &u->groups, link)
		if (g->id == id)
			return g;
	return NULL;
}

static struct buffer_group *find_or_make(struct uring *u, uint16_t id)
{
	struct buffer_group *g = find(u, id);
	if (g)
		return g;
	g = heap_zalloc(sizeof(*g));
	if (!g)
		return NULL;
	g->id = id;
	list_init(&g->buffers);
	list_push_back(&u->groups, &g->link);
	return g;
}

static void forget(struct buffer_group *g)
{
	struct list *item;
	while ((item = list_pop_front(&g->buffers)))
		heap_free(list_entry(item, struct provided, link));
	list_remove(&g->link);
	heap_free(g);
}

void buffers_drop(struct uring *u)
{
	mutex_lock(&u->buffers_lock);
	while (!list_empty(&u->groups))
		forget(list_first(&u->groups, struct buffer_group, link));
	mutex_unlock(&u->buffers_lock);
}

/* --- taking one --- */

static int choose_listed(struct request *r, struct buffer_group *g)
{
	struct list *item = list_pop_front(&g->buffers);
	if (!item)
		return -ENOBUFS;
	struct provided *p = list_entry(item, struct provided, link);
	g->n--;
	r->buffer = (struct buffer_choice){true, p->id, p->address, p->len, p->len};
	heap_free(p);
	return 0;
}

static int choose_from_ring(struct request *r, struct buffer_group *g)
{
	struct linux_buf_ring_entry e;
	uint16_t tail;
	user_addr tail_at = user_offset(g->ring, offsetof(struct linux_buf_ring_entry, tail));
	if (copy_in(&tail, tail_at, sizeof(tail)) < 0)
		return -EFAULT;
	if (tail == g->head)
		return -ENOBUFS;
	if (copy_in(&e, user_offset(g->ring, (g->head & g->mask) * sizeof(e)), sizeof(e)) < 0)
		return -EFAULT;
	g->head++;
	r->buffer = (struct buffer_choice){true, e.bid, e.addr, e.len, e.len};
	return 0;
}

int buffer_choose(struct request *r, uint32_t len)
{
	if (r->buffer.taken)
		return 0;
	mutex_lock(&r->ring->buffers_lock);
	struct buffer_group *g = find(r->ring, r->sqe.buf_index);
	/* Of a ring, too, those on the list came back unused. */
	int err = !g                        ? -ENOBUFS
		  : g->ring.va && g->n == 0 ? choose_from_ring(r, g)
					    : choose_listed(r, g);
	mutex_unlock(&r->ring->buffers_lock);
	if (err == 0 && len)
		r->buffer.len = min(r->buffer.len, len);
	return err;
}

void buffer_return(struct request *r)
{
	if (!r->buffer.taken)
		return;
	r->buffer.taken = false;
	mutex_lock(&r->ring->buffers_lock);
	struct buffer_group *g = find(r->ring, r->sqe.buf_index);
	struct provided *p = g ? heap_alloc(sizeof(*p)) : NULL;
	if (p) {
		*p = (struct provided){
			.address = r->buffer.address, .len = r->buffer.whole, .id = r->buffer.id};
		list_push_front(&g->buffers, &p->link);
		g->n++;
	}
	mutex_unlock(&r->ring->buffers_lock);
}

uint32_t buffer_consume(struct request *r)
{
	if (!r->buffer.taken)
		return 0;
	r->buffer.taken = false;
	return IORING_CQE_F_BUFFER | (uint32_t)r->buffer.id << IORING_CQE_BUFFER_SHIFT;
}

/* --- IORING_OP_PROVIDE_BUFFERS, IORING_OP_REMOVE_BUFFERS --- */

int buffers_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	bool provide = s->opcode == IORING_OP_PROVIDE_BUFFERS;
	if (s->op_flags || s->splice_fd_in)
		return -EINVAL;
	if (s->fd <= 0 || (unsigned)s->fd > BUFFERS_MAX)
		return provide && s->fd > 0 ? -E2BIG : s->fd == 0 || !provide ? -EINVAL : -E2BIG;
	if (!provide)
		return s->addr || s->len || s->off ? -EINVAL : 0;
	uint64_t bytes;
	if (__builtin_mul_overflow((uint64_t)s->len, (uint64_t)s->fd, &bytes) ||
		s->addr + bytes < s->addr)
		return -EOVERFLOW;
	if (s->addr + bytes > USER_END)
		return -EFAULT;
	return s->off > UINT16_MAX ? -E2BIG : s->off + (unsigned)s->fd > BUFFERS_MAX ? -EINVAL : 0;
}

static int provide(struct buffer_group *g, const struct linux_sqe *s)
{
	int n = 0;
	for (; n < s->fd; n++) {
		struct provided *p = g->n < BUFFERS_MAX ? heap_alloc(sizeof(*p)) : NULL;
		if (!p)
			return n ? 0 : -ENOMEM;
		p->address = s->addr + (uint64_t)n * s->len;
		p->len = s->len;
		p->id = (uint16_t)(s->off + (unsigned)n);
		list_push_back(&g->buffers, &p->link);
		g->n++;
	}
	return 0;
}

long buffers_provide_issue(struct request *r)
{
	mutex_lock(&r->ring->buffers_lock);
	struct buffer_group *g = find_or_make(r->ring, r->sqe.buf_index);
	int err = !g ? -ENOMEM : g->ring.va ? -EINVAL : provide(g, &r->sqe);
	mutex_unlock(&r->ring->buffers_lock);
	return err;
}

long buffers_remove_issue(struct request *r)
{
	long n = -ENOENT;
	mutex_lock(&r->ring->buffers_lock);
	struct buffer_group *g = find(r->ring, r->sqe.buf_index);
	if (g && g->ring.va)
		n = -EINVAL;
	else if (g) {
		struct list *item = NULL;
		for (n = 0; n < r->sqe.fd && (item = list_pop_front(&g->buffers)); n++)
			heap_free(list_entry(item, struct provided, link));
		g->n -= (unsigned)n;
	}
	mutex_unlock(&r->ring->buffers_lock);
	return n;
}

/* --- IORING_REGISTER_PBUF_RING --- */

static int get_registration(user_addr argument, struct linux_buf_reg *out)
{
	if (copy_in(out, argument, sizeof(*out)) < 0)
		return -EFAULT;
	return out->flags || out->resv[0] || out->resv[1] || out->resv[2] ? -EINVAL : 0;
}

long buffers_register_ring(struct uring *u, user_addr argument)
{
	struct linux_buf_reg b;
	int err = get_registration(argument, &b);
	if (err < 0)
		return err;
	if (!b.ring_addr)
		return -EFAULT;
	if ((b.ring_addr & (PAGE_SIZE - 1)) || b.ring_entries == 0 ||
		(b.ring_entries & (b.ring_entries - 1)))
		return -EINVAL;
	if (b.ring_entries >= 65536)
		return -EINVAL;
	mutex_lock(&u->buffers_lock);
	struct buffer_group *g = find(u, b.bgid);
	if (g && (g->ring.va || !list_empty(&g->buffers)))
		err = -EEXIST;
	else if (!(g = find_or_make(u, b.bgid)))
		err = -ENOMEM;
	if (err == 0) {
		g->ring = user_at(b.ring_addr);
		g->mask = (uint16_t)(b.ring_entries - 1);
		g->head = 0;
	}
	mutex_unlock(&u->buffers_lock);
	return err;
}

long buffers_unregister_ring(struct uring *u, user_addr argument)
{
	struct linux_buf_reg b;
	int err = get_registration(argument, &b);
	if (err < 0)
		return err;
	mutex_lock(&u->buffers_lock);
	struct buffer_group *g = find(u, b.bgid);
	err = !g ? -ENOENT : !g->ring.va ? -EINVAL : 0;
	if (err == 0)
		forget(g);
	mutex_unlock(&u->buffers_lock);
	return err;
}
