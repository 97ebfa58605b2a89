/* Frames are passed on whole, so that two commands' requests never mix. */
#include "cli/bridge.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/channel.h"
#include "cli/memory.h"

#define CONNECTIONS_MAX 8

struct connection {
	struct bridge *bridge;
	struct session *session;
	struct channel channel; /* fd -1 = none */
	struct watch watch;
};

struct bridge {
	struct loop *loop;
	struct connection connections[CONNECTIONS_MAX];
};

struct bridge *bridge_new(struct loop *loop)
{
	struct bridge *b = memory_new(1, sizeof(*b));

	b->loop = loop;
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		b->connections[i].channel.fd = -1;
	return b;
}

static void drop(struct connection *c)
{
	if (c->channel.fd < 0)
		return;
	loop_unwatch(c->bridge->loop, &c->watch);
	channel_free(&c->channel);
}

void bridge_drop_all(struct bridge *b)
{
	for (int i = 0; b && i < CONNECTIONS_MAX; i++)
		drop(&b->connections[i]);
}

void bridge_free(struct bridge *b)
{
	bridge_drop_all(b);
	free(b);
}

static void to_machine(void *owner, unsigned kind, const void *content, size_t len)
{
	struct connection *c = owner;

	(void)!session_send(c->session, kind, content, len);
}

static void readable(void *context, short events)
{
	struct connection *c = context;

	(void)events;
	if (channel_read(&c->channel) < 0)
		drop(c);
}

int bridge_add(struct bridge *b, int fd, struct session *session)
{
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &b->connections[i];

		if (c->channel.fd >= 0)
			continue;
		c->bridge = b;
		c->session = session;
		channel_init(&c->channel, fd, to_machine, c);
		c->watch =
			(struct watch){.fd = fd, .events = POLLIN, .ready = readable, .context = c};
		loop_watch(b->loop, &c->watch);
		return 0;
	}
	return -EBUSY;
}

void bridge_frame(struct bridge *b, unsigned kind, const void *content, size_t len)
{
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &b->connections[i];

		if (c->channel.fd >= 0 && channel_send(&c->channel, kind, content, len) < 0)
			drop(c);
	}
}
