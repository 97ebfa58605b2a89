/* Reading inotify events: one line each, with names and watch descriptors, without cookies. */
#pragma once
#include "check.h"
#include <sys/inotify.h>
#include <sys/ioctl.h>

static const struct {
	uint32_t bit;
	const char *name;
} watch_bits[] = {{IN_ACCESS, "ACCESS"}, {IN_MODIFY, "MODIFY"}, {IN_ATTRIB, "ATTRIB"},
	{IN_CLOSE_WRITE, "CLOSE_WRITE"}, {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"}, {IN_OPEN, "OPEN"},
	{IN_MOVED_FROM, "MOVED_FROM"}, {IN_MOVED_TO, "MOVED_TO"}, {IN_CREATE, "CREATE"},
	{IN_DELETE, "DELETE"}, {IN_DELETE_SELF, "DELETE_SELF"}, {IN_MOVE_SELF, "MOVE_SELF"},
	{IN_UNMOUNT, "UNMOUNT"}, {IN_Q_OVERFLOW, "Q_OVERFLOW"}, {IN_IGNORED, "IGNORED"},
	{IN_ISDIR, "ISDIR"}};

static inline void show_event(const struct inotify_event *e)
{
	static uint32_t last_cookie;
	printf("   wd %d", e->wd);
	for (size_t n = 0; n < COUNT(watch_bits); n++)
		if (e->mask & watch_bits[n].bit)
			printf(" %s", watch_bits[n].name);
	printf(" len %u", e->len);
	if (e->len)
		printf(" '%s'", e->name);
	if (e->cookie)
		printf(" cookie %s", e->cookie == last_cookie ? "as before" : "new");
	last_cookie = e->cookie;
	puts("");
}

/* All that is there; fd does not block. */
static inline void show_events(int fd, const char *what)
{
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n;
	printf("%s:\n", what);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			struct inotify_event *e = (void *)(buf + at);
			show_event(e);
			at += sizeof(*e) + e->len;
		}
	fflush(stdout);
}
