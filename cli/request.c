/* From a request to a manifest: the program and what it needs, then what the person added. */
#include "cli/request.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/closure.h"
#include "cli/library_tree.h"
#include "cli/memory.h"
#include "cli/program.h"
#include "cli/system_files.h"

/* ---- The request ---- */

int request_add_file(struct request *r, const char *spec)
{
	const char *colon = NULL;
	char cwd[PATH_MAX] = "/";

	for (const char *c = spec; (c = strstr(c, ":/")) != NULL; c++)
		colon = c;
	char *from = colon ? memory_bytes(spec, (size_t)(colon - spec)) : memory_string(spec);

	if (access(from, F_OK) < 0 || !getcwd(cwd, sizeof(cwd))) {
		int err = errno;

		free(from);
		return fail(
			err, "cannot add %s: %s: check the name given to -f", spec, strerror(err));
	}
	struct addition *a;

	r->additions = memory_resize(r->additions, r->n_additions + 1, sizeof(*a));
	a = &r->additions[r->n_additions++];
	a->from = path_join(cwd, from);
	a->to = colon ? path_join("/", colon + 1) : memory_string(a->from);
	free(from);
	return 0;
}

char *request_key(const struct request *r)
{
	struct text key = {0};

	text_format(&key, "root %s\nprogram %s\npath %s\nzone %s\n", r->root ? r->root : "",
		r->program ? r->program : "",
		r->program && r->program[0] == '/' ? "" : r->search_path,
		r->time_zone ? r->time_zone : "");
	text_format(&key, "folder %s\nhost %s\n", r->folder ? r->folder : "",
		r->host_name ? r->host_name : "");
	for (size_t i = 0; i < r->n_additions; i++)
		text_format(&key, "add %s\nto %s\n", r->additions[i].from, r->additions[i].to);
	for (size_t i = 0; i < r->named_files.n; i++)
		text_format(&key, "named %s\n", r->named_files.items[i]);
	for (size_t i = 0; i < r->library_path.n; i++)
		text_format(&key, "library path %s\n", r->library_path.items[i]);
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	text_format(&key, "epoch %s\n", epoch ? epoch : "");
	return text_take(&key);
}

void request_free(struct request *r)
{
	free(r->root);
	free(r->program);
	free(r->search_path);
	free(r->time_zone);
	free(r->folder);
	free(r->host_name);
	for (size_t i = 0; i < r->n_additions; i++) {
		free(r->additions[i].from);
		free(r->additions[i].to);
	}
	free(r->additions);
	list_free(&r->named_files);
	list_free(&r->library_path);
	*r = (struct request){0};
}

void launch_free(struct launch *l)
{
	free(l->init);
	free(l->argv0);
	list_free(&l->prefix);
	*l = (struct launch){0};
}

/* ---- Gathering ---- */

struct work {
	const struct request *request;
	struct gathering *out;
	struct closure closure;
	struct source *programs; /* where the program is looked up */
};

/* A program that a --root does not have may be the host's: "mote run --root DIR ./server". */
static void choose_source(struct work *w)
{
	const char *program = w->request->program;
	struct source_stat st;
	char *real = NULL;

	w->programs = w->out->root;
	if (program[0] != '/' || w->out->root == w->out->host)
		return;
	if (source_resolve(w->out->root, program, NULL, NULL, &real) >= 0) {
		free(real);
		return;
	}
	if (source_stat(w->out->host, program, &st) >= 0)
		w->programs = w->out->host;
}

static void keep_launch(struct work *w, struct program *p, const struct elf_file *elf)
{
	struct launch *l = &w->out->launch;

	l->init = memory_string(p->init);
	l->argv0 = memory_string(p->argv0);
	l->least_memory = elf->data_bytes;
	for (size_t i = 0; i < p->prefix.n; i++)
		list_add(&l->prefix, p->prefix.items[i]);
}

static int gather_program(struct work *w)
{
	const struct request *r = w->request;
	struct manifest *m = &w->out->manifest;
	const struct elf_file *elf = NULL;
	struct program p;

	choose_source(w);
	int err = program_find(w->programs, r->program,
		w->programs == w->out->host ? r->search_path : PROGRAM_DEFAULT_PATH, &p);

	if (err < 0)
		return err;
	w->closure.source = w->out->root;
	if (w->programs != w->out->root && manifest_bring(m, w->programs, p.file, NULL) < 0)
		err = fail(EIO, "cannot read %s", p.file);
	if (err >= 0 && strcmp(p.file, p.init) != 0 && w->programs == w->out->root &&
		manifest_bring(m, w->programs, p.file, NULL) < 0)
		err = fail(EIO, "cannot read %s: check its permissions", p.file);
	if (err >= 0) {
		w->closure.program_source = w->programs;
		err = closure_add_program(&w->closure, p.init, EM_X86_64, &elf);
	}
	if (err >= 0)
		keep_launch(w, &p, elf);
	if (err >= 0 && w->programs == w->out->host && !r->root) {
		err = library_tree_add(m, w->out->host, p.file);
		if (err >= 0 && strcmp(p.file, p.init) != 0)
			err = library_tree_add(m, w->out->host, p.init);
		if (err < 0)
			err = fail(EIO, "cannot read the package database: %s", strerror(-err));
	}
	program_free(&p);
	return err;
}

