/*
 * The search order of ld.so(8): RPATH of the object and of those that loaded it (when it has no
 * RUNPATH), LD_LIBRARY_PATH, RUNPATH, ld.so.cache, the default folders.  A file for another
 * machine is passed over, as the loader does.
 */
#include "cli/closure.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/library_cache.h"
#include "cli/memory.h"

#define CACHE_PATH "/etc/ld.so.cache"
#define CACHE_MAX (64u << 20)
#define CHUNK (1u << 20)
#define OVERLAP 32u

struct object {
	char *path; /* as the loader would name it: what $ORIGIN derives from */
	char *real;
	struct elf_file elf;
	struct object *loader; /* who needs it; NULL for the program and plugins */
};

/* ---- Reading one file ---- */

static int read_source(void *context, uint64_t offset, void *buf, size_t len)
{
	return source_read(context, offset, buf, len);
}

/* Whether the file mentions where certificates are kept.  Go and others name them in their data. */
static bool mentions_certificates(struct source_file *file)
{
	static const char *const paths[] = {"/etc/ssl/certs", "/usr/lib/ssl", "/etc/pki/tls"};
	static char buf[CHUNK];

	/* Chunks overlap: a path may lie across two. */
	for (uint64_t at = 0; at < file->size; at += CHUNK - OVERLAP) {
		size_t len = file->size - at < CHUNK ? file->size - at : CHUNK;

		if (source_read(file, at, buf, len) < 0)
			return false;
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
			if (memmem(buf, len, paths[i], strlen(paths[i])))
				return true;
	}
	return false;
}

static int read_elf(struct closure *c, struct source *from, const char *real, struct elf_file *elf,
	const char **why)
{
	struct source_file *file = NULL;
	int err = source_open(from, real, &file);

	*why = err < 0 ? strerror(-err) : "";
	if (err < 0)
		return err;
	struct elf_input in = {.read = read_source, .context = file, .size = file->size};

	err = elf_file_read(&in, elf, why);
	if (err >= 0 && !c->uses_certificates)
		c->uses_certificates = mentions_certificates(file);
	source_close(file);
	return err;
}

/* ---- Names ---- */

/* What $LIB may stand for. */
static const char *library_folder(uint16_t machine, int variant)
{
	const char *debian =
		machine == EM_AARCH64 ? "lib/aarch64-linux-gnu" : "lib/x86_64-linux-gnu";

	return variant == 0 ? debian : variant == 1 ? "lib64" : NULL;
}

/* A folder of RPATH or RUNPATH with $ORIGIN, $LIB and $PLATFORM replaced; NULL = no such variant. */
static char *expand(const struct object *o, const char *folder, int variant)
{
	const char *lib = library_folder(o->elf.machine, variant);
	char *origin = path_folder(o->path);
	struct text out = {0};
	bool varies = false;

	while (*folder) {
		static const char *const tokens[] = {"ORIGIN", "LIB", "PLATFORM"};
		const char *values[] = {origin, lib ? lib : "",
			o->elf.machine == EM_AARCH64 ? "aarch64" : "x86_64"};
		size_t skip = 0;

		for (int i = 0; !skip && *folder == '$' && i < 3; i++) {
			size_t len = strlen(tokens[i]);
			bool braces = folder[1] == '{';
			const char *name = folder + 1 + braces;

			if (strncmp(name, tokens[i], len) != 0 || (braces && name[len] != '}'))
				continue;
			text_add(&out, values[i]);
			varies |= i == 1;
			skip = 1 + len + 2 * (size_t)braces;
		}
		if (!skip)
			text_add_bytes(&out, folder, skip = 1);
		folder += skip;
	}
	free(origin);
	char *result = text_take(&out);

	if ((variant && !varies) || !lib || result[0] != '/') {
		free(result);
		return NULL;
	}
	return result;
}

/* ---- The search ---- */

struct search {
	struct closure *closure;
	struct object *needer;
	const char *name;
	struct text looked; /* for the message */
	char *path, *real;  /* the result */
	struct elf_file elf;
};

/* A candidate; true when it is the one. */
static bool try_path(struct search *s, const char *path)
{
	const char *why = NULL;
	char *real = NULL;

	if (source_resolve(s->closure->source, path, NULL, NULL, &real) < 0)
		return false;
	if (read_elf(s->closure, s->closure->source, real, &s->elf, &why) < 0) {
		note("passing over %s: %s", path, why);
		free(real);
		return false;
	}
	if (s->elf.machine != s->needer->elf.machine || s->elf.class != s->needer->elf.class) {
		elf_file_free(&s->elf);
		free(real);
		return false;
	}
	s->path = memory_string(path);
	s->real = real;
	return true;
}

static bool try_folder(struct search *s, const char *folder)
{
	char *path = path_join(folder, s->name);
	bool found = try_path(s, path);

	if (!found)
		text_format(&s->looked, "%s%s", s->looked.len ? ", " : "", folder);
	free(path);
	return found;
}

