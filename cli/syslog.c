/* A queue of framed messages and one socket. */
#include "cli/syslog.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/memory.h"

#define QUEUE_MAX (1u << 20)
#define MESSAGE_MAX 2000 /* RFC 5424 6.1: what receivers should take is 2048 */
#define AGAIN_FIRST_MS 500
#define AGAIN_MAX_MS 30000
#define FACILITY_USER 1 /* RFC 5424 6.2.1 */
#define SEVERITY_ERROR 3
#define SEVERITY_WARNING 4
#define SEVERITY_INFORMATION 6

struct message {
	struct message *next;
	size_t len;
	char bytes[];
};

struct syslog {
	struct loop *loop;
	bool is_tcp, is_connected;
	struct sockaddr_storage at;
	socklen_t at_size;
	char name[64], host[256];
	struct watch watch; /* fd -1 = no socket */
	struct timer again;
	int64_t delay_ms;
	struct message *first, **last;
	size_t waiting, sent; /* bytes in the queue; of the first message */
	unsigned long lost;
};

/* ---- Where to ---- */

int syslog_parse(const char *text, struct syslog_target *t)
{
	*t = (struct syslog_target){.is_tcp = string_starts(text, "tcp://")};
	if (!t->is_tcp && !string_starts(text, "udp://"))
		return -EINVAL;
	text += strlen("udp://");
	size_t len = text[0] == '[' ? strcspn(text, "]") : strcspn(text, ":");
	const char *rest = text + len;

	if (text[0] == '[' && *rest) {
		text++;
		len--;
		rest++;
	}
	size_t digits = *rest == ':' ? strspn(rest + 1, "0123456789") : 0;

	if (!len || (*rest && (!digits || rest[1 + digits])) || atoi(rest + (*rest != 0)) > 65535)
		return -EINVAL;
	t->host = memory_bytes(text, len);
	t->port = memory_string(*rest ? rest + 1 : t->is_tcp ? "601" : "514");
	return 0;
}

void syslog_target_free(struct syslog_target *t)
{
	free(t->host);
	free(t->port);
	*t = (struct syslog_target){0};
}

/* ---- The socket ---- */

static void close_socket(struct syslog *s)
{
	if (s->watch.fd < 0)
		return;
	loop_unwatch(s->loop, &s->watch);
	close(s->watch.fd);
	s->watch.fd = -1;
	s->is_connected = false;
	s->sent = 0; /* a message that was cut starts anew on a new connection */
}

static void try_later(struct syslog *s)
{
	close_socket(s);
	timer_set_ms(&s->again, s->delay_ms);
	s->delay_ms = s->delay_ms * 2 < AGAIN_MAX_MS ? s->delay_ms * 2 : AGAIN_MAX_MS;
}

static void drop_first(struct syslog *s)
{
	struct message *m = s->first;

	s->first = m->next;
	if (!s->first)
		s->last = &s->first;
	s->waiting -= m->len;
	s->sent = 0;
	free(m);
}

/* False: no more now. */
static bool send_first(struct syslog *s)
{
	struct message *m = s->first;
	ssize_t n = send(s->watch.fd, m->bytes + s->sent, m->len - s->sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0 && !s->is_tcp) {
		/* Somebody refused an earlier datagram (ECONNREFUSED), or this one is too large. */
		if (errno != ECONNREFUSED)
			drop_first(s);
		return errno == ECONNREFUSED;
	}
	if (n < 0) {
		try_later(s);
		return false;
	}
	s->sent += (size_t)n;
	s->delay_ms = AGAIN_FIRST_MS;
	if (s->sent == m->len)
		drop_first(s);
	return true;
}

static void send_all(struct syslog *s)
{
	while (s->first && s->watch.fd >= 0 && send_first(s))
		;
	if (s->watch.fd >= 0)
		s->watch.events = (short)((s->is_tcp ? POLLIN : 0) | (s->first ? POLLOUT : 0));
}

static void socket_ready(void *context, short events)
{
	struct syslog *s = context;
	char buf[256];
	int err = 0;
	socklen_t size = sizeof(err);

	if (!s->is_connected) {
		if (getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0 || err) {
			try_later(s);
			return;
		}
		s->is_connected = true;
	}
	if (s->is_tcp && events & (POLLIN | POLLHUP | POLLERR)) {
		ssize_t n = recv(s->watch.fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			try_later(s);
			return;
		}
	}
	if (!s->is_tcp && events & POLLERR)
		getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &err, &size);
	send_all(s);
}

