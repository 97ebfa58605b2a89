/* mote metrics: what stats shows, for Prometheus (text format 0.0.4), over HTTP or on stdout. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/sample.h"

#define LISTEN_DEFAULT "127.0.0.1:9464"
#define WAIT_MS 500    /* for one machine's answer */
#define CLIENT_MS 5000 /* for a client's request */
#define REQUEST_MAX 8192

struct one {
	const struct instance_view *view;
	struct sample sample;
	bool is_measured;
};

struct metric {
	const char *name, *type, *help;
	bool of_machine; /* only when the machine told */
	double (*value)(const struct one *);
};

static double up(const struct one *o)
{
	return strcmp(o->view->status, "running") == 0;
}

static double healthy(const struct one *o)
{
	const char *health = view_string(o->view->state, "health");

	return health[0] ? strcmp(health, "healthy") == 0 : -1;
}

static double restarts(const struct one *o)
{
	return (double)json_integer_value(json_object_get(o->view->state, "restarts"));
}

static double start_time(const struct one *o)
{
	return (double)view_time_ns(o->view->state, "started") / 1e9;
}

static double cpu_seconds(const struct one *o)
{
	return o->is_measured ? (double)o->sample.engine.cpu_ns / 1e9 : -1;
}

static double host_memory(const struct one *o)
{
	return o->is_measured ? (double)(o->sample.engine.rss + o->sample.supervisor.rss) : -1;
}

#define OF_MACHINE(function, field)                                                                \
	static double function(const struct one *o)                                                \
	{                                                                                          \
		return (double)o->sample.field;                                                    \
	}
OF_MACHINE(memory_total, memory_total)
OF_MACHINE(memory_used, memory_used)
OF_MACHINE(memory_cache, memory_cache)
OF_MACHINE(threads, n_threads)
OF_MACHINE(switches, context_switches)
OF_MACHINE(net_rx, net_rx)
OF_MACHINE(net_tx, net_tx)
OF_MACHINE(disk_read, disk_read)
OF_MACHINE(disk_written, disk_written)

/* clang-format off */
static const struct metric metrics[] = {
	{"mote_instance_up", "gauge", "1 while the instance runs", false, up},
	{"mote_instance_healthy", "gauge", "1 when its health check succeeds", false, healthy},
	{"mote_instance_restarts_total", "counter", "How often it was started again", false, restarts},
	{"mote_instance_start_time_seconds", "gauge", "When it was started, since 1970", false, start_time},
	{"mote_instance_cpu_seconds_total", "counter", "CPU time of its machine on this host", false, cpu_seconds},
	{"mote_instance_host_memory_bytes", "gauge", "Memory it takes of this host", false, host_memory},
	{"mote_machine_memory_bytes", "gauge", "Memory the machine has", true, memory_total},
	{"mote_machine_memory_used_bytes", "gauge", "Memory in use in the machine, without caches", true, memory_used},
	{"mote_machine_memory_cache_bytes", "gauge", "Memory of caches in the machine", true, memory_cache},
	{"mote_machine_threads", "gauge", "Threads of the program", true, threads},
	{"mote_machine_context_switches_total", "counter", "Context switches in the machine", true, switches},
	{"mote_machine_network_receive_bytes_total", "counter", "Bytes received", true, net_rx},
	{"mote_machine_network_transmit_bytes_total", "counter", "Bytes sent", true, net_tx},
	{"mote_machine_disk_read_bytes_total", "counter", "Bytes read from disks", true, disk_read},
	{"mote_machine_disk_written_bytes_total", "counter", "Bytes written to disks", true, disk_written},
};
/* clang-format on */

#define N_METRICS (sizeof(metrics) / sizeof(metrics[0]))

/* ---- The text ---- */

static void add_label_value(struct text *t, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			text_add(t, "\\n");
		else
			text_format(t, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
	}
}

static void add_metric(struct text *t, const struct metric *m, const struct one *all, size_t n)
{
	bool has_head = false;

	for (size_t i = 0; i < n; i++) {
		double value = m->of_machine && !all[i].sample.has_machine ? -1 : m->value(&all[i]);

		if (value < 0)
			continue;
		if (!has_head)
			text_format(t, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
				m->type);
		has_head = true;
		text_format(t, "%s{instance_name=\"", m->name);
		add_label_value(t, all[i].view->instance.name);
		text_add(t, "\",program=\"");
		add_label_value(t, path_name(view_string(all[i].view->config, "program")));
		text_format(t, "\"} %.*g\n", 15, value);
	}
}

