/*
 * Of a package and its family (packages.h) everything comes but: other programs (the machine runs
 * one), what is for developers or for reading, and what manages a service.  Of a folder in /etc
 * that is named in the package, everything comes, listed or not: that is configuration; and so do
 * the sites in /var/www and /srv that it names, for a server without its pages is of no use.
 */
#include "cli/library_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/memory.h"
#include "cli/packages.h"

struct tree {
	struct manifest *manifest;
	struct source *source;
	struct packages packages;
	struct string_list family;
	struct map compiled; /* folder -> struct string_list: names in its __pycache__ */
};

/* ---- What is left out ---- */

/* clang-format off */
static const char *const left_out[] = {
	"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/games", "/usr/local/bin",
	"/boot", "/usr/include", "/usr/src",
	"/usr/share/man", "/usr/share/doc", "/usr/share/info", "/usr/share/doc-base",
	"/usr/share/lintian", "/usr/share/bug", "/usr/share/apport", "/usr/share/locale",
	"/usr/share/menu", "/usr/share/applications", "/usr/share/icons", "/usr/share/pixmaps",
	"/usr/share/metainfo", "/usr/share/appdata", "/usr/share/mime", "/usr/share/vim",
	"/usr/share/emacs", "/usr/share/gdb", "/usr/share/gtk-doc", "/usr/share/binfmts",
	"/usr/share/bash-completion", "/usr/share/zsh", "/usr/share/fish", "/usr/share/aclocal",
	"/usr/share/pkgconfig", "/usr/lib/pkgconfig", "/usr/lib/x86_64-linux-gnu/pkgconfig",
	"/usr/lib/systemd", "/lib/systemd", "/usr/lib/tmpfiles.d", "/usr/lib/sysusers.d", "/usr/lib/binfmt.d",
	"/lib/udev", "/usr/lib/udev", "/usr/lib/debug", "/usr/lib/valgrind",
	"/etc/init.d", "/etc/rc.d", "/etc/systemd", "/etc/logrotate.d", "/etc/ufw", "/etc/default",
	"/etc/cron.d", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly", "/etc/udev",
	"/etc/apparmor.d", "/etc/bash_completion.d", "/etc/apt", "/etc/kernel", "/etc/network",
	"/usr/share/python3/runtime.d", "/usr/share/python3/debpython",
	/* Package managers start other programs; 20 MB of no use in a machine of one. */
	"/usr/lib/node_modules/npm", "/usr/lib/node_modules/corepack",
	NULL,
};
/* clang-format on */

/* Folders in /etc that many packages share: only what a package lists in them is its own. */
/* clang-format off */
static const char *const shared_etc[] = {
	"/etc/alternatives", "/etc/ssl", "/etc/profile.d", "/etc/pam.d", "/etc/skel", "/etc/dpkg",
	"/etc/dbus-1", "/etc/xdg", "/etc/X11", "/etc/security", "/etc/sysctl.d", "/etc/fonts",
	"/etc/ld.so.conf.d", "/etc/ca-certificates", "/etc/modprobe.d", "/etc/modules-load.d",
	NULL,
};
/* clang-format on */

static bool is_in(const char *const *folders, const char *path)
{
	for (; *folders; folders++)
		if (path_is_under(path, *folders))
			return true;
	return false;
}

static bool is_wanted(const char *path)
{
	static const char *const suffixes[] = {".a", ".la", ".h", ".pc"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (string_ends(path, suffixes[i]))
			return false;
	return strcmp(path, "/.") != 0 && !is_in(left_out, path);
}

/* A folder of its own in /etc: "/etc/NAME". */
static bool is_own_etc(const struct tree *t, const char *path)
{
	struct source_stat st;

	return string_starts(path, "/etc/") && !strchr(path + 5, '/') && !is_in(shared_etc, path) &&
	       source_stat(t->source, path, &st) >= 0 && S_ISDIR(st.mode);
}

/* ---- Bringing a package ---- */

static struct string_list *compiled_in(struct tree *t, const char *folder)
{
	struct string_list *names = map_get(&t->compiled, folder);

	if (!names) {
		char *cache = path_join(folder, "__pycache__");

		names = memory_new(1, sizeof(*names));
		if (source_list(t->source, cache, names) < 0)
			names->n = 0;
		map_put(&t->compiled, folder, names);
		free(cache);
	}
	return names;
}

/* Python's compiled form of a module: not in any package, but worth its start-up time. */
static void bring_compiled(struct tree *t, const char *path)
{
	char *folder = path_folder(path);
	size_t stem = strlen(path_name(path)) - strlen("py"); /* "os." */
	struct string_list *names = compiled_in(t, folder);

	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->items[i];

		if (strncmp(name, path_name(path), stem) != 0 || strchr(name + stem, '.') == NULL ||
			strcmp(strchr(name + stem, '.'), ".pyc") != 0)
			continue;
		char *compiled = string_format("%s/__pycache__/%s", folder, name);

		if (manifest_bring(t->manifest, t->source, compiled, NULL) < 0)
			note("cannot read %s", compiled);
		free(compiled);
	}
	free(folder);
}

