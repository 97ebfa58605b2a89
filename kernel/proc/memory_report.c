/*
 * Out of memory: who holds it.  Written while nothing can be allocated any more: the largest holders are kept in a
 * short list on the stack.
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/mem/page.h"
#include "kernel/proc/internal.h"

#define SHOWN 4u

struct holder {
	const struct area *area;
	uint64_t pages;
};

/* Sorted, the largest first. */
static void note_holder(struct holder list[SHOWN], const struct area *a, uint64_t pages)
{
	if (pages <= list[SHOWN - 1].pages)
		return;
	unsigned at = SHOWN - 1;
	for (; at > 0 && list[at - 1].pages < pages; at--)
		list[at] = list[at - 1];
	list[at] = (struct holder){a, pages};
}

static const char *name_of(const struct area *a)
{
	return a->name                 ? a->name
	       : a->flags & AREA_HEAP  ? "[heap]"
	       : a->flags & AREA_STACK ? "[stack]"
	       : a->cache              ? "shared memory"
				       : "anonymous";
}

static void add_holders(struct text *t)
{
	struct address_space *s = &process.space;
	struct holder list[SHOWN] = {0};
	rw_lock_read(&process.space_lock);
	for (struct area *a = area_at_or_after(s, 0); a; a = area_at_or_after(s, a->end))
		note_holder(list, a, area_resident_pages(s, a));
	for (unsigned i = 0; i < SHOWN && list[i].pages >= (i ? 256 : 1); i++) {
		const struct area *a = list[i].area;
		text_add(t, "%s%lu MB %.80s at %lx",
			i ? ", " : "mote:   largest mappings: ", list[i].pages >> 8, name_of(a),
			a->start);
	}
	rw_unlock_read(&process.space_lock);
	text_add(t, "\n");
}

void memory_report(const char *what)
{
	struct memory_usage u;
	char buf[1024];
	struct text t;
	page_usage(&u);
	uint64_t in_memory = vfs_memory_pages(),
		 cached = u.cached > in_memory ? u.cached - in_memory : 0;
	text_init(&t, buf, sizeof(buf));
	text_add(&t,
		"mote: out of memory: %s\n"
		"mote:   of %lu MB: %lu program (%u threads), %lu written files in memory, %lu "
		"cached files "
		"(%lu dirty), %lu kernel heap (sockets, files, names), %lu page tables, %lu "
		"stacks, %lu "
		"free\n",
		what, u.total >> 8, u.anonymous >> 8, process.n_tasks, in_memory >> 8, cached >> 8,
		u.dirty >> 8, u.heap >> 8, u.page_tables >> 8, u.stacks >> 8, u.free >> 8);
	add_holders(&t);
	text_add(&t, "mote:   give the machine more memory: mote run -m SIZE\n");
	log_text(buf, t.len);
}
