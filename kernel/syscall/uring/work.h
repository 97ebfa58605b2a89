/* Kernel threads that do what callers must not wait for: io_uring and kernel AIO. */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/sched/thread.h"

/* One piece of work, inside what it is about.  run may free it; it may copy to and from the program. */
struct work {
	struct list link;
	void (*run)(struct work *w);
};

static inline void work_init(struct work *w, void (*run)(struct work *w))
{
	w->run = run;
	list_init(&w->link);
}

/* Before anything else: the thread that work_now() needs exists.  -ENOMEM. */
int work_start(void) must_check;
/* One thread runs these in turn, so they must not wait for what may never come.  Any context. */
void work_now(struct work *w);
/* Work that may block.  Threads come when there is work, up to the limit, and go after idling.  Not under a spinlock. */
void work_queue(struct work *w);
/* Take it back before it runs; false: it was not queued (any more).  Any context. */
bool work_cancel(struct work *w);
/* io_uring_register(IORING_REGISTER_IOWQ_MAX_WORKERS): 0 changes nothing.  What the limit was. */
unsigned work_set_limit(unsigned n);