static void bring(struct tree *t, const char *path)
{
	int err = is_own_etc(t, path) ? manifest_bring_tree(t->manifest, t->source, path, path,
						MANIFEST_SKIP_UNREADABLE)
				      : manifest_bring(t->manifest, t->source, path, NULL);

	if (err < 0)
		note("cannot bring %s: %s", path, strerror(-err));
	else if (string_ends(path, ".py"))
		bring_compiled(t, path);
}

/* Folders for a service's data and logs, made when its package was installed: empty, theirs. */
static void bring_state_folders(struct tree *t, const char *name)
{
	static const char *const above[] = {"/var/lib", "/var/log", "/var/cache", "/var/spool"};

	for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
		char *path = string_format("%s/%s", above[i], name);
		struct source_stat st;

		if (source_stat(t->source, path, &st) >= 0 && S_ISDIR(st.mode) &&
			manifest_bring(t->manifest, t->source, path, NULL) < 0)
			note("cannot bring %s", path);
		free(path);
	}
}

static void bring_package(struct tree *t, const char *name)
{
	struct string_list paths = {0};

	note("bringing the files of the package %s", name);
	packages_list(&t->packages, name, &paths);
	for (size_t i = 0; i < paths.n; i++)
		if (is_wanted(paths.items[i]))
			bring(t, paths.items[i]);
	list_free(&paths);
}

/* ---- Configuration that leads elsewhere ---- */

/* Configuration switches plug-ins on by links into other packages: those come whole. */
static void bring_linked(struct tree *t, const char *link)
{
	char *real = NULL;

	if (source_resolve(t->source, link, NULL, NULL, &real) < 0)
		return;
	if (!manifest_find(t->manifest, real)) {
		struct package *owner = packages_owner(&t->packages, real);

		if (owner && !list_has(&t->family, owner->name)) {
			list_add(&t->family, owner->name);
			bring_package(t, owner->name);
		}
		if (manifest_bring(t->manifest, t->source, link, NULL) < 0)
			note("%s leads nowhere", link);
	}
	free(real);
}

static void bring_all_linked(struct tree *t)
{
	for (size_t i = 0; i < t->manifest->n_entries; i++) {
		struct entry *e = t->manifest->entries[i];

		if (!S_ISLNK(e->st.mode) || !string_starts(e->path, "/etc/") ||
			is_in(shared_etc, e->path) || !strchr(e->path + 5, '/'))
			continue;
		char *path = memory_string(e->path);

		bring_linked(t, path);
		free(path);
	}
}

/* ---- What a server serves ---- */

#define CONFIGURATION_MAX (1u << 20)

/* A word of a configuration that names a folder for sites: that comes with all that is in it. */
static void bring_site(struct tree *t, const char *word)
{
	static const char *const above[] = {"/var/www", "/srv", NULL};
	char *real = NULL;
	struct source_stat st;

	if (!is_in(above, word) || strstr(word, "/..") || manifest_find(t->manifest, word) ||
		source_resolve(t->source, word, NULL, NULL, &real) < 0)
		return;
	if (source_stat(t->source, real, &st) >= 0 && S_ISDIR(st.mode)) {
		note("bringing %s, which the configuration names", word);
		if (manifest_bring(t->manifest, t->source, word, NULL) < 0 ||
			manifest_bring_tree(
				t->manifest, t->source, real, real, MANIFEST_SKIP_UNREADABLE) < 0)
			note("cannot bring all of %s", word);
	}
	free(real);
}

