/* Gathering files for an image.  Attributes are kept as they are in the source. */
#include "cli/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/memory.h"

#define NO_TIME INT64_MIN /* filled in by manifest_finish() */
#define MAX_DEPTH 200     /* of folders in a tree that is brought */

struct entry *manifest_find(const struct manifest *m, const char *path)
{
	return map_get(&m->by_path, path);
}

static struct entry *add(struct manifest *m, const char *path, const struct source_stat *st)
{
	struct entry *e = memory_new(1, sizeof(*e));

	e->path = memory_string(path);
	e->st = *st;
	if (m->n_entries == m->room) {
		m->room = m->room ? m->room * 2 : 256;
		m->entries = memory_resize(m->entries, m->room, sizeof(m->entries[0]));
	}
	m->entries[m->n_entries++] = e;
	map_put(&m->by_path, path, e);
	if (st->mtime != NO_TIME && !S_ISDIR(st->mode) && st->mtime > m->newest_mtime)
		m->newest_mtime = st->mtime;
	return e;
}

static void replace_content(struct entry *e)
{
	free(e->target);
	free(e->data);
	free(e->source_path);
	e->target = e->data = e->source_path = NULL;
	e->source = NULL;
}

/* The folders above path, with the source's permissions when there is a source. */
static void add_parents(struct manifest *m, struct source *s, const char *path)
{
	char *folder = path_folder(path);
	struct source_stat st = {.mode = S_IFDIR | 0755};

	if (!manifest_find(m, folder)) {
		if (strcmp(folder, "/") != 0)
			add_parents(m, s, folder);
		if (s && (source_stat(s, folder, &st) < 0 || !S_ISDIR(st.mode)))
			st = (struct source_stat){.mode = S_IFDIR | 0755};
		st.mtime = NO_TIME;
		st.mtime_ns = 0;
		add(m, folder, &st);
	}
	free(folder);
}

/* path with the links followed that the manifest has in its folders. */
static char *follow(const struct manifest *m, const char *path)
{
	char *at = memory_string(path);

	for (int n_links = 0; n_links < 40; n_links++) {
		struct entry *link = NULL;
		char *slash = at;

		while (!link && (slash = strchr(slash + 1, '/')) != NULL) {
			*slash = 0;
			link = manifest_find(m, at);
			link = link && S_ISLNK(link->st.mode) ? link : NULL;
			*slash = '/';
		}
		if (!link)
			break;
		char *folder = path_folder(link->path);
		char *target = path_join(folder, link->target);
		char *next = path_join(target, slash + 1);

		free(folder);
		free(target);
		free(at);
		at = next;
	}
	return at;
}

static struct entry *make(struct manifest *m, const char *path, uint32_t mode)
{
	struct source_stat st = {.mode = mode, .mtime = NO_TIME};
	char *real = follow(m, path);
	struct entry *e = manifest_find(m, real);

	if (!e) {
		if (strcmp(real, "/") != 0)
			add_parents(m, NULL, real);
		e = manifest_find(m, real); /* "/" may have come as a parent */
		if (!e)
			e = add(m, real, &st);
		free(real);
		return e;
	}
	free(real);
	return NULL;
}

void manifest_add_folder(struct manifest *m, const char *path, uint32_t permissions)
{
	make(m, path, S_IFDIR | permissions);
}

void manifest_add_link(struct manifest *m, const char *path, const char *target)
{
	struct entry *e = make(m, path, S_IFLNK | 0777);

	if (!e)
		return;
	e->target = memory_string(target);
	e->st.size = strlen(target);
}

void manifest_add_data(struct manifest *m, const char *path, const void *data, size_t len)
{
	struct entry *e = make(m, path, S_IFREG | 0644);

	if (!e)
		return;
	e->data = memory_bytes(data, len);
	e->st.size = len;
}

/* Puts one object of a source into the list; a file made or brought before gives way. */
static struct entry *put(struct manifest *m, struct source *s, const char *from, const char *to,
	const struct source_stat *st)
{
	struct entry *e = manifest_find(m, to);

	if (strcmp(to, "/") != 0)
		add_parents(m, s, to);
	if (!e)
		e = add(m, to, st);
	else if (S_ISDIR(e->st.mode) != S_ISDIR(st->mode) || S_ISDIR(st->mode))
		return e;
	replace_content(e);
	e->st = *st;
	if (S_ISREG(st->mode)) {
		e->source = s;
		e->source_path = memory_string(from);
	}
	return e;
}

struct bring {
	struct manifest *manifest;
	struct source *source;
};

static void bring_link(void *context, const char *path, const char *target)
{
	struct bring *b = context;
	struct source_stat st;

	if (manifest_find(b->manifest, path) || source_stat(b->source, path, &st) < 0)
		return;
	struct entry *e = put(b->manifest, b->source, path, path, &st);

	e->target = memory_string(target);
	e->st.size = strlen(target);
}

static bool is_wanted_type(uint32_t mode)
{
	return !S_ISSOCK(mode) && !S_ISFIFO(mode);
}

