/* dpkg's status file (deb-control(5)) and its lists of files. */
#include "cli/packages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"

#define DATABASE "/var/lib/dpkg"
#define STATUS_MAX (256u << 20)
#define LIST_MAX (64u << 20)

/* ---- The status file ---- */

/* The value of a field in a paragraph [at, end), a new string; continuation lines are left out. */
static char *field(const char *at, const char *end, const char *name)
{
	size_t len = strlen(name);

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		stop = stop ? stop : end;
		if ((size_t)(stop - at) > len && strncasecmp(at, name, len) == 0 &&
			at[len] == ':') {
			at += len + 1;
			while (at < stop && (*at == ' ' || *at == '\t'))
				at++;
			return memory_bytes(at, (size_t)(stop - at));
		}
		at = stop + 1;
	}
	return NULL;
}

static char *relations(const char *at, const char *end)
{
	static const char *const names[] = {"Depends", "Pre-Depends", "Recommends", "Suggests"};
	struct text all = {0};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *value = field(at, end, names[i]);

		if (value)
			text_format(&all, "%s,", value);
		free(value);
	}
	return text_take(&all);
}

static void add_package(struct packages *p, const char *at, const char *end)
{
	char *name = field(at, end, "Package"), *status = field(at, end, "Status");

	if (!name || !status || !string_ends(status, " installed")) {
		free(name);
		free(status);
		return;
	}
	free(status);
	struct package *new = memory_new(1, sizeof(*new));
	char *source = field(at, end, "Source"), *section = field(at, end, "Section");

	if (source)
		source[strcspn(source, " ")] = 0;
	const char *slash = section ? strrchr(section, '/') : NULL;

	new->name = name;
	new->source = source ? source : memory_string(name);
	new->section = memory_string(slash ? slash + 1 : section ? section : "");
	new->architecture = field(at, end, "Architecture");
	new->relations = relations(at, end);
	free(section);
	if (p->n == p->room) {
		p->room = p->room ? p->room * 2 : 1024;
		p->items = memory_resize(p->items, p->room, sizeof(p->items[0]));
	}
	p->items[p->n++] = new;
	if (!map_has(&p->by_name, name))
		map_put(&p->by_name, name, new);
}

int packages_open(struct source *s, struct packages *p)
{
	char *status = NULL;
	size_t len = 0;
	int err = source_read_all(s, DATABASE "/status", STATUS_MAX, &status, &len);

	if (err < 0)
		return err;
	*p = (struct packages){.files = s};
	for (const char *at = status, *end; at < status + len; at = end + 2) {
		end = memmem(at, (size_t)(status + len - at), "\n\n", 2);
		end = end ? end : status + len;
		add_package(p, at, end);
	}
	free(status);
	return 0;
}

void packages_free(struct packages *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct package *one = p->items[i];

		free(one->name);
		free(one->source);
		free(one->section);
		free(one->architecture);
		free(one->relations);
		free(one->list);
		free(one);
	}
	free(p->items);
	map_free(&p->by_name);
	*p = (struct packages){0};
}

/* ---- Lists of files ---- */

/* The lists are no inputs of their own: dpkg rewrites its status file whenever it changes one. */
static const char *list_of(struct packages *p, struct package *one)
{
	char *plain = string_format(DATABASE "/info/%s.list", one->name);
	char *qualified = string_format(
		DATABASE "/info/%s:%s.list", one->name, one->architecture ? one->architecture : "");
	char *data = NULL;
	size_t len = 0;

	if (!one->list) {
		p->files->is_unrecorded = true;
		if (source_read_all(p->files, plain, LIST_MAX, &data, &len) < 0 &&
			source_read_all(p->files, qualified, LIST_MAX, &data, &len) < 0)
			data = NULL;
		p->files->is_unrecorded = false;
		one->list = string_format("\n%s", data ? data : "");
		free(data);
	}
	free(plain);
	free(qualified);
	return one->list;
}

static struct package *owner_of(struct packages *p, const char *path)
{
	char *line = string_format("\n%s\n", path);
	struct package *owner = NULL;

	for (size_t i = 0; !owner && i < p->n; i++)
		if (strstr(list_of(p, p->items[i]), line))
			owner = p->items[i];
	free(line);
	return owner;
}

struct package *packages_owner(struct packages *p, const char *path)
{
	struct package *owner = owner_of(p, path);

	/* Packages still list /bin and /lib although these are links into /usr now. */
	if (!owner && string_starts(path, "/usr/"))
		owner = owner_of(p, path + strlen("/usr"));
	return owner;
}

void packages_list(struct packages *p, const char *name, struct string_list *paths)
{
	struct package *one = map_get(&p->by_name, name);

	if (one)
		list_add_split(paths, list_of(p, one), '\n');
}

/* ---- What belongs together ---- */

static bool is_for_developers(const struct package *one)
{
	static const char *const suffixes[] = {"-dev", "-doc", "-dbg", "-dbgsym", "-examples"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (string_ends(one->name, suffixes[i]))
			return true;
	return strcmp(one->section, "doc") == 0 || strcmp(one->section, "libdevel") == 0;
}

/* Debian's sections that hold one language's modules. */
static bool is_language(const char *section)
{
	static const char *const sections[] = {
		"javascript", "lisp", "lua", "perl", "php", "python", "ruby"};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strcmp(section, sections[i]) == 0)
			return true;
	return false;
}

static bool is_related(const struct package *of, const struct package *other)
{
	if (is_for_developers(other))
		return false;
	if (strcmp(of->source, other->source) == 0)
		return true;
	return is_language(of->section) && strcmp(of->section, other->section) == 0;
}

/* The name a relation starts with: "libssl3 (>= 3.0.0)", "python3:any". */
static char *relation_name(const char *relation)
{
	relation += strspn(relation, " ");
	return memory_bytes(relation, strcspn(relation, " (:["));
}

void packages_add_family(struct packages *p, const struct package *one, struct string_list *family)
{
	struct string_list groups = {0};

	if (list_has(family, one->name))
		return;
	list_add(family, one->name);
	list_add_split(&groups, one->relations, ',');
	for (size_t i = 0; i < groups.n; i++) {
		struct string_list choices = {0};

		list_add_split(&choices, groups.items[i], '|');
		for (size_t n = 0; n < choices.n; n++) {
			char *name = relation_name(choices.items[n]);
			const struct package *other = map_get(&p->by_name, name);

			free(name);
			if (other && is_related(one, other))
				packages_add_family(p, other, family);
		}
		list_free(&choices);
	}
	list_free(&groups);
}
