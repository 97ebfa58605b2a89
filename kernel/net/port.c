/* The port tables: bind(2)'s conflicts as Linux has them (inet_csk_bind_conflict, udp_lib_lport_inuse). */
#include "kernel/net/port.h"

#include "kernel/lib/random.h"
#include "kernel/mem/heap.h"

struct port {
	struct list listening; /* latest first */
	struct list others;
	uint16_t number;
	unsigned n_users, n_fixed; /* all; those without PORT_AUTOMATIC */
};

#define EPHEMERALS (PORT_LAST_EPHEMERAL - PORT_FIRST_EPHEMERAL + 1)

static struct spinlock *lock_of(struct port_table *t, uint16_t number)
{
	return &t->locks[number % PORT_STRIPES];
}

static struct port *find(struct port_table *t, uint16_t number)
{
	struct port **block = atomic_load_explicit(&t->blocks[number >> 8], memory_order_acquire);
	return block ? block[number & 255] : NULL;
}

/* The block of 256 ports; blocks are never given back. */
static struct port **block_of(struct port_table *t, uint16_t number)
{
	struct port **block = atomic_load_explicit(&t->blocks[number >> 8], memory_order_acquire);
	if (block)
		return block;
	spin_lock_nested(&t->growth);
	block = t->blocks[number >> 8];
	if (!block) {
		block = heap_array(256, sizeof(*block));
		atomic_store_explicit(&t->blocks[number >> 8], block, memory_order_release);
	}
	spin_unlock_nested(&t->growth);
	return block;
}

static struct port *find_or_create(struct port_table *t, uint16_t number)
{
	struct port **block = block_of(t, number);
	if (!block)
		return NULL;
	struct port *p = block[number & 255];
	if (p)
		return p;
	p = heap_zalloc(sizeof(*p));
	if (!p)
		return NULL;
	p->number = number;
	list_init(&p->listening);
	list_init(&p->others);
	block[number & 255] = p;
	return p;
}

static void free_if_unused(struct port_table *t, struct port *p)
{
	if (p->n_users > 0)
		return;
	t->blocks[p->number >> 8][p->number & 255] = NULL;
	heap_free(p);
}

static void add(struct port *p, struct port_user *u)
{
	list_push_front(u->flags & PORT_LISTENING ? &p->listening : &p->others, &u->link);
	u->port = p;
	p->n_users++;
	p->n_fixed += !(u->flags & PORT_AUTOMATIC);
}

static bool takes_v4(const struct port_user *u)
{
	return ip_is_v4(&u->ip) || (ip_is_any(&u->ip) && !(u->flags & PORT_V6ONLY));
}

static bool takes_v6(const struct port_user *u)
{
	return !ip_is_v4(&u->ip);
}

/* Do the two want packets to the same address? */
static bool addresses_meet(const struct port_user *a, const struct port_user *b)
{
	if (a->netif_index && b->netif_index && a->netif_index != b->netif_index)
		return false;
	if (!(takes_v4(a) && takes_v4(b)) && !(takes_v6(a) && takes_v6(b)))
		return false;
	return ip_is_any(&a->ip) || ip_is_any(&b->ip) || ip_equal(&a->ip, &b->ip);
}

static bool in_conflict(
	const struct port_table *t, const struct port_user *a, const struct port_user *b)
{
	if (a == b || !addresses_meet(a, b))
		return false;
	unsigned both = a->flags & b->flags;
	if (both & PORT_REUSE_PORT)
		return false;
	bool other_listens = b->flags & PORT_LISTENING && !t->listening_shares;
	return !(both & PORT_REUSE_ADDR) || other_listens;
}

static bool may_join(const struct port_table *t, const struct port *p, const struct port_user *u)
{
	const struct port_user *other = NULL;
	list_for_each (other, &p->listening, link)
		if (in_conflict(t, u, other))
			return false;
	list_for_each (other, &p->others, link)
		if (in_conflict(t, u, other))
			return false;
	return true;
}

