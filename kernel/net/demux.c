/* The table of TCP conversations.  Being in the table counts as one of its objects' references, so what is found lives. */
#include "kernel/net/demux.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define STRIPES 64u
#define STRIPE_SHIFT 6u
#define FIRST_BUCKETS 4u

struct stripe {
	struct spinlock lock;
	/* under lock: */
	uint32_t mask, n;
	struct demux_entry **buckets;
	struct demux_entry *first[FIRST_BUCKETS]; /* buckets until there are more */
};
static struct stripe stripes[STRIPES];

static struct stripe *stripe_of(uint32_t hash)
{
	return &stripes[hash % STRIPES];
}

static struct demux_entry **bucket_of(struct stripe *s, uint32_t hash)
{
	return &s->buckets[hash >> STRIPE_SHIFT & s->mask];
}

static struct demux_entry *find(struct stripe *s, const struct flow *f, uint32_t hash)
{
	if (unlikely(!s->buckets))
		return NULL;
	struct demux_entry *e = *bucket_of(s, hash);
	while (e && (e->hash != hash || !flow_equal(&e->flow, f)))
		e = e->next;
	return e;
}

/* Double the buckets.  Without memory it just gets slower. */
static void grow(struct stripe *s)
{
	uint32_t n_old = s->mask + 1, n_new = n_old * 2;
	struct demux_entry **old = s->buckets;
	struct demux_entry **new = heap_array(n_new, sizeof(*new));
	if (!new)
		return;
	s->buckets = new;
	s->mask = n_new - 1;
	for (uint32_t i = 0; i < n_old; i++) {
		struct demux_entry *e = old[i];
		while (e) {
			struct demux_entry *next = e->next;
			struct demux_entry **bucket = bucket_of(s, e->hash);
			e->next = *bucket;
			*bucket = e;
			e = next;
		}
	}
	if (old != s->first)
		heap_free(old);
}

static void push(struct stripe *s, struct demux_entry *e)
{
	if (unlikely(!s->buckets)) {
		s->buckets = s->first;
		s->mask = FIRST_BUCKETS - 1;
	}
	if (s->n > 2 * s->mask)
		grow(s);
	struct demux_entry **bucket = bucket_of(s, e->hash);
	e->next = *bucket;
	*bucket = e;
	e->in_table = true;
	s->n++;
}

static void take_out(struct stripe *s, struct demux_entry *e)
{
	struct demux_entry **at = bucket_of(s, e->hash);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	e->in_table = false;
	s->n--;
}

int demux_insert(struct demux_entry *e)
{
	e->hash = flow_hash(&e->flow);
	struct stripe *s = stripe_of(e->hash);
	irq_state irq = spin_lock(&s->lock);
	bool taken = find(s, &e->flow, e->hash);
	if (!taken)
		push(s, e);
	spin_unlock(&s->lock, irq);
	return taken ? -EADDRINUSE : 0;
}

bool demux_replace(struct demux_entry *old, struct demux_entry *new)
{
	new->hash = old->hash;
	struct stripe *s = stripe_of(old->hash);
	irq_state irq = spin_lock(&s->lock);
	bool there = old->in_table;
	if (there) {
		take_out(s, old);
		push(s, new);
	}
	spin_unlock(&s->lock, irq);
	return there;
}

bool demux_remove(struct demux_entry *e)
{
	struct stripe *s = stripe_of(e->hash);
	irq_state irq = spin_lock(&s->lock);
	bool there = e->in_table;
	if (there)
		take_out(s, e);
	spin_unlock(&s->lock, irq);
	return there;
}

struct demux_entry *demux_find(const struct flow *f)
{
	uint32_t hash = flow_hash(f);
	struct stripe *s = stripe_of(hash);
	irq_state irq = spin_lock(&s->lock);
	struct demux_entry *e = find(s, f, hash);
	if (e)
		atomic_fetch_add_explicit(e->references, 1, memory_order_relaxed);
	spin_unlock(&s->lock, irq);
	return e;
}

bool demux_taken(const struct flow *f)
{
	uint32_t hash = flow_hash(f);
	struct stripe *s = stripe_of(hash);
	irq_state irq = spin_lock(&s->lock);
	bool taken = find(s, f, hash);
	spin_unlock(&s->lock, irq);
	return taken;
}

void demux_each(void (*each)(void *arg, struct demux_entry *e), void *arg)
{
	for (unsigned i = 0; i < STRIPES; i++) {
		struct stripe *s = &stripes[i];
		irq_state irq = spin_lock(&s->lock);
		for (uint32_t b = 0; s->buckets && b <= s->mask; b++)
			for (struct demux_entry *e = s->buckets[b]; e; e = e->next)
				each(arg, e);
		spin_unlock(&s->lock, irq);
	}
}

static void count(void *arg, struct demux_entry *e)
{
	unsigned *counts = arg;
	counts[e->kind]++;
}

void demux_count(unsigned counts[3])
{
	memset(counts, 0, 3 * sizeof(*counts));
	demux_each(count, counts);
}
