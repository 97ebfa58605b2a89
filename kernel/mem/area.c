/*
 * Areas: the tree, splitting and joining, finding room, and how /proc/self/maps shows them.
 * Page tables are not touched here, but for cutting a large page that an area's new end would go through.
 */
#include "kernel/mem/area.h"
#include "abi/linux/errno.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/large.h"

static struct area *of_node(const struct tree_node *n)
{
	return n == NULL ? NULL : container_of(n, struct area, node);
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	return of_node(a)->start < of_node(b)->start ? -1 : 1;
}

static int compare_address(const void *key, const struct tree_node *node)
{
	const struct area *a = of_node(node);
	uintptr_t address = *(const uintptr_t *)key;
	return address < a->start ? -1 : address >= a->end ? 1 : 0;
}

struct area *area_next(const struct area *a)
{
	return of_node(tree_next(&a->node));
}

struct area *area_prev(const struct area *a)
{
	return of_node(tree_prev(&a->node));
}

struct area *area_at(struct address_space *s, uintptr_t address)
{
	struct area *a = atomic_load_explicit(&s->last_hit, memory_order_relaxed);
	if (a != NULL && address >= a->start && address < a->end)
		return a;
	a = of_node(tree_find(&s->areas, &address, compare_address));
	if (a != NULL)
		atomic_store_explicit(&s->last_hit, a, memory_order_relaxed);
	return a;
}

struct area *area_at_or_after(struct address_space *s, uintptr_t address)
{
	return of_node(tree_find_from(&s->areas, &address, compare_address));
}

/* --- life -------------------------------------------------------------------------------------- */

int area_new(const struct area *like, struct area **out)
{
	struct area *a = heap_alloc(sizeof(*a));
	if (a == NULL)
		return -ENOMEM;
	*a = *like;
	if (like->name != NULL) {
		a->name = heap_string(like->name);
		if (a->name == NULL) {
			heap_free(a);
			return -ENOMEM;
		}
	}
	if (a->cache != NULL) {
		atomic_fetch_add(&a->cache->n_areas, 1);
		if (a->cache->ops->get != NULL)
			a->cache->ops->get(a->cache);
	}
	*out = a;
	return 0;
}

void area_free(struct area *a)
{
	if (a->cache != NULL) {
		atomic_fetch_sub(&a->cache->n_areas, 1);
		if (a->cache->ops->put != NULL)
			a->cache->ops->put(a->cache);
	}
	heap_free(a->name);
	heap_free(a);
}

void area_insert(struct address_space *s, struct area *a)
{
	tree_insert(&s->areas, &a->node, compare);
	s->n_areas++;
	s->total_bytes += a->end - a->start;
}

/* Room has come up there: the search for gaps must start above it. */
static void gap_opened(struct address_space *s, uintptr_t end)
{
	/* With what lies free above it, the gap may reach further than end. */
	struct area *above = area_at_or_after(s, end);
	uintptr_t top = above == NULL ? s->mmap_top : min(above->start, s->mmap_top);
	s->gap_top = max(s->gap_top, top);
}

void area_remove(struct address_space *s, struct area *a)
{
	tree_remove(&s->areas, &a->node);
	atomic_store_explicit(&s->last_hit, NULL, memory_order_relaxed);
	s->n_areas--;
	s->total_bytes -= a->end - a->start;
	gap_opened(s, a->end);
}

void area_extend(struct address_space *s, struct area *a, uintptr_t start, uintptr_t end)
{
	s->total_bytes += (a->start - start) + (end - a->end);
	if (a->cache != NULL)
		a->offset -= a->start - start;
	a->start = start;
	a->end = end;
}

/* --- splitting and joining --------------------------------------------------------------------- */

int area_split(struct address_space *s, uintptr_t at)
{
	struct area *a = area_at(s, at);
	if (a == NULL || a->start == at)
		return 0;
	if (s->n_areas >= AREAS_MAX)
		return -ENOMEM;
	struct area *upper = NULL;
	int err = large_cut(s, at);
	if (err == 0)
		err = area_new(a, &upper);
	if (err < 0)
		return err;
	upper->start = at;
	if (a->cache != NULL)
		upper->offset += at - a->start;
	if (a->pages != NULL)
		upper->pages += (at - a->start) / PAGE_SIZE;
	s->total_bytes -= a->end - at;
	a->end = at;
	area_insert(s, upper);
	return 0;
}

int area_isolate(struct address_space *s, uintptr_t start, uintptr_t end)
{
	int err = area_split(s, start);
	if (err < 0)
		return err;
	err = area_split(s, end);
	if (err < 0)
		area_join(s, start, start);
	return err;
}