static int bind_at(struct port_table *t, struct port_user *u, uint16_t number, bool only_unused)
{
	irq_state irq = spin_lock(lock_of(t, number));
	int err = 0;
	struct port *p = find_or_create(t, number);
	if (!p)
		err = -ENOMEM;
	else if (p->n_users > 0 && (only_unused || !may_join(t, p, u)))
		err = -EADDRINUSE;
	else
		add(p, u);
	spin_unlock(lock_of(t, number), irq);
	return err;
}

/* Odd ports first: connect(2) takes even ones, so that each finds its half free (as Linux). */
static int bind_any(struct port_table *t, struct port_user *u, uint16_t *number)
{
	uint32_t start = (uint32_t)random_u64() % EPHEMERALS;
	for (uint32_t i = 0; i < EPHEMERALS; i++) {
		uint32_t at = (start + 2 * i) % EPHEMERALS;
		at = i < EPHEMERALS / 2 ? at | 1 : at & ~1u;
		*number = (uint16_t)(PORT_FIRST_EPHEMERAL + at);
		int err = bind_at(t, u, *number, true);
		if (err != -EADDRINUSE)
			return err;
	}
	return -EADDRINUSE;
}

int port_bind(struct port_table *t, struct port_user *u, uint16_t *number)
{
	return *number ? bind_at(t, u, *number, false) : bind_any(t, u, number);
}

int port_join(struct port_table *t, struct port_user *u, uint16_t number)
{
	irq_state irq = spin_lock(lock_of(t, number));
	struct port *p = find_or_create(t, number);
	if (p)
		add(p, u);
	spin_unlock(lock_of(t, number), irq);
	return p ? 0 : -ENOMEM;
}

uint16_t port_number(const struct port_user *u)
{
	return u->port->number;
}

void port_release(struct port_table *t, struct port_user *u)
{
	struct port *p = u->port;
	if (!p)
		return;
	struct spinlock *lock = lock_of(t, p->number);
	irq_state irq = spin_lock(lock);
	list_remove(&u->link);
	p->n_users--;
	p->n_fixed -= !(u->flags & PORT_AUTOMATIC);
	u->port = NULL; /* from here on it may be bound anew */
	free_if_unused(t, p);
	spin_unlock(lock, irq);
}

int port_listen(struct port_table *t, struct port_user *u)
{
	struct port *p = u->port;
	int err = 0;
	irq_state irq = spin_lock(lock_of(t, p->number));
	const struct port_user *other = NULL;
	list_for_each (other, &p->listening, link)
		if (in_conflict(t, u, other))
			err = -EADDRINUSE;
	if (err == 0) {
		list_remove(&u->link);
		u->flags |= PORT_LISTENING;
		list_push_front(&p->listening, &u->link);
	}
	spin_unlock(lock_of(t, p->number), irq);
	return err;
}

void port_unlisten(struct port_table *t, struct port_user *u)
{
	struct port *p = u->port;
	irq_state irq = spin_lock(lock_of(t, p->number));
	list_remove(&u->link);
	u->flags &= ~PORT_LISTENING;
	list_push_front(&p->others, &u->link);
	spin_unlock(lock_of(t, p->number), irq);
}

void port_change(struct port_table *t, struct port_user *u, const struct ip_addr *ip,
	struct flow *peer, unsigned flags)
{
	struct port *p = u->port;
	struct spinlock *lock = p ? lock_of(t, p->number) : &t->growth;
	irq_state irq = spin_lock(lock);
	const unsigned changeable = PORT_REUSE_ADDR | PORT_REUSE_PORT;
	u->flags = (u->flags & ~changeable) | (flags & changeable);
	u->ip = *ip;
	u->peer = peer;
	spin_unlock(lock, irq);
}

