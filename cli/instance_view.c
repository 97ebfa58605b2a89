/* Reading what others write. */
#include "cli/instance_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/host_process.h"
#include "cli/memory.h"

const char *view_string(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value ? value : "";
}

int64_t view_time_ns(const json_t *o, const char *key)
{
	int64_t ns = 0;

	return time_parse(view_string(o, key), &ns) < 0 ? 0 : ns;
}

static const char *status_of(const struct instance_view *v)
{
	static const char *const known[] = {
		"starting", "running", "paused", "restarting", "exited"};
	const char *status = view_string(v->state, "status");

	if (!json_object_size(v->config))
		return "damaged";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(status, known[i]) == 0)
			return v->is_alive || i == 4 ? known[i] : "dead";
	return v->is_alive ? "starting" : "dead";
}

int instance_view_open(const char *name, struct instance_view *v)
{
	*v = (struct instance_view){.instance = INSTANCE_NONE};
	int err = instance_open(name, &v->instance);

	if (err < 0)
		return err;
	/* Its state first, then whether it lives: an end in between shows as an end. */
	v->state = instance_state(&v->instance);
	v->is_alive = instance_is_alive(&v->instance);
	if (!v->is_alive) {
		if (instance_remove_stale(&v->instance)) {
			json_decref(v->state);
			return -ESTALE;
		}
		json_decref(v->state);
		v->state = instance_state(&v->instance);
	}
	v->config = instance_config(&v->instance);
	if (!v->state)
		v->state = json_object();
	if (!v->config)
		v->config = json_object();
	v->status = status_of(v);
	return 0;
}

void instance_view_close(struct instance_view *v)
{
	json_decref(v->config);
	json_decref(v->state);
	instance_close(&v->instance);
}

/* ---- Many ---- */

static bool has_label(const struct instance_view *v, const char *wanted)
{
	const json_t *labels = json_object_get(v->config, "labels");
	size_t len = strcspn(wanted, "=");
	char *key = memory_bytes(wanted, len);
	const char *value = json_string_value(json_object_get(labels, key));

	free(key);
	return value && (!wanted[len] || strcmp(value, wanted + len + 1) == 0);
}

static bool passes(const struct instance_view *v, const char *filter)
{
	const char *value = strchr(filter, '=') + 1;

	if (string_starts(filter, "name="))
		return strstr(v->instance.name, value) != NULL;
	if (string_starts(filter, "label="))
		return has_label(v, value);
	if (string_starts(filter, "health="))
		return strcmp(view_string(v->state, "health"), value) == 0;
	return strcmp(v->status, value) == 0;
}

static bool is_wanted(
	const struct instance_view *v, const struct string_list *filters, unsigned which)
{
	if (!(which & (v->is_alive ? VIEW_ALIVE : VIEW_ENDED)))
		return false;
	for (size_t i = 0; i < filters->n; i++)
		if (!passes(v, filters->items[i]))
			return false;
	return true;
}

int instance_views(
	const struct string_list *filters, unsigned which, struct instance_view **out, size_t *n)
{
	struct string_list names = {0};

	*n = 0;
	*out = NULL;
	int err = instance_names(&names);

	if (err >= 0)
		*out = memory_new(names.n, sizeof((*out)[0]));
	for (size_t i = 0; err >= 0 && i < names.n; i++) {
		struct instance_view *v = &(*out)[*n];

		if (instance_view_open(names.items[i], v) < 0)
			continue; /* it went away meanwhile */
		if (is_wanted(v, filters, which))
			++*n;
		else
			instance_view_close(v);
	}
	list_free(&names);
	return err;
}

void instance_views_free(struct instance_view *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		instance_view_close(&v[i]);
	free(v);
}

/* ---- Its processes ---- */

pid_t view_supervisor(const struct instance_view *v)
{
	pid_t pid = (pid_t)json_integer_value(json_object_get(v->state, "supervisor"));
	json_int_t since = json_integer_value(json_object_get(v->state, "supervisor_since"));

	if (!v->is_alive || pid <= 0 || host_process_start(pid) != (uint64_t)since)
		return 0;
	return pid;
}

pid_t view_engine(const struct instance_view *v)
{
	pid_t pid = (pid_t)json_integer_value(json_object_get(v->state, "engine"));

	return view_supervisor(v) && pid > 0 ? pid : 0;
}