static bool try_list(struct search *s, const struct object *o, const char *folders)
{
	struct string_list list = {0};
	bool found = false;

	list_add_split(&list, folders ? folders : "", ':');
	for (size_t i = 0; !found && i < list.n; i++)
		for (int variant = 0; !found && variant < 2; variant++) {
			char *folder = expand(o, list.items[i], variant);

			found = folder && try_folder(s, folder);
			free(folder);
		}
	list_free(&list);
	return found;
}

static bool try_rpaths(struct search *s)
{
	if (s->needer->elf.runpath)
		return false;
	for (const struct object *o = s->needer; o; o = o->loader)
		if (!o->elf.runpath && try_list(s, o, o->elf.rpath))
			return true;
	return false;
}

static bool try_library_path(struct search *s)
{
	const struct string_list *folders = s->closure->library_path;

	for (size_t i = 0; folders && i < folders->n; i++)
		if (try_folder(s, folders->items[i]))
			return true;
	return false;
}

static const char *const glibc_folders[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
	"/lib64", "/usr/lib64", "/lib", "/usr/lib", NULL};
static const char *const glibc_arm64_folders[] = {"/lib/aarch64-linux-gnu",
	"/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib", NULL};
static const char *const musl_folders[] = {"/lib", "/usr/local/lib", "/usr/lib",
	"/lib/x86_64-linux-musl", "/usr/lib/x86_64-linux-musl", NULL};

static const char *const *default_folders(const struct search *s)
{
	if (!s->closure->is_glibc)
		return musl_folders;
	return s->needer->elf.machine == EM_AARCH64 ? glibc_arm64_folders : glibc_folders;
}

static bool try_cache(struct search *s)
{
	struct closure *c = s->closure;
	struct string_list paths = {0};
	bool found = false;

	if (!c->is_glibc || s->needer->elf.ignores_default_folders)
		return false;
	if (!c->cache_read &&
		source_read_all(c->source, CACHE_PATH, CACHE_MAX, &c->cache, &c->cache_len) < 0)
		c->cache_len = 0;
	c->cache_read = true;
	if (c->cache_len)
		library_cache_find(c->cache, c->cache_len, s->needer->elf.machine, s->name, &paths);
	for (size_t i = 0; !found && i < paths.n; i++)
		found = try_path(s, paths.items[i]);
	list_free(&paths);
	if (!found) {
		text_format(&s->looked, "%s%s", s->looked.len ? ", " : "", CACHE_PATH);
		return false;
	}
	/* The machine has no cache of its own: elsewhere than here its loader would not look. */
	char *folder = path_folder(s->path);
	bool is_default = false;

	for (const char *const *f = default_folders(s); *f; f++)
		is_default |= strcmp(*f, folder) == 0;
	c->cache_needed |= !is_default;
	free(folder);
	return true;
}

static bool try_default_folders(struct search *s)
{
	if (s->needer->elf.ignores_default_folders)
		return false;
	for (const char *const *folder = default_folders(s); *folder; folder++)
		if (try_folder(s, *folder))
			return true;
	return false;
}

static bool search(struct search *s)
{
	if (strchr(s->name, '/'))
		return try_path(s, s->name);
	return try_rpaths(s) || try_library_path(s) ||
	       try_list(s, s->needer, s->needer->elf.runpath) || try_cache(s) ||
	       try_default_folders(s);
}

/* ---- The walk ---- */

static struct object *add_object(struct closure *c, const char *path, const char *real,
	const struct elf_file *elf, struct object *loader)
{
	struct object *o = memory_new(1, sizeof(*o));

	*o = (struct object){memory_string(path), memory_string(real), *elf, loader};
	if (c->objects.n == c->objects.room) {
		c->objects.room = c->objects.room ? c->objects.room * 2 : 32;
		c->objects.items = memory_resize(c->objects.items, c->objects.room, sizeof(o));
	}
	c->objects.items[c->objects.n++] = o;
	map_put(&c->files, real, o);
	if (elf->soname)
		map_add(&c->names, elf->soname);
	if (strcmp(path_name(path), "libc.so.6") == 0 && !c->c_library)
		c->c_library = memory_string(path);
	bool is_runtime = string_starts(path_name(path), "libc.so") ||
			  string_starts(path_name(path), "libpthread.so") ||
			  string_starts(path_name(path), "ld-");

	if (!is_runtime && (elf_file_names_symbol(&o->elf, "pthread_cancel") ||
				   elf_file_names_symbol(&o->elf, "pthread_exit") ||
				   elf_file_names_symbol(&o->elf, "backtrace")))
		c->unwinds = true;
	return o;
}

/* One DT_NEEDED.  -ENOENT when it is not found; *looked tells where (the caller frees it). */
static int add_needed(struct closure *c, struct object *needer, const char *name, char **looked)
{
	struct search s = {.closure = c, .needer = needer, .name = name};

	*looked = NULL;
	/* musl's loader is its C library, whatever it is called. */
	if (map_has(&c->names, name) || (!c->is_glibc && string_starts(name, "libc.")))
		return 0;
	if (!search(&s)) {
		*looked = text_take(&s.looked);
		return -ENOENT;
	}
	text_free(&s.looked);
	map_add(&c->names, name);
	int err = manifest_bring(c->manifest, c->source, s.path, NULL);

	if (err < 0)
		err = fail(-err, "cannot read %s: %s", s.path, strerror(-err));
	if (err >= 0 && !map_has(&c->files, s.real))
		add_object(c, s.path, s.real, &s.elf, needer);
	else
		elf_file_free(&s.elf);
	free(s.path);
	free(s.real);
	return err;
}