bool port_reserved(struct port_table *t, uint16_t number)
{
	irq_state irq = spin_lock(lock_of(t, number));
	struct port *p = find(t, number);
	bool reserved = p && p->n_fixed > 0;
	spin_unlock(lock_of(t, number), irq);
	return reserved;
}

/* How well u fits a packet for f->local from f->remote: 0 not at all, more for each thing u asks for. */
static unsigned score(const struct port_user *u, const struct flow *f, unsigned netif_index)
{
	unsigned points = 1;
	if (!ip_is_any(&u->ip)) {
		if (!ip_equal(&u->ip, &f->local))
			return 0;
		points += 5;
	} else if (ip_is_v4(&f->local)) {
		if (!takes_v4(u))
			return 0;
		points += ip_is_v4(&u->ip); /* rather than one for both families */
	} else if (!takes_v6(u)) {
		return 0;
	}
	if (u->peer) {
		if (u->peer->remote_port != f->remote_port ||
			!ip_equal(&u->peer->remote, &f->remote))
			return 0;
		points += 10;
	}
	if (u->netif_index) {
		if (u->netif_index != netif_index)
			return 0;
		points += 5;
	}
	return points;
}

static struct port_user *find_best(
	struct port *p, const struct flow *f, unsigned netif_index, uint32_t hash)
{
	struct port_user *best = NULL, *u = NULL;
	unsigned best_score = 0, n_group = 0;
	list_for_each (u, &p->listening, link) {
		unsigned points = score(u, f, netif_index);
		if (points > best_score) {
			best_score = points;
			best = u;
			n_group = 1;
		} else if (points > 0 && points == best_score &&
			   best->flags & u->flags & PORT_REUSE_PORT) {
			n_group++;
		}
	}
	if (n_group <= 1)
		return best;
	/* One of the SO_REUSEPORT group, the same for the same peer. */
	unsigned chosen = (unsigned)(((uint64_t)hash * n_group) >> 32);
	list_for_each (u, &p->listening, link)
		if (score(u, f, netif_index) == best_score && u->flags & PORT_REUSE_PORT &&
			chosen-- == 0)
			return u;
	return best;
}

struct port_user *port_find(
	struct port_table *t, const struct flow *f, unsigned netif_index, uint32_t hash)
{
	struct spinlock *lock = lock_of(t, f->local_port);
	irq_state irq = spin_lock(lock);
	struct port *p = find(t, f->local_port);
	struct port_user *u = p ? find_best(p, f, netif_index, hash) : NULL;
	if (u)
		u->hold(u);
	spin_unlock(lock, irq);
	return u;
}

unsigned port_find_all(struct port_table *t, const struct flow *f, unsigned netif_index,
	struct port_user **out, unsigned n)
{
	struct spinlock *lock = lock_of(t, f->local_port);
	unsigned found = 0;
	irq_state irq = spin_lock(lock);
	struct port *p = find(t, f->local_port);
	struct port_user *u = NULL;
	if (p) {
		list_for_each (u, &p->listening, link) {
			if (found == n || score(u, f, netif_index) == 0)
				continue;
			u->hold(u);
			out[found++] = u;
		}
	}
	spin_unlock(lock, irq);
	return found;
}

void port_each(struct port_table *t, void (*each)(void *arg, struct port_user *u, uint16_t number),
	void *arg)
{
	for (unsigned number = 1; number < 65536; number++) {
		if (!t->blocks[number >> 8]) {
			number |= 255;
			continue;
		}
		if (!t->blocks[number >> 8][number & 255])
			continue;
		irq_state irq = spin_lock(lock_of(t, (uint16_t)number));
		struct port *p = find(t, (uint16_t)number);
		struct port_user *u = NULL;
		if (p) {
			list_for_each (u, &p->listening, link)
				each(arg, u, (uint16_t)number);
			list_for_each (u, &p->others, link)
				each(arg, u, (uint16_t)number);
		}
		spin_unlock(lock_of(t, (uint16_t)number), irq);
	}
}