int manifest_bring(struct manifest *m, struct source *s, const char *path, char **real)
{
	struct bring b = {m, s};
	struct source_stat st;
	char *at = NULL;
	int err = source_resolve(s, path, bring_link, &b, &at);

	if (err < 0)
		return err;
	err = source_stat(s, at, &st);
	if (err >= 0 && st.is_unreadable)
		err = -EACCES;
	if (err >= 0 && is_wanted_type(st.mode)) {
		struct entry *e = manifest_find(m, at);

		if (S_ISDIR(st.mode)) /* other entries come and go in it: its time says nothing */
			st.mtime = NO_TIME, st.mtime_ns = 0;

		if (!e || e->source != s || !S_ISREG(st.mode))
			put(m, s, at, at, &st);
	}
	if (err >= 0 && real)
		*real = at;
	else
		free(at);
	return err;
}

/* A tree that is being brought. */
struct walk {
	struct manifest *manifest;
	struct source *source;
	unsigned flags, depth;
};

static int bring_folder(struct walk *w, const char *from, const char *to);

/* What to do about something that cannot be read. */
static int give_up(const struct walk *w, const char *from, int err)
{
	if (err == -ENOENT)
		return 0; /* removed while its folder was read */
	if (w->flags & MANIFEST_SKIP_UNREADABLE && (err == -EACCES || err == -EPERM)) {
		note("leaving out %s: %s", from, strerror(-err));
		return 0;
	}
	return fail(-err, "cannot read %s: %s", from, strerror(-err));
}

static int bring_object(struct walk *w, const char *from, const char *to)
{
	struct source_stat st;
	char *target = NULL;
	int err = source_stat(w->source, from, &st);

	if (err >= 0 && S_ISLNK(st.mode))
		err = source_read_link(w->source, from, &target);
	if (err >= 0 && st.is_unreadable)
		err = -EACCES;
	if (err < 0)
		return give_up(w, from, err);
	if (is_wanted_type(st.mode)) {
		struct entry *e = put(w->manifest, w->source, from, to, &st);

		if (S_ISLNK(e->st.mode)) {
			e->target = target;
			e->st.size = strlen(target);
			target = NULL;
		}
	}
	free(target);
	return S_ISDIR(st.mode) ? bring_folder(w, from, to) : 0;
}

/* What the kernel makes up is not the program's: an image of "/" must not swallow /proc. */
static bool is_made_up(const struct source *s, const char *path)
{
	return strcmp(s->name, "this host") == 0 &&
	       (strcmp(path, "/proc") == 0 || strcmp(path, "/sys") == 0 ||
		       strcmp(path, "/dev") == 0 || strcmp(path, "/run") == 0);
}

static int bring_folder(struct walk *w, const char *from, const char *to)
{
	struct string_list names = {0};

	if (is_made_up(w->source, from))
		return 0;
	if (w->depth >= MAX_DEPTH)
		return fail(ELOOP, "cannot bring %s: its folders nest too deeply", from);
	int err = source_list(w->source, from, &names);

	if (err < 0)
		return give_up(w, from, err);
	w->depth++;
	for (size_t i = 0; err >= 0 && i < names.n; i++) {
		char *source_path = path_join(from, names.items[i]);
		char *image_path = path_join(to, names.items[i]);

		err = bring_object(w, source_path, image_path);
		free(source_path);
		free(image_path);
	}
	w->depth--;
	list_free(&names);
	return err;
}

int manifest_bring_tree(
	struct manifest *m, struct source *s, const char *from, const char *to, unsigned flags)
{
	struct walk w = {.manifest = m, .source = s, .flags = flags};
	char *real = NULL, *place = follow(m, to);
	int err = source_resolve(s, from, NULL, NULL, &real);

	if (err < 0)
		err = fail(-err, "cannot read %s: %s", from, strerror(-err));
	else
		err = bring_object(&w, real, place);
	free(real);
	free(place);
	return err;
}

/* '/' sorts before every other byte, so that a folder's content follows it at once. */
static int compare_paths(const void *a, const void *b)
{
	const unsigned char *x = (const void *)(*(struct entry *const *)a)->path;
	const unsigned char *y = (const void *)(*(struct entry *const *)b)->path;

	while (*x && *x == *y)
		x++, y++;
	int left = *x == '/' ? 1 : *x ? *x + 1 : 0;
	int right = *y == '/' ? 1 : *y ? *y + 1 : 0;

	return left - right;
}

void manifest_finish(struct manifest *m)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	int64_t now = epoch ? strtoll(epoch, NULL, 10) : m->newest_mtime;

	m->newest_mtime = now;
	qsort(m->entries, m->n_entries, sizeof(m->entries[0]), compare_paths);
	for (size_t i = 0; i < m->n_entries; i++) {
		struct source_stat *st = &m->entries[i]->st;

		if (st->mtime != NO_TIME && (!epoch || st->mtime <= now))
			continue;
		st->mtime = now;
		st->mtime_ns = 0;
	}
}

void manifest_free(struct manifest *m)
{
	for (size_t i = 0; i < m->n_entries; i++) {
		replace_content(m->entries[i]);
		free(m->entries[i]->path);
		free(m->entries[i]);
	}
	free(m->entries);
	map_free(&m->by_path);
	*m = (struct manifest){0};
}