static void open_socket(void *context)
{
	struct syslog *s = context;
	int fd = socket(s->at.ss_family,
		(s->is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		timer_set_ms(&s->again, s->delay_ms);
		return;
	}
	s->watch = (struct watch){.fd = fd, .events = POLLOUT, .ready = socket_ready, .context = s};
	loop_watch(s->loop, &s->watch);
	if (connect(fd, (struct sockaddr *)&s->at, s->at_size) < 0 && errno != EINPROGRESS)
		try_later(s);
	s->is_connected = !s->is_tcp;
}

/* ---- Messages ---- */

/* Part of the first one is on its way already. */
static void drop_second(struct syslog *s)
{
	struct message *m = s->first->next;

	s->first->next = m->next;
	s->waiting -= m->len;
	free(m);
}

static void enqueue(struct syslog *s, const char *bytes, size_t len)
{
	char count[16] = "";
	int n = s->is_tcp ? snprintf(count, sizeof(count), "%zu ", len) : 0;
	struct message *m = memory_new(1, sizeof(*m) + (size_t)n + len);

	m->len = (size_t)n + len;
	memcpy(m->bytes, count, (size_t)n);
	memcpy(m->bytes + n, bytes, len);
	*s->last = m;
	s->last = &m->next;
	s->waiting += m->len;
	while (s->waiting > QUEUE_MAX && s->first->next && s->first->next->next) {
		if (s->sent)
			drop_second(s);
		else
			drop_first(s);
		s->lost++;
	}
}

/* RFC 5424 6: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG */
static void compose(struct syslog *s, int severity, const char *stream, int64_t wall_ns,
	const char *line, size_t len)
{
	char head[512], time[TIME_TEXT_MAX];

	time_text(wall_ns, time);
	strcpy(time + strlen("2026-01-31T12:00:00.123456"), "Z"); /* at most six digits: 6.2.3 */
	int n = snprintf(head, sizeof(head), "<%d>1 %s %s %s - %s - ", FACILITY_USER * 8 + severity,
		time, s->host, s->name, stream);
	char message[sizeof(head) + MESSAGE_MAX];

	if (len > MESSAGE_MAX)
		len = MESSAGE_MAX;
	memcpy(message, head, (size_t)n);
	memcpy(message + n, line, len);
	for (size_t i = (size_t)n; i < (size_t)n + len; i++)
		if (message[i] == 0) /* some receivers end there */
			message[i] = ' ';
	enqueue(s, message, (size_t)n + len);
}

void syslog_add(struct syslog *s, enum stream stream, int64_t wall_ns, const char *line, size_t len)
{
	char text[80];

	if (s->lost && s->waiting < QUEUE_MAX / 2) {
		int n = snprintf(
			text, sizeof(text), "%lu lines were lost: the server was away", s->lost);

		s->lost = 0;
		compose(s, SEVERITY_WARNING, "mote", wall_ns, text, (size_t)n);
	}
	compose(s, stream == STREAM_OUT ? SEVERITY_INFORMATION : SEVERITY_ERROR,
		stream_names[stream], wall_ns, line, len);
	if (s->watch.fd < 0 && !s->again.at_ns)
		open_socket(s);
	if (s->is_connected)
		send_all(s);
}

bool syslog_is_empty(const struct syslog *s)
{
	return !s->first;
}

int syslog_open(
	struct loop *loop, const struct syslog_target *t, const char *name, struct syslog **out)
{
	struct addrinfo wanted = {.ai_socktype = t->is_tcp ? SOCK_STREAM : SOCK_DGRAM}, *found;
	int err = getaddrinfo(t->host, t->port, &wanted, &found);

	if (err)
		return fail(EHOSTUNREACH, "cannot find the syslog server %s: %s", t->host,
			gai_strerror(err));
	struct syslog *s = memory_new(1, sizeof(*s));

	s->loop = loop;
	s->is_tcp = t->is_tcp;
	memcpy(&s->at, found->ai_addr, found->ai_addrlen);
	s->at_size = found->ai_addrlen;
	freeaddrinfo(found);
	s->last = &s->first;
	s->watch.fd = -1;
	s->delay_ms = AGAIN_FIRST_MS;
	s->again = (struct timer){.fire = open_socket, .context = s};
	loop_add_timer(loop, &s->again);
	snprintf(s->name, sizeof(s->name), "%.47s", name); /* APP-NAME: 48 at most */
	if (gethostname(s->host, sizeof(s->host)) < 0 || !s->host[0])
		strcpy(s->host, "-");
	s->host[sizeof(s->host) - 1] = 0;
	*out = s;
	return 0;
}

void syslog_close(struct syslog *s)
{
	if (!s)
		return;
	close_socket(s);
	loop_remove_timer(s->loop, &s->again);
	while (s->first)
		drop_first(s);
	free(s);
}