/* By -f, or as an argument that names it. */
static bool was_asked_for(const struct request *r, const char *path)
{
	for (size_t i = 0; i < r->n_additions; i++) {
		const char *to = r->additions[i].to;

		if (string_starts(path, to) && strchr("/", path[strlen(to)]))
			return true;
	}
	return list_has(&r->named_files, path);
}

/* Modules and programs that are ELF files have libraries of their own. */
static bool may_need_libraries(const struct request *r, const struct entry *e)
{
	const char *name = path_name(e->path);

	return string_ends(name, ".so") || strstr(name, ".so.") || string_ends(name, ".node") ||
	       ((e->st.mode & 0111) && was_asked_for(r, e->path));
}

static void gather_plugins(struct work *w)
{
	struct manifest *m = &w->out->manifest;

	for (size_t i = 0; w->request->program && i < m->n_entries; i++) {
		struct entry *e = m->entries[i];

		if (!S_ISREG(e->st.mode) || e->source != w->closure.source)
			continue;
		if (!may_need_libraries(w->request, e))
			continue;
		char *path = memory_string(e->source_path);

		closure_add_plugin(&w->closure, path);
		free(path);
	}
}

/*
 * Links in an added tree that lead out of it to files of the system (alternatives, jars of other
 * packages): those come too.  Only what everybody may read: a folder from elsewhere must not pick
 * this person's files.
 */
static void gather_targets(struct work *w, size_t first)
{
	struct manifest *m = &w->out->manifest;

	for (size_t i = first; i < m->n_entries; i++) {
		struct entry *e = m->entries[i];
		char *path = S_ISLNK(e->st.mode) ? memory_string(e->path) : NULL, *real = NULL;
		struct source_stat st;
		bool is_file = path && source_resolve(w->out->host, path, NULL, NULL, &real) >= 0 &&
			       source_stat(w->out->host, real, &st) >= 0 && S_ISREG(st.mode) &&
			       (st.mode & 0004);
		const struct entry *there = is_file ? manifest_find(m, real) : NULL;

		if (is_file && (!there || there->source == w->out->host) &&
			manifest_bring(m, w->out->host, path, NULL) < 0)
			note("cannot read %s, which %s leads to", real, path);
		free(real);
		free(path);
	}
}

static int gather_additions(struct work *w)
{
	struct manifest *m = &w->out->manifest;
	const struct request *r = w->request;
	int err = 0;

	for (size_t i = 0; err >= 0 && i < r->n_additions; i++) {
		size_t first = m->n_entries;

		err = manifest_bring_tree(
			m, w->out->host, r->additions[i].from, r->additions[i].to, 0);
		if (err >= 0 && strcmp(r->additions[i].from, r->additions[i].to) == 0)
			gather_targets(w, first);
	}
	for (size_t i = 0; err >= 0 && i < r->named_files.n; i++) {
		err = manifest_bring(m, w->out->host, r->named_files.items[i], NULL);
		if (err < 0)
			err = fail(-err, "cannot read %s: %s", r->named_files.items[i],
				strerror(-err));
	}
	return err < 0 ? -EIO : 0;
}

static int gather_all(struct work *w)
{
	struct gathering *out = w->out;
	int err = 0;

	if (w->request->root && manifest_bring_tree(&out->manifest, out->root, "/", "/", 0) < 0)
		return -EIO;
	if (w->request->program)
		err = gather_program(w);
	if (err >= 0)
		err = gather_additions(w);
	if (err < 0)
		return err;
	gather_plugins(w);
	if (w->request->folder)
		manifest_add_folder(&out->manifest, w->request->folder, 0755);
	system_files_add(&out->manifest, out->root, &w->closure, w->request->time_zone,
		w->request->host_name ? w->request->host_name : "mote");
	manifest_finish(&out->manifest);
	return 0;
}

int request_gather(const struct request *r, struct inputs *inputs, struct gathering *out)
{
	struct work w = {.request = r, .out = out};

	*out = (struct gathering){0};
	if (source_open_host("/", inputs, &out->host) < 0)
		return -EIO;
	out->root = out->host;
	int err = r->root ? source_open_any(r->root, inputs, &out->root) : 0;

	if (err < 0)
		out->root = NULL, err = -EIO;
	w.closure.manifest = &out->manifest;
	w.closure.library_path = &r->library_path;
	if (err >= 0)
		err = gather_all(&w);
	closure_free(&w.closure);
	if (err < 0)
		gathering_free(out);
	return err;
}

void gathering_free(struct gathering *g)
{
	manifest_free(&g->manifest);
	launch_free(&g->launch);
	if (g->root != g->host)
		source_free(g->root);
	source_free(g->host);
	*g = (struct gathering){0};
}
