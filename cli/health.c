/* One probe at a time: connect, for http ask and read the status line, all without blocking. */
#include "cli/health.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/memory.h"
#include "cli/text.h"

const char *const health_names[] = {"", "starting", "healthy", "unhealthy"};

struct health_prober {
	struct loop *loop;
	const struct health_check *check;
	struct sockaddr_in at;
	void (*changed)(void *, enum health, const char *);
	void *context;
	enum health health;
	unsigned failures;
	int64_t start_ns;
	struct watch watch; /* of the probe under way; fd -1 = none */
	struct timer next, deadline;
	bool is_connected;
	char answer[64];
	size_t answer_len;
};

int health_parse(const char *text, struct health_check *c)
{
	*c = (struct health_check){.is_http = string_starts(text, "http:")};
	if (!c->is_http && !string_starts(text, "tcp:"))
		return -EINVAL;
	const char *number = strchr(text, ':') + 1;
	char *end = NULL;
	unsigned long port = strtoul(number, &end, 10);

	if (end == number || number[0] == '-' || number[0] == '+' || !port || port > 65535 ||
		(*end && (!c->is_http || *end != '/')) || strpbrk(end, " \r\n"))
		return -EINVAL;
	c->port = (uint16_t)port;
	c->path = c->is_http ? memory_string(*end ? end : "/") : NULL;
	return 0;
}

void health_check_free(struct health_check *c)
{
	free(c->path);
	c->path = NULL;
}

/* ---- One probe ---- */

static void end_probe(struct health_prober *p)
{
	if (p->watch.fd < 0)
		return;
	loop_unwatch(p->loop, &p->watch);
	close(p->watch.fd);
	p->watch.fd = -1;
	p->deadline.at_ns = 0;
}

static void settle(struct health_prober *p, enum health health, const char *why)
{
	if (p->health == health)
		return;
	p->health = health;
	p->changed(p->context, health, why); /* last: it may stop the prober */
}

static void result(struct health_prober *p, const char *failure)
{
	const struct health_check *c = p->check;

	end_probe(p);
	timer_set_ms(&p->next, c->interval * 1000LL);
	if (!failure) {
		p->failures = 0;
		settle(p, HEALTH_HEALTHY, "");
		return;
	}
	bool is_early = p->health == HEALTH_STARTING &&
			clock_now_ns() - p->start_ns < c->start_period * NS_PER_S;

	if (!is_early && ++p->failures >= c->retries)
		settle(p, HEALTH_UNHEALTHY, failure);
}

static void ask(struct health_prober *p)
{
	char request[1024];
	int n = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: mote\r\nConnection: "
		"close\r\n\r\n",
		p->check->path);

	if (n >= (int)sizeof(request) || send(p->watch.fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		result(p, "the request could not be sent");
	else
		p->watch.events = POLLIN;
}

/* "HTTP/1.1 200 OK": 2xx and 3xx are well. */
static void judge(struct health_prober *p)
{
	char why[80];

	if (p->answer_len < 12)
		return;
	if (string_starts(p->answer, "HTTP/1.") && (p->answer[9] == '2' || p->answer[9] == '3')) {
		result(p, NULL);
		return;
	}
	snprintf(why, sizeof(why), "it answered %.12s", p->answer);
	result(p, why);
}

static void read_answer(struct health_prober *p)
{
	ssize_t n =
		read(p->watch.fd, p->answer + p->answer_len, sizeof(p->answer) - 1 - p->answer_len);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		result(p, "it closed the connection without an answer");
		return;
	}
	p->answer_len += (size_t)n;
	p->answer[p->answer_len] = 0;
	judge(p);
}

/*
 * QEMU's user network accepts before the program does, and closes when it does not: a tcp probe
 * that is not closed at once was taken.
 */
static void probe_ready(void *context, short events)
{
	struct health_prober *p = context;
	int err = 0;
	socklen_t size = sizeof(err);

	(void)events;
	if (p->is_connected && p->check->is_http) {
		read_answer(p);
		return;
	}
	if (p->is_connected) {
		char byte;
		ssize_t n = recv(p->watch.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

		result(p, n > 0 ? NULL : "it closed the connection");
		return;
	}
	if (getsockopt(p->watch.fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0 || err) {
		result(p, strerror(err));
		return;
	}
	p->is_connected = true;
	p->watch.events = POLLIN;
	if (p->check->is_http)
		ask(p);
	else if (p->check->timeout > 1) /* quiet for half a second is well */
		timer_set_ms(&p->deadline, 500);
}

static void too_late(void *context)
{
	struct health_prober *p = context;

	result(p, p->is_connected && !p->check->is_http ? NULL : "it took too long");
}

static void probe(void *context)
{
	struct health_prober *p = context;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	p->watch.fd = fd;
	if (fd < 0) {
		timer_set_ms(&p->next, p->check->interval * 1000LL);
		return; /* this host's trouble, not the program's */
	}
	p->is_connected = false;
	p->answer_len = 0;
	p->watch.events = POLLOUT;
	loop_watch(p->loop, &p->watch);
	timer_set_ms(&p->deadline, p->check->timeout * 1000LL);
	if (connect(fd, (struct sockaddr *)&p->at, sizeof(p->at)) < 0 && errno != EINPROGRESS)
		result(p, strerror(errno));
}

struct health_prober *health_start(struct loop *loop, const struct health_check *check,
	const struct sockaddr_in *at, void (*changed)(void *context, enum health, const char *why),
	void *context)
{
	struct health_prober *p = memory_new(1, sizeof(*p));

	*p = (struct health_prober){.loop = loop,
		.check = check,
		.at = *at,
		.changed = changed,
		.context = context,
		.health = HEALTH_STARTING,
		.start_ns = clock_now_ns(),
		.watch = {.fd = -1, .ready = probe_ready, .context = p},
		.next = {.fire = probe, .context = p},
		.deadline = {.fire = too_late, .context = p}};
	loop_add_timer(loop, &p->next);
	loop_add_timer(loop, &p->deadline);
	/* The first ones come quickly: most programs serve soon. */
	timer_set_ms(&p->next, 200);
	return p;
}

void health_stop(struct health_prober *p)
{
	if (!p)
		return;
	end_probe(p);
	loop_remove_timer(p->loop, &p->next);
	loop_remove_timer(p->loop, &p->deadline);
	free(p);
}
