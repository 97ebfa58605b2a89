/* Every file is one request; the answers come in any order. */
#include "cli/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/channel.h"
#include "abi/debug.h"
#include "cli/memory.h"

#define FILES_MAX 16
#define OPEN_MAX 64

struct reading {
	uint32_t first_id;
	size_t n, n_open;
	char *paths[FILES_MAX]; /* NULL = answered */
	json_t *files;
	void (*done)(void *context, json_t *files);
	void *context;
	struct reading *next;
};

struct inside {
	struct session *session;
	uint32_t next_id;
	struct reading *readings;
	unsigned n_readings;
};

struct inside *inside_open(struct session *s)
{
	struct inside *i = memory_new(1, sizeof(*i));

	i->session = s;
	return i;
}

static uint32_t take_id(struct inside *i)
{
	return INSIDE_ID | (i->next_id++ & ~INSIDE_ID);
}

static void finish(struct inside *i, struct reading *r)
{
	struct reading **at = &i->readings;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	i->n_readings--;
	for (size_t k = 0; k < r->n; k++)
		free(r->paths[k]);
	r->done(r->context, r->files);
	free(r);
}

void inside_close(struct inside *i)
{
	if (!i)
		return;
	while (i->readings)
		finish(i, i->readings);
	free(i);
}

static int ask_file(struct inside *i, uint32_t id, const char *path)
{
	size_t len = strlen(path);
	struct debug_request *q = memory_new(1, sizeof(*q) + len);

	q->id = id;
	q->operation = DEBUG_READ_FILE;
	q->len = DEBUG_DATA_MAX;
	memcpy(q + 1, path, len);
	int err = session_send(i->session, CHANNEL_DEBUG, q, sizeof(*q) + len);

	free(q);
	return err;
}

void inside_read(struct inside *i, const json_t *paths, void (*done)(void *context, json_t *files),
	void *context)
{
	struct reading *r = memory_new(1, sizeof(*r));
	size_t k;
	json_t *path;

	*r = (struct reading){
		.files = json_object(), .done = done, .context = context, .next = i->readings};
	i->readings = r;
	bool has_room = i->n_readings++ < OPEN_MAX;

	json_array_foreach(paths, k, path)
	{
		const char *name = json_string_value(path);
		uint32_t id = take_id(i);

		if (r->n == 0)
			r->first_id = id;
		if (!name || r->n == FILES_MAX || !has_room || ask_file(i, id, name) < 0)
			break;
		r->paths[r->n++] = memory_string(name);
		r->n_open++;
	}
	if (!r->n_open)
		finish(i, r);
}

int inside_signal(struct inside *i, int signal)
{
	const struct debug_request q = {
		.id = take_id(i), .operation = DEBUG_SIGNAL, .len = (uint32_t)signal};

	return session_send(i->session, CHANNEL_DEBUG, &q, sizeof(q));
}

static void take_file(
	struct inside *i, struct reading *r, size_t k, const struct debug_reply *reply, size_t len)
{
	if (reply->result >= 0)
		json_object_set_new(r->files, r->paths[k],
			json_stringn((const char *)(reply + 1), len) ?: json_string(""));
	free(r->paths[k]);
	r->paths[k] = NULL;
	if (--r->n_open == 0)
		finish(i, r);
}

bool inside_frame(struct inside *i, unsigned kind, const void *content, size_t len)
{
	const struct debug_reply *reply = content;

	if (kind != CHANNEL_DEBUG_REPLY || len < sizeof(*reply) || !(reply->id & INSIDE_ID))
		return false;
	for (struct reading *r = i->readings; r; r = r->next) {
		uint32_t k = reply->id - r->first_id;

		if (k < r->n && r->paths[k]) {
			take_file(i, r, k, reply, len - sizeof(*reply));
			return true;
		}
	}
	return true;
}