/* Words end at what no path has in a configuration; a '#' hides the rest of its line. */
static void bring_sites_of(struct tree *t, char *text)
{
	static const char ends[] = " \t\r\"'`;,{}()<>=";
	char *rest_of_text = NULL, *rest_of_line = NULL;

	for (char *line = strtok_r(text, "\n", &rest_of_text); line;
		line = strtok_r(NULL, "\n", &rest_of_text)) {
		line[strcspn(line, "#")] = '\0';
		for (char *word = strtok_r(line, ends, &rest_of_line); word;
			word = strtok_r(NULL, ends, &rest_of_line)) {
			while (strlen(word) > 1 && string_ends(word, "/"))
				word[strlen(word) - 1] = '\0';
			bring_site(t, word);
		}
	}
}

static void bring_sites(struct tree *t)
{
	size_t n = t->manifest->n_entries; /* what sites hold is not configuration */

	for (size_t i = 0; i < n; i++) {
		struct entry *e = t->manifest->entries[i];
		char *text = NULL;
		size_t len;

		if (!S_ISREG(e->st.mode) || !e->source || !string_starts(e->path, "/etc/") ||
			!strchr(e->path + 5, '/') || is_in(shared_etc, e->path) ||
			source_read_all(e->source, e->source_path, CONFIGURATION_MAX, &text, &len) <
				0)
			continue;
		bring_sites_of(t, text);
		free(text);
	}
}

/* ---- Whose the program is ---- */

static void add_link(void *context, const char *path, const char *target)
{
	(void)target;
	list_add(context, path);
}

/* All names the program goes by: the links that lead to it and the file itself. */
static void names_of(struct tree *t, const char *path, struct string_list *names)
{
	char *real = NULL;

	if (source_resolve(t->source, path, add_link, names, &real) >= 0)
		list_add_owned(names, real);
}

static void bring_packages(struct tree *t, const struct string_list *names)
{
	for (size_t i = 0; i < names->n; i++) {
		struct package *owner = packages_owner(&t->packages, names->items[i]);

		if (!owner)
			continue;
		packages_add_family(&t->packages, owner, &t->family);
		bring_state_folders(t, owner->source);
	}
	size_t n_family = t->family.n;

	for (size_t i = 0; i < n_family; i++)
		bring_package(t, t->family.items[i]);
	if (n_family) {
		bring_all_linked(t);
		bring_sites(t);
	}
}

/* ---- Without a package ---- */

/* Interpreters installed under a prefix of their own: PREFIX/bin/NAME with PREFIX/FOLDER. */
static const struct {
	const char *name;   /* the program's name starts so */
	const char *folder; /* %s is the whole name */
} beside[] = {
	{"python", "lib/%s"},
	{"python", "pyvenv.cfg"},
	{"pypy", "lib/%s"},
	{"perl", "lib/perl5"},
	{"ruby", "lib/ruby"},
	{"php", "lib/php"},
	{"lua", "share/lua"},
	{"guile", "share/guile"},
};

static void bring_beside(struct tree *t, const char *path, const char *real_name)
{
	char *folder = path_folder(path);
	char *prefix = path_folder(folder);

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		if (!string_starts(real_name, beside[i].name) || strcmp(prefix, "/usr") == 0)
			continue;
		struct text relative = {0};

		text_add_bytes(&relative, beside[i].folder, strcspn(beside[i].folder, "%"));
		if (strchr(beside[i].folder, '%'))
			text_add(&relative, real_name);
		char *wanted = path_join(prefix, relative.data);
		char *real = NULL;

		if (manifest_bring(t->manifest, t->source, wanted, &real) >= 0 &&
			manifest_bring_tree(
				t->manifest, t->source, real, real, MANIFEST_SKIP_UNREADABLE) < 0)
			note("cannot bring all of %s", wanted);
		free(real);
		free(wanted);
		text_free(&relative);
	}
	free(folder);
	free(prefix);
}

int library_tree_add(struct manifest *m, struct source *s, const char *path)
{
	struct tree t = {.manifest = m, .source = s};
	struct string_list names = {0};
	int err = packages_open(s, &t.packages);

	names_of(&t, path, &names);
	if (err >= 0)
		bring_packages(&t, &names);
	for (size_t i = 0; i < names.n; i++)
		bring_beside(&t, names.items[i], path_name(names.items[names.n - 1]));
	packages_free(&t.packages);
	list_free(&names);
	list_free(&t.family);
	for (size_t i = 0; i < t.compiled.n_slots; i++) {
		if (t.compiled.slots[i].value)
			list_free(t.compiled.slots[i].value);
		free(t.compiled.slots[i].value);
	}
	map_free(&t.compiled);
	return err == -ENOENT ? 0 : err;
}
