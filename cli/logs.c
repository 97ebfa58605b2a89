/* mote logs. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/instance_view.h"
#include "cli/log_read.h"
#include "cli/memory.h"

#define ANSWER_MS 1000
#define LOOK_AGAIN_MS 1000 /* where inotify(7) is not to be had */

struct show {
	const struct options *options;
	int64_t since_ns, until_ns;
	int stream;                /* -1 = all */
	bool is_inside[N_STREAMS]; /* of a line */
};

/* "10m": that long ago; or a time. */
static int parse_moment(const char *option, const char *text, int64_t *ns)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end = NULL;
	double number = strtod(text, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end > text && end[0] == units[i].unit && !end[1] && number >= 0 &&
			number < 1e9) {
			*ns = clock_wall_ns() - (int64_t)(number * 1e9) * units[i].seconds;
			return 0;
		}
	if (time_parse(text, ns) == 0)
		return 0;
	return fail(EINVAL,
		"cannot use %s %s: it is no time: 2026-01-31T12:00:00Z, or 90s, 10m, 2h, 1d",
		option, text);
}

static int parse_stream(const char *text, int *stream)
{
	*stream = -1;
	for (int i = 0; text && i < N_STREAMS; i++)
		if (strcmp(text, stream_names[i]) == 0)
			*stream = i;
	if (text && *stream < 0)
		return fail(EINVAL, "unknown stream %s: choose stdout, stderr or mote", text);
	return 0;
}

static bool passes(const struct show *s, const struct log_entry *e)
{
	return e->wall_ns >= s->since_ns && e->wall_ns <= s->until_ns &&
	       (s->stream < 0 || (int)e->stream == s->stream);
}

static void print_json(const struct log_entry *e)
{
	char time[TIME_TEXT_MAX];
	json_t *text = json_stringn(e->text, e->len);

	time_text(e->wall_ns, time);
	if (!text) { /* not UTF-8: byte for byte as Latin-1, so that nothing is lost */
		struct text t = {0};

		for (size_t i = 0; i < e->len; i++) {
			unsigned char c = (unsigned char)e->text[i];
			char two[2] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};

			text_add_bytes(&t, c < 0x80 ? &e->text[i] : two, c < 0x80 ? 1 : 2);
		}
		text = json_stringn(t.data, t.len);
		text_free(&t);
	}
	json_t *o = json_pack("{s:s, s:s, s:b, s:o}", "time", time, "stream",
		stream_names[e->stream], "part", e->is_part, "text", text);

	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static void print_entry(struct show *s, const struct log_entry *e)
{
	FILE *to = e->stream == STREAM_OUT ? stdout : stderr;
	char time[TIME_TEXT_MAX];

	if (s->options->json) {
		print_json(e);
		return;
	}
	if (s->options->timestamps && !s->is_inside[e->stream]) {
		time_text(e->wall_ns, time);
		fprintf(to, "%s ", time);
	}
	fwrite(e->text, 1, e->len, to);
	if (!e->is_part)
		putc('\n', to);
	s->is_inside[e->stream] = e->is_part;
	if (to == stderr || s->is_inside[STREAM_OUT])
		fflush(to);
}

/* ---- The last lines ---- */

struct tail {
	struct log_entry *entries; /* their text is ours; [first, n) */
	size_t first, n, room, n_lines;
	bool is_inside; /* the last entry's line goes on */
};

/* Forgets its first line. */
static void drop_line(struct tail *t)
{
	bool more = true;

	for (; more && t->first < t->n; t->first++) {
		more = t->entries[t->first].is_part;
		free((char *)t->entries[t->first].text);
	}
	t->n_lines--;
}

