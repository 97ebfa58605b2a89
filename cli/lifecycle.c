/* The commands that change what instances do: each goes through its names and does what it can. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/instance_view.h"
#include "cli/launch.h"

#define ANSWER_MS 10000 /* a supervisor that is well answers at once */
#define GRACE_S 15      /* beyond the time its program has to stop */

/* Does it for each name; EXIT_MOTE_FAILED when one of them failed. */
static int for_each(const struct options *o, int (*act)(const struct options *, const char *name))
{
	int status = 0;

	for (size_t i = 0; i < o->arguments.n; i++)
		if (act(o, o->arguments.items[i]) < 0)
			status = EXIT_MOTE_FAILED;
	return status;
}

static int open_view(const char *name, struct instance_view *v)
{
	int err = instance_view_open(name, v);

	if (err == -ESTALE)
		return fail(ENOENT, "no instance is called %s: see mote ps -a", name);
	return err;
}

/* One that must run. */
static int open_running(const char *name, struct instance_view *v)
{
	int err = open_view(name, v);

	if (err < 0 || v->is_alive)
		return err;
	instance_view_close(v);
	return fail(ESRCH, "%s does not run: see mote ps -a", name);
}

/* Sends a request; what the supervisor refuses is said. */
static int ask(const struct instance_view *v, json_t *request, int timeout_ms)
{
	json_t *answer = control_ask(&v->instance, request, timeout_ms);
	const char *error = json_string_value(json_object_get(answer, "error"));
	int err = 0;

	if (!answer)
		err = -EPIPE;
	else if (error)
		err = fail(EIO, "%s: %s", v->instance.name, error);
	json_decref(answer);
	return err;
}

/* Its supervisor, and by that its engine; waits until both are gone. */
static int end_by_force(const struct instance_view *v)
{
	const struct timespec pause = {0, 10 * NS_PER_MS};
	pid_t pid = view_supervisor(v);

	if (pid)
		kill(pid, SIGKILL);
	for (int i = 0; i < 500; i++) {
		if (!instance_is_alive(&v->instance))
			return 0;
		nanosleep(&pause, NULL);
	}
	return fail(EBUSY, "cannot end %s: its supervisor %d does not go away", v->instance.name,
		(int)pid);
}

/* A supervisor that does not answer is ended; one that has ended meanwhile has done its work. */
static int stop_within(const struct instance_view *v, json_t *request, int64_t seconds)
{
	int err = ask(v, request, (int)((seconds + GRACE_S) * 1000));

	if (err != -EPIPE || !instance_is_alive(&v->instance))
		return err == -EPIPE ? 0 : err;
	return end_by_force(v);
}

static json_t *kill_request(void)
{
	return json_pack("{s:s, s:i}", "request", "kill", "signal", SIGKILL);
}

/* ---- stop, kill, pause ---- */

static int64_t stop_seconds(const struct options *o, const struct instance_view *v)
{
	if (o->has_wait_seconds)
		return o->wait_seconds;
	json_t *n = json_object_get(v->config, "stop_seconds");

	return json_is_integer(n) ? json_integer_value(n) : 10;
}

static int stop(const struct options *o, const char *name)
{
	struct instance_view v;
	int err = open_view(name, &v);

	if (err < 0)
		return err;
	int64_t seconds = stop_seconds(o, &v);

	if (v.is_alive) /* one that has ended is as it should be */
		err = stop_within(&v,
			json_pack("{s:s, s:I}", "request", "stop", "seconds", (json_int_t)seconds),
			seconds);
	instance_view_close(&v);
	return err;
}

static int stop_and_say(const struct options *o, const char *name)
{
	int err = stop(o, name);

	if (err >= 0)
		puts(name);
	return err;
}

int command_stop(const struct options *o)
{
	return for_each(o, stop_and_say);
}

static int signal_number(const char *name)
{
	char *end = NULL;
	long number = strtol(name, &end, 10);

	if (!*end && number > 0 && number < 65)
		return (int)number;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int i = 1; i < 32; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strcasecmp(known, name) == 0)
			return i;
	}
	return -EINVAL;
}

static int send_signal(const struct options *o, const char *name)
{
	struct instance_view v;
	int number = o->signal ? signal_number(o->signal) : SIGKILL;
	int err = open_running(name, &v);

	if (err < 0)
		return err;
	if (number == SIGKILL)
		err = stop_within(&v, kill_request(), 0);
	else
		err = ask(&v, json_pack("{s:s, s:i}", "request", "kill", "signal", number),
			ANSWER_MS);
	if (err == -EPIPE)
		err = fail(EPIPE, "%s does not answer", name);
	instance_view_close(&v);
	if (err >= 0)
		puts(name);
	return err;
}

int command_kill(const struct options *o)
{
	if (o->signal && signal_number(o->signal) < 0) {
		fail(EINVAL, "unknown signal %s: name it as TERM, SIGTERM or 15", o->signal);
		return EXIT_MOTE_FAILED;
	}
	return for_each(o, send_signal);
}