static bool same_name(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool can_join(const struct area *a, const struct area *b)
{
	if (a->end != b->start || a->prot != b->prot || a->flags != b->flags ||
		a->max_prot != b->max_prot || a->cache != b->cache || a->pages != NULL ||
		b->pages != NULL || a->flags & AREA_STACK)
		return false;
	if (a->cache != NULL && a->offset + (a->end - a->start) != b->offset)
		return false;
	return a->id == b->id && a->device == b->device && same_name(a->name, b->name);
}

void area_join(struct address_space *s, uintptr_t start, uintptr_t end)
{
	struct area *a = area_at_or_after(s, start > 0 ? start - 1 : 0);
	while (a != NULL && a->start <= end) {
		struct area *b = area_next(a);
		if (b == NULL || !can_join(a, b)) {
			a = b;
			continue;
		}
		uintptr_t gap_top = s->gap_top;
		uintptr_t b_end = b->end;
		area_remove(s, b);
		s->gap_top = gap_top; /* no room has come up */
		area_extend(s, a, a->start, b_end);
		area_free(b);
	}
}

/* --- room -------------------------------------------------------------------------------------- */

bool area_is_free(struct address_space *s, uintptr_t start, uintptr_t end)
{
	struct area *a = area_at_or_after(s, start);
	return a == NULL || a->start >= end;
}

bool area_is_covered(struct address_space *s, uintptr_t start, uintptr_t end)
{
	struct area *a = area_at(s, start);
	while (a != NULL && a->end < end) {
		struct area *next = area_next(a);
		if (next == NULL || next->start != a->end)
			return false;
		a = next;
	}
	return a != NULL;
}

/* The last area that starts below top. */
static struct area *area_below(struct address_space *s, uintptr_t top)
{
	struct area *a = area_at_or_after(s, top - 1);
	if (a != NULL && a->start < top)
		return a;
	return a != NULL ? area_prev(a) : of_node(tree_last(&s->areas));
}

/* Down from top to the first gap that is large enough; the largest passed over in *largest. */
static uintptr_t search_down(
	struct address_space *s, size_t length, uintptr_t top, uintptr_t *largest)
{
	struct area *a = area_below(s, top);
	for (;;) {
		uintptr_t floor = a == NULL ? USER_START : max(a->end, USER_START);
		uintptr_t room = top > floor ? top - floor : 0;
		if (room >= length)
			return top - length;
		*largest = max(*largest, room);
		if (a == NULL)
			return 0;
		uintptr_t guard = a->flags & AREA_STACK ? STACK_GUARD_GAP : 0;
		top = min(top, a->start > guard ? a->start - guard : 0);
		a = area_prev(a);
	}
}

uintptr_t area_find_gap(struct address_space *s, size_t length, uintptr_t top)
{
	uintptr_t largest = 0;
	if (top != s->mmap_top)
		return search_down(s, length, top, &largest);
	if (length <= s->gap_largest || s->gap_top > top) {
		s->gap_top = top;
		s->gap_largest = 0;
	}
	largest = s->gap_largest;
	uintptr_t found = search_down(s, length, s->gap_top, &largest);
	s->gap_largest = largest;
	if (found != 0)
		s->gap_top = found + length;
	return found;
}

/* --- /proc/self/maps ---------------------------------------------------------------------------- */

int area_describe(const struct area *a, char *buf, size_t size)
{
	unsigned long major = a->device >> 8 & 0xfff;
	unsigned long minor = (a->device & 0xff) | (a->device >> 12 & 0xfff00);
	struct text t;
	text_init(&t, buf, size);
	text_add(&t, "%08lx-%08lx %c%c%c%c %08llx %02lx:%02lx %llu ", a->start, a->end,
		a->prot & MMU_READ ? 'r' : '-', a->prot & MMU_WRITE ? 'w' : '-',
		a->prot & MMU_EXEC ? 'x' : '-', a->flags & AREA_SHARED ? 's' : 'p',
		(unsigned long long)(a->cache != NULL ? a->offset : 0), major, minor,
		(unsigned long long)a->id);
	const char *name = a->name != NULL         ? a->name
			   : a->flags & AREA_HEAP  ? "[heap]"
			   : a->flags & AREA_STACK ? "[stack]"
						   : NULL;
	/* The name stands in column 73 (fs/proc/task_mmu.c). */
	if (name != NULL)
		text_add(&t, "%*s%s", t.len < 73 ? (int)(73 - t.len) : 1, "", name);
	text_add(&t, "\n");
	return (int)(t.cut ? size : t.len);
}
