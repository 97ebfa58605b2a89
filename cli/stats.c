/* mote stats: one look; mote top: again and again. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/sample.h"
#include "cli/table.h"

#define WAIT_MS 500
#define BETWEEN_MS 500 /* two samples make a rate */
#define TOP_MS 2000

struct pair {
	char name[64];
	struct sample first, second;
	const char *status;
	bool is_there;
};

/* ---- Sampling ---- */

static bool is_named(const struct options *o, const char *name)
{
	return !o->arguments.n || list_has(&o->arguments, name);
}

static int check_names(const struct options *o)
{
	for (size_t i = 0; i < o->arguments.n; i++) {
		struct instance one;

		if (instance_open(o->arguments.items[i], &one) < 0)
			return -ENOENT;
		instance_close(&one);
	}
	return 0;
}

static void take_second(struct pair *p)
{
	struct instance_view v;

	p->is_there = false;
	if (instance_view_open(p->name, &v) < 0)
		return;
	p->is_there = sample_take(&v, WAIT_MS, &p->second) == 0;
	instance_view_close(&v);
}

/* Two samples of each that runs. */
static int take_pairs(const struct options *o, struct pair **out, size_t *n)
{
	struct instance_view *v = NULL;
	size_t n_views = 0;

	*n = 0;
	*out = NULL;
	if (instance_views(&o->filters, VIEW_ALIVE, &v, &n_views) < 0)
		return -EIO;
	*out = memory_new(n_views, sizeof((*out)[0]));
	for (size_t i = 0; i < n_views; i++) {
		struct pair *p = &(*out)[*n];

		if (!is_named(o, v[i].instance.name) || sample_take(&v[i], 0, &p->first) < 0)
			continue;
		strcpy(p->name, v[i].instance.name);
		p->status = strcmp(v[i].status, "paused") == 0 ? "paused" : "running";
		++*n;
	}
	instance_views_free(v, n_views);
	poll(NULL, 0, BETWEEN_MS);
	for (size_t i = 0; i < *n; i++)
		take_second(&(*out)[i]);
	return 0;
}

static double cpu_percent(const struct pair *p)
{
	int64_t wall = p->second.at_ns - p->first.at_ns;
	uint64_t cpu = p->second.engine.cpu_ns - p->first.engine.cpu_ns;

	return wall > 0 ? 100.0 * (double)cpu / (double)wall : 0;
}

/* ---- Showing ---- */

static char *bytes_text(uint64_t bytes)
{
	static const char units[] = " KMGT";
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1000 && units[i + 1]) {
		value /= 1024;
		i++;
	}
	return i ? string_format("%.*f%c", value < 10 ? 1 : 0, value, units[i])
		 : string_format("%" PRIu64, bytes);
}

static void add_bytes(struct table *t, bool known, uint64_t bytes)
{
	char *text = known ? bytes_text(bytes) : memory_string("-");

	table_add(t, text);
	free(text);
}

static void add_row(struct table *t, const struct pair *p)
{
	const struct sample *s = &p->second;
	char *cpu = string_format("%.1f%%", cpu_percent(p));

	table_add(t, p->name);
	table_add(t, p->status);
	table_add(t, cpu);
	add_bytes(t, true, s->engine.rss + s->supervisor.rss);
	add_bytes(t, s->has_machine, s->memory_used);
	add_bytes(t, s->has_machine, s->memory_total);
	if (s->has_machine)
		table_add_number(t, (long long)s->n_threads);
	else
		table_add(t, "-");
	add_bytes(t, s->has_machine, s->net_rx);
	add_bytes(t, s->has_machine, s->net_tx);
	add_bytes(t, s->has_machine, s->disk_read);
	add_bytes(t, s->has_machine, s->disk_written);
	free(cpu);
}

static void print_table(const struct pair *p, size_t n)
{
	static const char *const titles[] = {"NAME", "STATUS", "CPU", "HOST-MEM", "USED", "OF",
		"THREADS", "NET-IN", "NET-OUT", "READ", "WRITTEN"};
	struct table t;

	table_open(&t, titles, sizeof(titles) / sizeof(titles[0]));
	for (size_t i = 0; i < n; i++)
		if (p[i].is_there)
			add_row(&t, &p[i]);
	table_print(&t);
}

static void add_number(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

static json_t *machine_json(const struct sample *s)
{
	json_t *o = json_object();

	add_number(o, "memory_total_bytes", s->memory_total);
	add_number(o, "memory_used_bytes", s->memory_used);
	add_number(o, "memory_cache_bytes", s->memory_cache);
	add_number(o, "threads", s->n_threads);
	add_number(o, "context_switches", s->context_switches);
	add_number(o, "network_received_bytes", s->net_rx);
	add_number(o, "network_sent_bytes", s->net_tx);
	add_number(o, "disk_read_bytes", s->disk_read);
	add_number(o, "disk_written_bytes", s->disk_written);
	return o;
}

static json_t *pair_json(const struct pair *p)
{
	const struct sample *s = &p->second;
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(p->name));
	json_object_set_new(o, "status", json_string(p->status));
	json_object_set_new(o, "cpu_percent", json_real(cpu_percent(p)));
	add_number(o, "cpu_ns", s->engine.cpu_ns);
	add_number(o, "host_memory_bytes", s->engine.rss + s->supervisor.rss);
	json_object_set_new(o, "machine", s->has_machine ? machine_json(s) : json_null());
	return o;
}

static void print_json(const struct pair *p, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (p[i].is_there)
			json_array_append_new(list, pair_json(&p[i]));
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

int command_stats(const struct options *o)
{
	struct pair *p = NULL;
	size_t n = 0;

	if (check_names(o) < 0 || take_pairs(o, &p, &n) < 0)
		return EXIT_MOTE_FAILED;
	if (o->json)
		print_json(p, n);
	else
		print_table(p, n);
	free(p);
	return 0;
}

/* True: the person wants to leave. */
static bool wait_for_key(void)
{
	struct pollfd key = {STDIN_FILENO, POLLIN, 0};
	char c = 0;

	if (poll(&key, 1, TOP_MS - BETWEEN_MS) <= 0)
		return false;
	return read(STDIN_FILENO, &c, 1) <= 0 || c == 'q' || c == 3;
}

int command_top(const struct options *o)
{
	struct termios before, raw;
	bool is_terminal = isatty(STDOUT_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	int status = 0;

	if (!is_terminal || o->once)
		return command_stats(o);
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	do {
		struct pair *p = NULL;
		size_t n = 0;

		if (check_names(o) < 0 || take_pairs(o, &p, &n) < 0) {
			status = EXIT_MOTE_FAILED;
			break;
		}
		fputs("\033[H\033[J", stdout);
		print_table(p, n);
		puts("\nq: leave");
		fflush(stdout);
		free(p);
	} while (!wait_for_key());
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	return status;
}
