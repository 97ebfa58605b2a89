/*
 * Locks are told apart by class: where they were initialised, or, for those that are only cleared, where they are
 * taken; a lock taken at two places makes one class of both.  An edge says that a lock of one class was
 * waited for while one of the other was held; an edge that closes a circle is reported.  Two locks of
 * one class at a time are in an order of their own (addresses) that is not seen here.
 */
#include "kernel/sched/lock_check.h"

#ifdef DEBUG

#include "kernel/arch/report.h"
#include "kernel/lib/log.h"
#include "kernel/sched/thread.h"

#define CLASSES 512u
#define EXPLICIT 0x8000u /* of a lock's class: given when it was initialised */
#define STUCK (1ul << 31)

static atomic_bool on;

static struct {
	_Atomic(const void *) place[CLASSES]; /* hashed; 0 unused */
	atomic_uint parent[CLASSES];          /* of united classes; 0: itself */
	_Atomic uint64_t edges[CLASSES][CLASSES / 64];
} graph;
static atomic_uint graph_lock;

static struct {
	unsigned n;
	bool reporting;
	struct {
		struct spinlock *lock;
		unsigned class;
	} held[HELD_MAX];
} aligned_to(64) cpus[CPU_MAX];

/* --- reports -------------------------------------------------------------------------------------- */

static void name_of(struct text *t, unsigned class)
{
	size_t offset = 0;
	uintptr_t at = (uintptr_t)atomic_load(&graph.place[class]);
	const char *name = symbol_find(at, &offset);
	text_add(t, "%s+%#zx", name != NULL ? name : "?", offset);
}

static void report(const char *what, unsigned a, unsigned b)
{
	static char lines[2048];
	char names[160];
	irq_state state = irq_save();
	unsigned cpu = cpu_id();
	if (!cpus[cpu].reporting) {
		cpus[cpu].reporting = true;
		struct text t;
		text_init(&t, names, sizeof(names));
		name_of(&t, a);
		if (b != a) {
			text_add(&t, " and ");
			name_of(&t, b);
		}
		log_error("lock check: %s: %s", what, names);
		text_init(&t, lines, sizeof(lines));
		backtrace_describe(&t, (uintptr_t)__builtin_return_address(0),
			(uintptr_t)__builtin_frame_address(0));
		log_text(lines, t.len);
		cpus[cpu].reporting = false;
	}
	irq_restore(state);
}

/* --- classes --------------------------------------------------------------------------------------- */

unsigned lock_class_of(const void *place)
{
	uint64_t hash = (uintptr_t)place * 0x9e3779b97f4a7c15ull >> 55;
	for (unsigned i = 0; i < CLASSES; i++) {
		unsigned at = (unsigned)(hash + i) % CLASSES;
		const void *none = NULL, *there = atomic_load(&graph.place[at]);
		if (there == place ||
			(there == NULL && at != 0 &&
				(atomic_compare_exchange_strong(&graph.place[at], &none, place) ||
					none == place)))
			return at;
	}
	panic("lock check: too many classes");
}

static unsigned root_of(unsigned class)
{
	unsigned parent;
	while ((parent = atomic_load(&graph.parent[class])) != 0)
		class = parent;
	return class;
}

/* The class of a spinlock that is about to be taken there. */
static unsigned class_at(struct spinlock *l, const void *place)
{
	if (l->class & EXPLICIT)
		return l->class & ~EXPLICIT;
	unsigned class = lock_class_of(place);
	if (l->class == 0) {
		l->class = class;
	} else if (l->class < CLASSES && root_of(l->class) != root_of(class)) {
		while (atomic_exchange(&graph_lock, 1))
			cpu_relax();
		unsigned a = root_of(l->class), b = root_of(class);
		if (a != b)
			atomic_store(&graph.parent[max(a, b)], min(a, b));
		atomic_store(&graph_lock, 0);
	}
	return class;
}

void lock_check_name(struct spinlock *l, const void *place)
{
	l->class = lock_class_of(place) | EXPLICIT;
}

/* --- the graph, under its lock ---------------------------------------------------------------------- */

static bool row_has(unsigned class, unsigned *j)
{
	for (; *j < CLASSES; (*j)++)
		if (atomic_load(&graph.edges[class][*j / 64]) >> *j % 64 & 1)
			return true;
	return false;
}

/* Is there a way along edges? */
static bool reaches(unsigned from, unsigned to)
{
	static bool seen[CLASSES];
	static uint16_t todo[CLASSES];
	unsigned n = 0;
	__builtin_memset(seen, 0, sizeof(seen));
	todo[n++] = (uint16_t)root_of(from);
	seen[todo[0]] = true;
	while (n > 0) {
		unsigned at = todo[--n];
		if (at == root_of(to))
			return true;
		for (unsigned i = 1; i < CLASSES; i++) {
			if (atomic_load(&graph.place[i]) == NULL || root_of(i) != at)
				continue;
			for (unsigned j = 0; row_has(i, &j); j++) {
				unsigned next = root_of(j);
				if (seen[next])
					continue;
				seen[next] = true;
				todo[n++] = (uint16_t)next;
			}
		}
	}
	return false;
}

/* `class` is waited for while `above` is held. */
static void add_edge(unsigned above, unsigned class)
{
	uint64_t bit = 1ull << class % 64;
	if (atomic_load(&graph.edges[above][class / 64]) & bit || root_of(above) == root_of(class))
		return;
	while (atomic_exchange(&graph_lock, 1))
		cpu_relax();
	bool new = !(atomic_fetch_or(&graph.edges[above][class / 64], bit) & bit);
	bool circle = new &&reaches(class, above);
	atomic_store(&graph_lock, 0);
	if (circle)
		report("taken in both orders", class, above);
}

