/* mote ps and mote inspect. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/instance_view.h"
#include "cli/table.h"

/* "0.0.0.0:8080->80/tcp" */
static char *ports_text(const struct instance_view *v)
{
	struct text t = {0};
	json_t *port;
	size_t i;

	json_array_foreach(json_object_get(v->config, "ports"), i, port)
		text_format(&t, "%s%s:%d->%d/%s", i ? ", " : "", view_string(port, "address"),
			(int)json_integer_value(json_object_get(port, "host")),
			(int)json_integer_value(json_object_get(port, "guest")),
			view_string(port, "protocol"));
	return text_take(&t);
}

/* "up 5 minutes (healthy)", "exited (3) 2 hours ago" */
static char *status_text(const struct instance_view *v)
{
	struct ending e = ending_from_json(json_object_get(v->state, "ending"));
	const char *health = view_string(v->state, "health");
	const char *log_error = view_string(v->state, "log_error");
	int64_t started = view_time_ns(v->state, "started"),
		finished = view_time_ns(v->state, "finished"), now = clock_wall_ns();
	char since[40], ending[320];
	struct text t = {0};

	ending_text(&e, ending, sizeof(ending));
	if (strcmp(v->status, "running") == 0 || strcmp(v->status, "paused") == 0) {
		duration_text(now - started, since, sizeof(since));
		text_format(&t, "up %s%s", since, v->status[0] == 'p' ? " (paused)" : "");
		if (health[0])
			text_format(&t, " (%s)", health);
	} else if (strcmp(v->status, "exited") == 0) {
		duration_text(now - finished, since, sizeof(since));
		text_format(&t, "%s %s ago", ending, since);
	} else if (strcmp(v->status, "restarting") == 0) {
		text_format(&t, "restarting: %s", ending);
	} else if (strcmp(v->status, "dead") == 0) {
		text_add(&t, "dead: its supervisor was ended");
	} else {
		text_add(&t, v->status);
	}
	if (log_error[0])
		text_format(&t, ", cannot log: %s", log_error);
	return text_take(&t);
}

static json_t *view_json(const struct instance_view *v)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(v->instance.name));
	json_object_set_new(o, "status", json_string(v->status));
	json_object_set(o, "config", v->config);
	json_object_set(o, "state", v->state);
	return o;
}

static void print_json(json_t *o)
{
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

static void print_table(const struct instance_view *v, size_t n)
{
	static const char *const titles[] = {"NAME", "PROGRAM", "STATUS", "RESTARTS", "PORTS"};
	struct table t;

	table_open(&t, titles, sizeof(titles) / sizeof(titles[0]));
	for (size_t i = 0; i < n; i++) {
		char *status = status_text(&v[i]), *ports = ports_text(&v[i]);

		table_add(&t, v[i].instance.name);
		table_add(&t, path_name(view_string(v[i].config, "program")));
		table_add(&t, status);
		table_add_number(&t, json_integer_value(json_object_get(v[i].state, "restarts")));
		table_add(&t, ports);
		free(status);
		free(ports);
	}
	table_print(&t);
}

int command_ps(const struct options *o)
{
	struct instance_view *v = NULL;
	size_t n = 0;
	bool all = o->all || list_has_prefix(&o->filters, "status=");

	if (instance_views(&o->filters, VIEW_ALIVE | (all ? VIEW_ENDED : 0), &v, &n) < 0)
		return EXIT_MOTE_FAILED;
	json_t *list = o->json ? json_array() : NULL;

	for (size_t i = 0; i < n; i++) {
		if (o->json)
			json_array_append_new(list, view_json(&v[i]));
		else if (o->quiet)
			puts(v[i].instance.name);
	}
	if (o->json)
		print_json(list);
	else if (!o->quiet)
		print_table(v, n);
	instance_views_free(v, n);
	return 0;
}

int command_inspect(const struct options *o)
{
	json_t *list = json_array();
	int status = 0;

	for (size_t i = 0; i < o->arguments.n; i++) {
		struct instance_view v;
		int err = instance_view_open(o->arguments.items[i], &v);

		if (err < 0) {
			if (err == -ESTALE)
				fail(ENOENT, "no instance is called %s", o->arguments.items[i]);
			status = EXIT_MOTE_FAILED;
			continue;
		}
		json_array_append_new(list, view_json(&v));
		instance_view_close(&v);
	}
	print_json(list);
	return status;
}
