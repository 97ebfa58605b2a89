/* An instance as it is listed: its config and its state, and whether they hold. */
#pragma once

#include "cli/ending.h"
#include "cli/instance.h"

struct instance_view {
	struct instance instance;
	json_t *config, *state; /* never NULL; empty when damaged */
	bool is_alive;
	const char *status; /* running, paused, starting, restarting; exited, dead (its supervisor
			     * was killed), damaged */
};

/* -ESTALE, silently: it was to be forgotten, and is now. */
int instance_view_open(const char *name, struct instance_view *) must_check;
void instance_view_close(struct instance_view *);

/* All that pass the filters (options.filters), sorted by name; those that run or those that ended, or both. */
enum { VIEW_ALIVE = 1, VIEW_ENDED = 2 };
int instance_views(const struct string_list *filters, unsigned which, struct instance_view **out,
	size_t *n) must_check;
void instance_views_free(struct instance_view *, size_t n);

/* A string of the config or the state; "" when it is not there. */
const char *view_string(const json_t *, const char *key);

/* A time of it since 1970; 0 when it is not there. */
int64_t view_time_ns(const json_t *, const char *key);

/* The pid of the engine or the supervisor, when that process is really the one; else 0. */
pid_t view_supervisor(const struct instance_view *);
pid_t view_engine(const struct instance_view *);
