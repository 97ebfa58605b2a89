/* Looking programs up, and "#!" lines (execve(2), "Interpreter scripts"; env(1)). */
#include "cli/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/memory.h"

#define LINE_MAX_BYTES 255 /* of "#!", as Linux (BINPRM_BUF_SIZE) */
#define MAX_SCRIPTS 4      /* interpreted by scripts */

/* 0 when a regular file with an x bit is there; *real is where. */
static int check_runnable(struct source *s, const char *path, char **real)
{
	struct source_stat st;
	char *at = NULL;
	int err = source_resolve(s, path, NULL, NULL, &at);

	if (err >= 0)
		err = source_stat(s, at, &st);
	if (err >= 0 && S_ISDIR(st.mode))
		err = -EISDIR;
	else if (err >= 0 && !S_ISREG(st.mode))
		err = -EINVAL;
	else if (err >= 0 && !(st.mode & 0111))
		err = -EACCES;
	if (err >= 0)
		*real = at;
	else
		free(at);
	return err;
}

static int complain(struct source *s, const char *path, int err)
{
	if (err == -ENOENT || err == -ENOTDIR)
		return fail(ENOENT, "cannot find %s on %s: check the name", path, s->name);
	if (err == -EISDIR)
		return fail(EACCES, "cannot run %s: it is a folder", path);
	if (err == -EACCES)
		return fail(EACCES, "cannot run %s: it is not executable: chmod +x it", path);
	return fail(EACCES, "cannot run %s: %s", path, strerror(-err));
}

/* The first program of this name in path, a new string; NULL when there is none. */
static char *search_path(struct source *s, const char *name, const char *path)
{
	struct string_list folders = {0};
	char *found = NULL;

	list_add_split(&folders, path, ':');
	for (size_t i = 0; !found && i < folders.n; i++) {
		char *candidate = path_join(folders.items[i], name), *real = NULL;

		if (folders.items[i][0] == '/' && check_runnable(s, candidate, &real) >= 0)
			found = candidate;
		else
			free(candidate);
		free(real);
	}
	list_free(&folders);
	return found;
}

static int look_up(struct source *s, const char *name, const char *path, char **file, char **real)
{
	if (strchr(name, '/')) {
		*file = path_join("/", name);
	} else {
		*file = search_path(s, name, path);
		if (!*file)
			return fail(ENOENT, "cannot find the program %s on %s: looked in %s", name,
				s->name, path);
	}
	int err = check_runnable(s, *file, real);

	if (err < 0) {
		err = complain(s, *file, err);
		free(*file);
	}
	return err;
}

/* The words of a "#!" line; 0 words when the file has none. */
static int read_line(struct source *s, const char *real, struct string_list *words)
{
	char line[LINE_MAX_BYTES + 1] = "";
	struct source_file *file = NULL;
	int err = source_open(s, real, &file);

	if (err < 0)
		return err;
	size_t len = file->size < LINE_MAX_BYTES ? file->size : LINE_MAX_BYTES;

	err = source_read(file, 0, line, len);
	source_close(file);
	if (err < 0 || memcmp(line, "#!", 2) != 0)
		return err;
	line[strcspn(line, "\n")] = 0;
	char *at = line + 2 + strspn(line + 2, " \t");
	size_t name_len = strcspn(at, " \t");
	char *argument = at + name_len + strspn(at + name_len, " \t");
	size_t argument_len = strlen(argument);

	while (argument_len && strchr(" \t\r", argument[argument_len - 1]))
		argument_len--;
	if (name_len)
		list_add_owned(words, memory_bytes(at, name_len));
	if (name_len && argument_len)
		list_add_owned(words, memory_bytes(argument, argument_len));
	return 0;
}

/* "#!/usr/bin/env NAME" and "#!/usr/bin/env -S NAME ARG...": words becomes NAME ARG... */
static int undo_env(const char *script, struct string_list *words)
{
	if (words->n < 2 || strcmp(path_name(words->items[0]), "env") != 0)
		return 0;
	const char *line = words->items[1];
	struct string_list inner = {0};

	if (string_starts(line, "-S"))
		list_add_split(&inner, line + 2 + strspn(line + 2, " "), ' ');
	else
		list_add(&inner, line);
	if (!inner.n || inner.items[0][0] == '-' || strchr(inner.items[0], '=')) {
		list_free(&inner);
		return fail(ENOEXEC,
			"cannot run %s: its first line asks env for \"%s\", which mote "
			"does not do: name the interpreter",
			script, line);
	}
	list_free(words);
	*words = inner;
	return 0;
}

/* The program's file is a script: its interpreter takes its place. */
static int enter_interpreter(struct source *s, struct program *p, struct string_list *words,
	const char *path, char **real)
{
	struct string_list prefix = {0};
	char *script = p->init;
	int err = undo_env(script, words);

	if (err < 0)
		return err;
	const char *name = words->items[0];
	char *file = strchr(name, '/') ? path_join("/", name) : search_path(s, name, path);
	char *next = NULL;

	if (!file || check_runnable(s, file, &next) < 0) {
		free(file);
		return fail(ENOENT, "cannot run %s: its interpreter %s is not on %s: install it",
			script, name, s->name);
	}
	for (size_t i = 1; i < words->n; i++)
		list_add(&prefix, words->items[i]);
	list_add(&prefix, script);
	for (size_t i = 0; i < p->prefix.n; i++)
		list_add(&prefix, p->prefix.items[i]);
	free(p->argv0);
	p->argv0 = memory_string(name);
	free(script);
	p->init = file;
	list_free(&p->prefix);
	p->prefix = prefix;
	free(*real);
	*real = next;
	return 0;
}

int program_find(struct source *s, const char *name, const char *path, struct program *out)
{
	char *real = NULL;

	*out = (struct program){0};
	int err = look_up(s, name, path, &out->file, &real);

	if (err < 0)
		return err;
	out->init = memory_string(out->file);
	out->argv0 = memory_string(name);
	for (int depth = 0; err >= 0; depth++) {
		struct string_list words = {0};

		err = read_line(s, real, &words);
		if (err < 0)
			err = fail(-err, "cannot read %s: %s", out->init, strerror(-err));
		else if (!words.n)
			break;
		else if (depth >= MAX_SCRIPTS)
			err = fail(ENOEXEC,
				"cannot run %s: its interpreters are scripts without end",
				out->file);
		else
			err = enter_interpreter(s, out, &words, path, &real);
		list_free(&words);
	}
	free(real);
	if (err < 0)
		program_free(out);
	return err;
}

void program_free(struct program *p)
{
	free(p->file);
	free(p->init);
	free(p->argv0);
	list_free(&p->prefix);
	*p = (struct program){0};
}
