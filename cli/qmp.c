/* Lines of JSON both ways. */
#include "cli/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/text.h"

#define LINE_MAX_BYTES (1 << 20) /* more than any answer */

struct command {
	void (*answer)(void *context, const json_t *reply);
	void *context;
	struct command *next;
};

struct qmp {
	struct loop *loop;
	struct watch watch;
	struct text in, out;
	struct command *first, **last;
	bool is_open;
};

static void send_line(struct qmp *q, json_t *line)
{
	char *bytes = json_dumps(line, JSON_COMPACT);

	json_decref(line);
	if (bytes)
		text_format(&q->out, "%s\n", bytes);
	free(bytes);
	q->watch.events = POLLIN | POLLOUT;
}

static void expect(struct qmp *q, void (*answer)(void *, const json_t *), void *context)
{
	struct command *c = memory_new(1, sizeof(*c));

	c->answer = answer;
	c->context = context;
	*q->last = c;
	q->last = &c->next;
}

/* Tells the oldest command its answer. */
static void answer_first(struct qmp *q, const json_t *reply)
{
	struct command *c = q->first;

	if (!c)
		return;
	q->first = c->next;
	if (!q->first)
		q->last = &q->first;
	if (c->answer)
		c->answer(c->context, reply);
	free(c);
}

static void take_line(struct qmp *q, const char *line)
{
	json_t *o = json_loads(line, 0, NULL);

	if (json_object_get(o, "return") || json_object_get(o, "error"))
		answer_first(q, o);
	json_decref(o); /* the greeting and events are of no interest */
}

static void take_lines(struct qmp *q)
{
	char *end;

	while (q->in.len && (end = memchr(q->in.data, '\n', q->in.len))) {
		size_t n = (size_t)(end - q->in.data) + 1;
		char *line = memory_bytes(q->in.data, n - 1);

		memmove(q->in.data, q->in.data + n, q->in.len - n + 1);
		q->in.len -= n;
		take_line(q, line);
		free(line);
	}
}

static void give_up(struct qmp *q)
{
	q->watch.is_off = true;
	q->is_open = false;
	while (q->first)
		answer_first(q, NULL);
}

static void ready(void *context, short events)
{
	struct qmp *q = context;
	char buf[4096];

	if (events & POLLOUT && q->out.len) {
		ssize_t n = write(q->watch.fd, q->out.data, q->out.len);

		if (n > 0) {
			memmove(q->out.data, q->out.data + n, q->out.len - (size_t)n + 1);
			q->out.len -= (size_t)n;
		}
	}
	q->watch.events = (short)(POLLIN | (q->out.len ? POLLOUT : 0));
	if (!(events & (POLLIN | POLLHUP)))
		return;
	ssize_t n = read(q->watch.fd, buf, sizeof(buf));

	if (n > 0)
		text_add_bytes(&q->in, buf, (size_t)n);
	take_lines(q);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || q->in.len > LINE_MAX_BYTES)
		give_up(q);
}

struct qmp *qmp_open(struct loop *loop, int fd)
{
	struct qmp *q = memory_new(1, sizeof(*q));

	q->loop = loop;
	q->last = &q->first;
	q->watch = (struct watch){.fd = fd, .events = POLLIN, .ready = ready, .context = q};
	loop_watch(loop, &q->watch);
	return q;
}

void qmp_close(struct qmp *q)
{
	if (!q)
		return;
	loop_unwatch(q->loop, &q->watch);
	give_up(q);
	text_free(&q->in);
	text_free(&q->out);
	free(q);
}

void qmp_execute(struct qmp *q, json_t *command, void (*answer)(void *context, const json_t *reply),
	void *context)
{
	if (q->watch.is_off) {
		json_decref(command);
		answer(context, NULL);
		return;
	}
	if (!q->is_open) { /* the greeting is answered first */
		q->is_open = true;
		expect(q, NULL, NULL);
		send_line(q, json_pack("{s:s}", "execute", "qmp_capabilities"));
	}
	expect(q, answer, context);
	send_line(q, command);
}