static int ask_plain(const char *name, const char *request)
{
	struct instance_view v;
	int err = open_running(name, &v);

	if (err < 0)
		return err;
	err = ask(&v, json_pack("{s:s}", "request", request), ANSWER_MS);
	if (err == -EPIPE)
		err = fail(EPIPE, "%s does not answer", name);
	instance_view_close(&v);
	if (err >= 0)
		puts(name);
	return err;
}

static int pause_one(const struct options *o, const char *name)
{
	(void)o;
	return ask_plain(name, "pause");
}

static int unpause_one(const struct options *o, const char *name)
{
	(void)o;
	return ask_plain(name, "unpause");
}

int command_pause(const struct options *o)
{
	return for_each(o, pause_one);
}

int command_unpause(const struct options *o)
{
	return for_each(o, unpause_one);
}

/* ---- start and restart ---- */

static int start(const struct options *o, const char *name)
{
	struct instance_view v;
	int err = open_view(name, &v);

	(void)o;
	if (err < 0)
		return err;
	err = instance_lock(&v.instance);
	if (err < 0) {
		fail(-err, "cannot start %s: %s", name, err == -EBUSY ? "it runs" : strerror(-err));
	} else {
		err = launch_again(&v.instance) ? -EIO : 0;
	}
	instance_view_close(&v);
	return err;
}

int command_start(const struct options *o)
{
	return for_each(o, start);
}

static int restart(const struct options *o, const char *name)
{
	int err = stop(o, name);

	return err < 0 ? err : start(o, name);
}

int command_restart(const struct options *o)
{
	return for_each(o, restart);
}

/* ---- wait ---- */

static int wait_one(const struct options *o, const char *name)
{
	struct instance_view v;
	int err = open_view(name, &v);

	if (err < 0)
		return err;
	json_t *answer =
		!v.is_alive ? NULL
			    : control_ask(&v.instance, json_pack("{s:s}", "request", "wait"), -1);

	if (!answer) { /* it has ended before, or its supervisor was killed */
		json_t *state = instance_state(&v.instance);

		answer = json_pack("{s:O?}", "ending", json_object_get(state, "ending"));
		json_decref(state);
	}
	struct ending e = ending_from_json(json_object_get(answer, "ending"));
	json_t *ending = ending_json(&e);

	json_object_set_new(ending, "name", json_string(name));
	if (o->json) {
		json_dumpf(ending, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("%d\n", e.status);
	}
	json_decref(ending);
	json_decref(answer);
	instance_view_close(&v);
	return 0;
}

int command_wait(const struct options *o)
{
	return for_each(o, wait_one);
}

/* ---- rm, prune, rename ---- */

static int remove_locked(struct instance_view *v)
{
	int err = instance_lock(&v->instance);

	if (err == -EBUSY)
		return fail(EBUSY, "cannot remove %s: it runs: stop it first, or use -f",
			v->instance.name);
	if (err < 0)
		return fail(-err, "cannot remove %s: %s", v->instance.name, strerror(-err));
	return instance_remove(&v->instance);
}

static int remove_one(const struct options *o, const char *name)
{
	struct instance_view v;
	int err = instance_view_open(name, &v);

	if (err == -ESTALE) /* that has just been done */
		return 0;
	if (err < 0)
		return err;
	bool forgets_itself = json_is_true(json_object_get(v.config, "remove"));

	if (v.is_alive && o->force)
		err = stop_within(&v, kill_request(), 0);
	if (err >= 0 && !(v.is_alive && o->force && forgets_itself))
		err = remove_locked(&v);
	instance_view_close(&v);
	if (err >= 0)
		puts(name);
	return err;
}

int command_rm(const struct options *o)
{
	return for_each(o, remove_one);
}

int command_prune(const struct options *o)
{
	struct instance_view *v = NULL;
	size_t n = 0;
	int status = 0;

	instance_sweep();
	if (instance_views(&o->filters, VIEW_ENDED, &v, &n) < 0)
		return EXIT_MOTE_FAILED;
	for (size_t i = 0; i < n; i++) {
		char *name = string_format("%s", v[i].instance.name);

		if (instance_lock(&v[i].instance) < 0)
			; /* somebody starts it just now */
		else if (instance_remove(&v[i].instance) < 0)
			status = EXIT_MOTE_FAILED;
		else
			puts(name);
		free(name);
	}
	instance_views_free(v, n);
	return status;
}

int command_rename(const struct options *o)
{
	const char *to = o->arguments.items[1];
	struct instance_view v;
	int err;

	if (!options_is_name(to)) {
		fail(EINVAL,
			"cannot use the name %s: letters, digits, '-', '_' and '.', at most 63",
			to);
		return EXIT_MOTE_FAILED;
	}
	if (open_view(o->arguments.items[0], &v) < 0)
		return EXIT_MOTE_FAILED;
	err = instance_rename(&v.instance, to);
	instance_view_close(&v);
	return err < 0 ? EXIT_MOTE_FAILED : 0;
}