static void keep(struct tail *t, const struct log_entry *e, size_t most)
{
	if (!most)
		return;
	if (t->n == t->room) { /* what was dropped makes room first */
		memmove(t->entries, t->entries + t->first,
			(t->n - t->first) * sizeof(t->entries[0]));
		t->n -= t->first;
		t->first = 0;
		t->room = t->n < t->room / 2 ? t->room : t->room * 2 + 64;
		t->entries = memory_resize(t->entries, t->room, sizeof(t->entries[0]));
	}
	t->n_lines += !t->is_inside;
	t->is_inside = e->is_part;
	t->entries[t->n] = *e;
	t->entries[t->n++].text = memory_bytes(e->text, e->len);
	while (t->n_lines > most)
		drop_line(t);
}

/* Reads all there is and prints its last lines: in one go, for files may be dropped meanwhile. */
static void show_tail(struct show *s, struct log_reader *r)
{
	struct tail t = {0};
	struct log_entry e;

	while (log_read(r, &e))
		if (passes(s, &e))
			keep(&t, &e, s->options->tail);
	for (; t.first < t.n; t.first++) {
		print_entry(s, &t.entries[t.first]);
		free((char *)t.entries[t.first].text);
	}
	free(t.entries);
}

static int watch_folder(int folder)
{
	char path[40];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	if (fd >= 0)
		inotify_add_watch(fd, path, IN_MODIFY | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF);
	return fd;
}

/* False: nobody reads our output any more. */
static bool wait_for_more(int watch)
{
	struct pollfd fds[] = {{watch, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
	char events[4096];

	fflush(stdout);
	poll(fds, 2, LOOK_AGAIN_MS);
	while (watch >= 0 && read(watch, events, sizeof(events)) > 0)
		;
	return !(fds[1].revents & (POLLERR | POLLHUP)) && !ferror(stdout);
}

static void show_all(struct show *s, const struct instance_view *v)
{
	int watch = s->options->follow ? watch_folder(v->instance.folder) : -1;
	struct log_reader *r = log_reader_open(v->instance.folder);
	struct log_entry e;
	bool more = true;

	if (s->options->has_tail)
		show_tail(s, r);
	while (more) {
		/* Looked at before the last reading: nothing is missed. */
		bool is_alive = s->options->follow && instance_is_alive(&v->instance);

		while (log_read(r, &e)) {
			if (passes(s, &e))
				print_entry(s, &e);
		}
		more = is_alive && clock_wall_ns() <= s->until_ns && wait_for_more(watch);
	}
	log_reader_close(r);
	if (watch >= 0)
		close(watch);
}

/* Its supervisor knows: on a full disk the state cannot be written either. */
static void warn_of_full_disk(const struct instance_view *v)
{
	if (!v->is_alive)
		return;
	json_t *answer =
		control_ask(&v->instance, json_pack("{s:s}", "request", "state"), ANSWER_MS);
	const char *error = view_string(json_object_get(answer, "state"), "log_error");

	if (error[0])
		warn("the log of %s cannot be written: %s: its program waits", v->instance.name,
			error);
	json_decref(answer);
}

int command_logs(const struct options *o)
{
	struct show s = {.options = o, .since_ns = INT64_MIN, .until_ns = INT64_MAX};
	struct instance_view v;

	if ((o->since && parse_moment("--since", o->since, &s.since_ns) < 0) ||
		(o->until && parse_moment("--until", o->until, &s.until_ns) < 0) ||
		parse_stream(o->stream, &s.stream) < 0)
		return EXIT_MOTE_FAILED;
	int err = instance_view_open(o->arguments.items[0], &v);

	if (err == -ESTALE)
		fail(ENOENT, "no instance is called %s: see mote ps -a", o->arguments.items[0]);
	if (err < 0)
		return EXIT_MOTE_FAILED;
	bool is_logged = !json_is_false(json_object_get(v.config, "detached"));

	if (is_logged)
		show_all(&s, &v);
	else
		fail(ENODATA, "%s has no log: its output goes to the terminal it was started from",
			v.instance.name);
	warn_of_full_disk(&v);
	instance_view_close(&v);
	return is_logged ? 0 : EXIT_MOTE_FAILED;
}