/* Everything needed by the objects from number first on. */
static int add_all_needed(struct closure *c, size_t first, bool must_be_complete)
{
	for (size_t i = first; i < c->objects.n; i++) {
		struct object *o = c->objects.items[i];

		for (size_t n = 0; n < o->elf.needed.n; n++) {
			const char *name = o->elf.needed.items[n];
			char *looked = NULL;
			int err = add_needed(c, o, name, &looked);

			if (err == -ENOENT && looked && must_be_complete)
				fail(ENOENT,
					"%s needs %s, which %s does not have: looked in %s: "
					"install it, or bring it with -f",
					o->path, name, c->source->name, looked[0] ? looked : name);
			else if (err == -ENOENT && looked)
				note("%s needs %s, which is not there", o->path, name), err = 0;
			free(looked);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

static int add_interpreter(struct closure *c, struct object *program)
{
	const char *path = program->elf.interpreter, *why = NULL;
	struct elf_file elf;
	char *real = NULL;

	if (!path)
		return 0;
	c->is_glibc = !string_starts(path_name(path), "ld-musl");
	int err = manifest_bring(c->manifest, c->source, path, &real);

	if (err < 0)
		return fail(ENOENT,
			"%s needs the loader %s, which %s does not have: install the C "
			"library it was built for",
			program->path, path, c->source->name);
	err = read_elf(c, c->source, real, &elf, &why);
	if (err < 0) {
		fail(ENOEXEC, "%s needs the loader %s: %s", program->path, path, why);
	} else if (elf.machine != program->elf.machine || elf.class != program->elf.class) {
		elf_file_free(&elf);
		err = fail(ENOEXEC, "%s needs the loader %s, which is for %s", program->path, path,
			elf_machine_name(elf.machine));
	} else if (!map_has(&c->files, real)) {
		map_add(&c->names, path_name(path));
		add_object(c, path, real, &elf, program);
	} else {
		elf_file_free(&elf);
	}
	free(real);
	return err;
}

static int check_program(const struct elf_file *elf, const char *path, uint16_t machine)
{
	if (elf->machine != machine || elf->class != ELFCLASS64)
		return fail(ENOEXEC, "cannot run %s: it is for %s%s: mote runs %s programs", path,
			elf->class == ELFCLASS32 ? "32-bit " : "", elf_machine_name(elf->machine),
			elf_machine_name(machine));
	if (elf->type == ET_DYN && !elf->interpreter && !elf->is_pie && !elf->entry)
		return fail(ENOEXEC, "cannot run %s: it is a shared library", path);
	return 0;
}

int closure_add_program(
	struct closure *c, const char *path, uint16_t machine, const struct elf_file **program)
{
	struct source *from = c->program_source ? c->program_source : c->source;
	const char *why = NULL;
	struct elf_file elf;
	char *real = NULL;
	int err = manifest_bring(c->manifest, from, path, &real);

	if (err < 0)
		return fail(-err, "cannot read %s: %s", path, strerror(-err));
	err = read_elf(c, from, real, &elf, &why);
	if (err < 0) {
		free(real);
		return fail(-err, "cannot run %s: %s", path, why);
	}
	err = check_program(&elf, path, machine);
	if (err < 0) {
		elf_file_free(&elf);
		free(real);
		return err;
	}
	size_t first = c->objects.n;
	struct object *o = add_object(c, real, real, &elf, NULL);

	*program = &o->elf;
	free(real);
	err = add_interpreter(c, o);
	return err < 0 ? err : add_all_needed(c, first, true);
}

void closure_add_plugin(struct closure *c, const char *path)
{
	const char *why = NULL;
	struct elf_file elf;
	char *real = NULL;

	if (source_resolve(c->source, path, NULL, NULL, &real) < 0)
		return;
	if (map_has(&c->files, real) || read_elf(c, c->source, real, &elf, &why) < 0) {
		free(real);
		return;
	}
	size_t first = c->objects.n;
	bool fits = first && elf.machine == c->objects.items[0]->elf.machine &&
		    elf.class == c->objects.items[0]->elf.class;

	if (!fits) {
		elf_file_free(&elf);
	} else {
		struct object *o = add_object(c, path, real, &elf, c->objects.items[0]);

		if ((o->elf.interpreter && add_interpreter(c, o) < 0) ||
			add_all_needed(c, first, false) < 0)
			note("not all libraries of %s could be brought", path);
	}
	free(real);
}

void closure_free(struct closure *c)
{
	for (size_t i = 0; i < c->objects.n; i++) {
		struct object *o = c->objects.items[i];

		free(o->path);
		free(o->real);
		elf_file_free(&o->elf);
		free(o);
	}
	free(c->objects.items);
	free(c->cache);
	free(c->c_library);
	map_free(&c->names);
	map_free(&c->files);
}
