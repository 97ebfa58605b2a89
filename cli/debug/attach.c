/* The supervisor passes the frames on (cli/bridge.h). */
#include "cli/debug/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/memory.h"

struct attachment {
	struct channel channel; /* first */
	struct target *target;
	void (*on_frame)(void *owner, unsigned kind, const void *content, size_t len);
	void *owner;
};

static void take_frame(void *context, unsigned kind, const void *content, size_t len)
{
	struct attachment *a = context;

	if (!target_frame(a->target, kind, content, len) && a->on_frame)
		a->on_frame(a->owner, kind, content, len);
}

/* The answer, up to its newline; behind it come frames. */
static bool is_welcome(int fd, const char *name)
{
	char line[256];
	size_t n = 0;

	while (n + 1 < sizeof(line) && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = 0;
	json_t *o = json_loads(line, 0, NULL);
	const char *why = json_string_value(json_object_get(o, "error"));
	bool ok = json_is_true(json_object_get(o, "ok"));

	if (!ok)
		fail(ESRCH, "cannot look into %s: %s", name, why ? why : "it does not answer");
	json_decref(o);
	return ok;
}

int attach_open(const char *name, struct target *t,
	void (*on_frame)(void *owner, unsigned kind, const void *content, size_t len), void *owner)
{
	static const char request[] = "{\"request\": \"channel\"}\n";
	struct instance i = INSTANCE_NONE;
	int err = instance_open(name, &i);

	if (err < 0)
		return err;
	int fd = control_connect(&i);

	instance_close(&i);
	if (fd < 0 || send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
		if (fd >= 0)
			close(fd);
		return fail(ESRCH, "cannot look into %s: it does not run", name);
	}
	if (!is_welcome(fd, name)) {
		close(fd);
		return -ESRCH;
	}
	struct attachment *a = memory_new(1, sizeof(*a));

	channel_init(&a->channel, fd, take_frame, a);
	a->target = t;
	a->on_frame = on_frame;
	a->owner = owner;
	*t = (struct target){.channel = &a->channel};
	return 0;
}

void attach_close(struct target *t)
{
	if (!t->channel)
		return;
	struct attachment *a = (struct attachment *)t->channel;

	if (a->channel.fd >= 0)
		channel_free(&a->channel);
	free(a);
	t->channel = NULL;
}