/* --- spinlocks: interrupts are off ------------------------------------------------------------------- */

static void before(struct spinlock *l, const void *place)
{
	unsigned cpu = cpu_id();
	unsigned class = class_at(l, place);
	if (cpus[cpu].reporting)
		return;
	for (unsigned i = 0; i < cpus[cpu].n; i++) {
		if (cpus[cpu].held[i].lock == l)
			panic("lock check: %p is held by this CPU", (void *)l);
		add_edge(cpus[cpu].held[i].class, class);
	}
}

static void after(struct spinlock *l, const void *place)
{
	unsigned cpu = cpu_id(), n = cpus[cpu].n;
	if (n == HELD_MAX)
		panic("lock check: too many locks held");
	cpus[cpu].held[n].lock = l;
	cpus[cpu].held[n].class = l->class & EXPLICIT ? l->class & ~EXPLICIT : lock_class_of(place);
	cpus[cpu].n = n + 1;
}

static void release(struct spinlock *l)
{
	unsigned cpu = cpu_id();
	for (unsigned i = cpus[cpu].n; i-- > 0;)
		if (cpus[cpu].held[i].lock == l) {
			cpus[cpu].n--;
			for (; i < cpus[cpu].n; i++)
				cpus[cpu].held[i] = cpus[cpu].held[i + 1];
			return;
		}
	panic("lock check: %p is released, and not held by this CPU", (void *)l);
}

static void spin(struct spinlock *l, const void *place)
{
	bool checked = atomic_load_explicit(&on, memory_order_relaxed);
	if (checked)
		before(l, place);
	for (unsigned long n = 0; atomic_exchange_explicit(&l->locked, 1, memory_order_acquire);)
		while (atomic_load_explicit(&l->locked, memory_order_relaxed)) {
			cpu_relax();
			if (checked && ++n == STUCK)
				panic("lock check: %p is never released", (void *)l);
		}
	if (checked)
		after(l, place);
}

static void unspin(struct spinlock *l)
{
	if (atomic_load_explicit(&on, memory_order_relaxed))
		release(l);
	atomic_store_explicit(&l->locked, 0, memory_order_release);
}

irq_state spin_lock(struct spinlock *l)
{
	irq_state state = irq_save();
	spin(l, __builtin_return_address(0));
	return state;
}

void spin_unlock(struct spinlock *l, irq_state state)
{
	unspin(l);
	irq_restore(state);
}

bool spin_try_lock_nested(struct spinlock *l)
{
	if (atomic_exchange_explicit(&l->locked, 1, memory_order_acquire))
		return false;
	if (atomic_load_explicit(&on, memory_order_relaxed)) {
		(void)class_at(l, __builtin_return_address(0));
		after(l, __builtin_return_address(0));
	}
	return true;
}

void spin_lock_nested(struct spinlock *l)
{
	if (irq_enabled())
		panic("lock check: interrupts are on");
	spin(l, __builtin_return_address(0));
}

void spin_unlock_nested(struct spinlock *l)
{
	unspin(l);
}

/* --- locks that sleep ---------------------------------------------------------------------------------- */

static unsigned spinlocks_held(unsigned *class)
{
	irq_state state = irq_save();
	unsigned n = cpus[cpu_id()].n;
	if (n > 0)
		*class = cpus[cpu_id()].held[n - 1].class;
	irq_restore(state);
	return n;
}

void lock_check_block(void)
{
	unsigned class = 0;
	if (atomic_load(&on) && spinlocks_held(&class) > 0)
		report("sleeps with a spinlock held", class, class);
}

void lock_check_user_access(void)
{
	unsigned class = 0;
	if (atomic_load(&on) && spinlocks_held(&class) > 0)
		report("touches user memory with a spinlock held", class, class);
}

void lock_check_sleeping(unsigned class)
{
	if (!atomic_load(&on))
		return;
	unsigned above = 0;
	if (spinlocks_held(&above) > 0)
		report("may sleep with a spinlock held", class, above);
	const struct held_locks *h = &thread_current()->held;
	for (unsigned i = 0; i < h->n; i++)
		add_edge(h->held[i].class, class);
}

void lock_check_held(const void *lock, unsigned class)
{
	if (!atomic_load(&on))
		return;
	struct held_locks *h = &thread_current()->held;
	for (unsigned i = 0; i < h->n; i++)
		if (h->held[i].lock == lock)
			report("held twice", class, class);
	if (h->n == HELD_MAX)
		panic("lock check: too many locks held");
	h->held[h->n].lock = lock;
	h->held[h->n++].class = class;
}

void lock_check_released(const void *lock)
{
	if (!atomic_load(&on))
		return;
	struct held_locks *h = &thread_current()->held;
	for (unsigned i = h->n; i-- > 0;)
		if (h->held[i].lock == lock) {
			h->n--;
			for (; i < h->n; i++)
				h->held[i] = h->held[i + 1];
			return;
		}
	report("released by another thread", lock_class_of(__builtin_return_address(0)), 0);
}

void lock_check_none(const char *when)
{
	unsigned class = 0;
	if (!atomic_load(&on))
		return;
	if (spinlocks_held(&class) > 0)
		report(when, class, class);
	const struct held_locks *h = &thread_current()->held;
	if (h->n > 0)
		report(when, h->held[h->n - 1].class, h->held[h->n - 1].class);
}

void lock_check_start(void)
{
	atomic_store(&on, true);
}

#endif
