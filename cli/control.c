/* Addressed through the folder's descriptor: a socket's path may have 107 bytes at most. */
#include "cli/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/files.h"
#include "cli/memory.h"

#define REQUEST_MAX 65536
#define CLIENTS_MAX 256
#define SOCKET_NAME "control"

struct control_client {
	struct control *control;
	struct watch watch;
	struct text in;
	bool asked;
	struct control_client *next;
};

struct control {
	struct loop *loop;
	struct control_events events;
	struct watch listener;
	struct control_client *clients;
	unsigned n_clients;
	int folder;
};

static struct sockaddr_un address_of(int folder)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, folder);
	return at;
}

/* ---- The supervisor's side ---- */

static int forget(struct control_client *c)
{
	struct control *control = c->control;
	struct control_client **at = &control->clients;
	int fd = c->watch.fd;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	control->n_clients--;
	loop_unwatch(control->loop, &c->watch);
	text_free(&c->in);
	free(c);
	return fd;
}

int control_take_over(struct control_client *c)
{
	return forget(c);
}

/* Answers are short: a socket takes them at once. */
void control_answer(struct control_client *c, json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);
	char *line = string_format("%s\n", text ? text : "{\"error\": \"no answer\"}");
	int fd = forget(c);

	(void)!send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
	json_decref(answer);
	free(text);
	free(line);
}

void control_refuse(struct control_client *c, const char *why)
{
	control_answer(c, json_pack("{s:s}", "error", why));
}

static void lose(struct control_client *c)
{
	struct control *control = c->control;

	if (c->asked)
		control->events.gone(control->events.context, c);
	close(forget(c));
}

static void take_request(struct control_client *c)
{
	struct control *control = c->control;
	json_t *o = json_loads(c->in.data, 0, NULL);

	c->asked = true;
	if (json_is_string(json_object_get(o, "request")))
		control->events.request(control->events.context, c, o);
	else
		control_refuse(c, "that is no request");
	json_decref(o);
}

static void client_ready(void *context, short events)
{
	struct control_client *c = context;
	char buf[4096];
	ssize_t n = read(c->watch.fd, buf, sizeof(buf));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || c->asked || c->in.len > REQUEST_MAX) {
		lose(c);
		return;
	}
	text_add_bytes(&c->in, buf, (size_t)n);
	if (memchr(c->in.data, '\n', c->in.len))
		take_request(c);
}

static void accept_client(void *context, short events)
{
	struct control *control = context;
	int fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	if (control->n_clients == CLIENTS_MAX) {
		close(fd);
		return;
	}
	struct control_client *c = memory_new(1, sizeof(*c));

	c->control = control;
	c->watch = (struct watch){.fd = fd, .events = POLLIN, .ready = client_ready, .context = c};
	c->next = control->clients;
	control->clients = c;
	control->n_clients++;
	loop_watch(control->loop, &c->watch);
}

int control_open(
	struct loop *loop, int folder, const struct control_events *events, struct control **out)
{
	struct sockaddr_un at = address_of(folder);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlinkat(folder, SOCKET_NAME, 0); /* of one that was killed: we hold the lock */
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0) {
		int err =
			fail(errno, "cannot listen for mote's other commands: %s", strerror(errno));

		if (fd >= 0)
			close(fd);
		return err;
	}
	struct control *c = memory_new(1, sizeof(*c));

	c->loop = loop;
	c->events = *events;
	c->folder = folder;
	c->listener =
		(struct watch){.fd = fd, .events = POLLIN, .ready = accept_client, .context = c};
	loop_watch(loop, &c->listener);
	*out = c;
	return 0;
}

void control_stop_listening(struct control *c)
{
	unlinkat(c->folder, SOCKET_NAME, 0);
	loop_unwatch(c->loop, &c->listener);
	close(c->listener.fd);
}

void control_close(struct control *c)
{
	if (!c)
		return;
	while (c->clients)
		close(forget(c->clients));
	free(c);
}

/* ---- A command's side ---- */

int control_connect(const struct instance *i)
{
	struct sockaddr_un at = address_of(i->folder);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Up to the newline, or what has come until the deadline. */
static void read_answer(int fd, int timeout_ms, struct text *answer)
{
	int64_t end_ns = clock_now_ns() + timeout_ms * NS_PER_MS;
	struct pollfd p = {fd, POLLIN, 0};
	char buf[4096];

	while (!answer->len || !memchr(answer->data, '\n', answer->len)) {
		int64_t left = timeout_ms < 0 ? -1 : (end_ns - clock_now_ns()) / NS_PER_MS;

		if (timeout_ms >= 0 && left <= 0)
			return;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n <= 0)
			return;
		text_add_bytes(answer, buf, (size_t)n);
	}
}

json_t *control_ask(const struct instance *i, json_t *request, int timeout_ms)
{
	char *text = json_dumps(request, JSON_COMPACT);
	char *line = string_format("%s\n", text ? text : "");
	struct text answer = {0};
	int fd = control_connect(i);
	json_t *o = NULL;

	if (fd >= 0 && send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line))
		read_answer(fd, timeout_ms, &answer);
	if (fd >= 0)
		close(fd);
	if (answer.len)
		o = json_loads(answer.data, 0, NULL);
	text_free(&answer);
	json_decref(request);
	free(text);
	free(line);
	return o;
}
