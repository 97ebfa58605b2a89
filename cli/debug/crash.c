/* A debugger that only ever does one thing. */
#include "cli/debug/crash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/debug/core.h"
#include "cli/memory.h"

struct crash_watch {
	struct target target;
	char *path;
	bool attached;
};

struct crash_watch *crash_watch_new(struct channel *c, const char *path)
{
	struct crash_watch *w = memory_new(1, sizeof(*w));

	w->target.channel = c;
	w->path = memory_string(path);
	return w;
}

void crash_watch_free(struct crash_watch *w)
{
	if (!w)
		return;
	free(w->path);
	free(w);
}

void crash_watch_start(struct crash_watch *w)
{
	w->attached = true;
	if (target_attach(&w->target, DEBUG_CRASHES_ONLY) < 0)
		fail(EIO, "cannot watch for a crash: the machine does not answer");
	crash_watch_look(w); /* an event may have come with the answer */
}

bool crash_watch_frame(struct crash_watch *w, unsigned kind, const void *content, size_t len)
{
	return target_frame(&w->target, kind, content, len);
}

void crash_watch_look(struct crash_watch *w)
{
	struct target *t = &w->target;
	const struct debug_event e = t->event;

	if (!w->attached || !t->has_event)
		return;
	t->has_event = false;
	if (e.kind == DEBUG_EVENT_SIGNAL && core_write(t, w->path, &e) >= 0)
		warn("the program's core is in %s: gdb PROGRAM %s", w->path, w->path);
	const struct debug_action go_on = {e.tid, DEBUG_ACTION_CONTINUE, (uint8_t)e.signal, 0};

	(void)!target_resume(t, &go_on, 1, DEBUG_ACTION_CONTINUE);
}