static int collect(const struct options *o, struct text *t)
{
	struct instance_view *v = NULL;
	size_t n = 0;
	int err = instance_views(&o->filters, VIEW_ALIVE | VIEW_ENDED, &v, &n);

	if (err < 0)
		return err;
	struct one *all = memory_new(n, sizeof(all[0]));

	for (size_t i = 0; i < n; i++) {
		all[i].view = &v[i];
		all[i].is_measured = sample_take(&v[i], WAIT_MS, &all[i].sample) == 0;
	}
	for (size_t i = 0; i < N_METRICS; i++)
		add_metric(t, &metrics[i], all, n);
	free(all);
	instance_views_free(v, n);
	return 0;
}

/* ---- HTTP ---- */

/* The request's head, or as much as comes in time. */
static void read_request(int fd, char *request)
{
	struct pollfd ready = {fd, POLLIN, 0};
	size_t len = 0;

	while (len < REQUEST_MAX - 1 && !strstr(request, "\r\n\r\n") &&
		poll(&ready, 1, CLIENT_MS) > 0) {
		ssize_t n = recv(fd, request + len, REQUEST_MAX - 1 - len, 0);

		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = 0;
	}
}

static void respond(int fd, const char *status, const char *body, size_t len)
{
	char *head = string_format("HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; "
				   "charset=utf-8\r\nContent-Length: %zu\r\nConnection: close\r\n"
				   "\r\n",
		status, len);

	if (send(fd, head, strlen(head), MSG_NOSIGNAL) == (ssize_t)strlen(head))
		for (ssize_t n; len && (n = send(fd, body, len, MSG_NOSIGNAL)) > 0;
			len -= (size_t)n)
			body += n;
	free(head);
}

static void serve(const struct options *o, int fd)
{
	static const char other[] = "mote answers GET /metrics\n";
	const struct timeval limit = {CLIENT_MS / 1000, 0};
	char request[REQUEST_MAX] = "";
	struct text t = {0};

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	read_request(fd, request);
	if (!string_starts(request, "GET /metrics ") && !string_starts(request, "GET /metrics?"))
		respond(fd, "404 Not Found", other, strlen(other));
	else if (collect(o, &t) < 0)
		respond(fd, "500 Internal Server Error", "", 0);
	else
		respond(fd, "200 OK", t.data ? t.data : "", t.len);
	text_free(&t);
}

static int listen_at(const char *where)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	char *host = memory_string(where), *colon = strrchr(host, ':');
	int fd = -1, yes = 1, err = 0;

	if (!colon || !colon[1]) {
		free(host);
		return fail(EINVAL, "cannot listen at %s: it is not ADDRESS:PORT", where);
	}
	*colon = 0;
	char *name = host[0] == '[' ? host + 1 : host; /* "[::1]:9464" */

	name[strcspn(name, "]")] = 0;
	if (getaddrinfo(name[0] ? name : NULL, colon + 1, &wanted, &found) == 0) {
		fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0)
			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 16) < 0)
			err = fail(errno, "cannot listen at %s: %s", where, strerror(errno));
		freeaddrinfo(found);
	} else {
		err = fail(EINVAL, "cannot listen at %s: there is no such address", where);
	}
	free(host);
	if (err >= 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

static int print_once(const struct options *o)
{
	struct text t = {0};

	if (collect(o, &t) < 0)
		return EXIT_MOTE_FAILED;
	fwrite(t.data ? t.data : "", 1, t.len, stdout);
	text_free(&t);
	return 0;
}

int command_metrics(const struct options *o)
{
	if (o->once)
		return print_once(o);
	int fd = listen_at(o->listen ? o->listen : LISTEN_DEFAULT);

	if (fd < 0)
		return EXIT_MOTE_FAILED;
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0) {
			serve(o, client);
			close(client);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			fail(errno, "cannot take connections: %s", strerror(errno));
			return EXIT_MOTE_FAILED;
		}
	}
}
