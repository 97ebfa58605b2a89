/*
 * What a person may expect to be in the machine without saying so:
 *     - a program named by a relative path lies at its absolute path of this host;
 *     - an argument (or the part behind its '=') that names a regular file of this host brings that
 *       file to the same absolute path; folders need -f;
 *     - the working directory is the host's if something brought was named by a relative path or
 *       lies in it, else "/".
 */
#include "cli/prepare.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/program.h"

static char *current_folder(void)
{
	char cwd[PATH_MAX];

	return memory_string(getcwd(cwd, sizeof(cwd)) ? cwd : "/");
}

static bool is_devices(const char *path)
{
	return path_is_under(path, "/proc") || path_is_under(path, "/sys") ||
	       path_is_under(path, "/dev");
}

static void add_named_file(struct request *r, const char *cwd, const char *text)
{
	char *path = path_join(cwd, text);
	struct stat st;

	if (text[0] && stat(path, &st) == 0 && S_ISREG(st.st_mode) && !is_devices(path) &&
		access(path, R_OK) == 0 && !list_has(&r->named_files, path)) {
		note("bringing %s, which an argument names", path);
		list_add(&r->named_files, path);
	}
	free(path);
}

static void add_named_files(struct request *r, const char *cwd, const struct string_list *arguments)
{
	for (size_t i = 0; i < arguments->n; i++) {
		const char *text = arguments->items[i];
		const char *equals = strchr(text, '=');

		add_named_file(r, cwd, text);
		if (equals)
			add_named_file(r, cwd, equals + 1);
	}
}

static int add_files(const struct options *o, struct request *r)
{
	int err = 0;

	for (size_t i = 0; err >= 0 && i < o->files.n; i++)
		err = request_add_file(r, o->files.items[i]);
	return err;
}

/* PATH with relative parts made absolute: the key of a cached image must not depend on more. */
static char *absolute_search_path(const char *cwd, const char *path)
{
	struct string_list folders = {0};
	struct text out = {0};

	list_add_split(&folders, path, ':');
	for (size_t i = 0; i < folders.n; i++) {
		char *folder = path_join(cwd, folders.items[i]);

		text_format(&out, "%s%s", i ? ":" : "", folder);
		free(folder);
	}
	list_free(&folders);
	return text_take(&out);
}

static bool is_relative(const char *path)
{
	return path[0] != '/' && strchr(path, '/');
}

static bool names_relative_file(const struct options *o, const struct request *r, const char *cwd)
{
	bool does = false;

	for (size_t i = 0; !does && i < o->arguments.n; i++) {
		const char *text = o->arguments.items[i], *equals = strchr(text, '=');
		char *path = path_join(cwd, text),
		     *behind = path_join(cwd, equals ? equals + 1 : text);

		does = (text[0] != '/' && list_has(&r->named_files, path)) ||
		       (equals && equals[1] != '/' && list_has(&r->named_files, behind));
		free(path);
		free(behind);
	}
	return does;
}

/* Whether the program is to find itself in the folder it was started from. */
static bool uses_folder(const struct options *o, const struct request *r, const char *cwd)
{
	bool uses = o->program && !o->root &&
		    (is_relative(o->program) || path_is_under(r->program, cwd) ||
			    names_relative_file(o, r, cwd));

	for (size_t i = 0; i < r->n_additions; i++)
		uses |= path_is_under(r->additions[i].to, cwd);
	return uses;
}

int prepare_request(const struct options *o, struct request *r)
{
	const char *path = getenv("PATH"), *library_path = options_variable(o, "LD_LIBRARY_PATH");
	const char *zone = options_variable(o, "TZ");
	char *cwd = current_folder();

	*r = (struct request){0};
	r->search_path = absolute_search_path(cwd, path ? path : PROGRAM_DEFAULT_PATH);
	if (o->root)
		r->root = path_join(cwd, o->root);
	if (o->program)
		r->program = strchr(o->program, '/') ? path_join(cwd, o->program)
						     : memory_string(o->program);
	if (o->hostname)
		r->host_name = memory_string(o->hostname);
	if (zone)
		r->time_zone = memory_string(zone);
	if (library_path)
		list_add_split(&r->library_path, library_path, ':');
	if (!o->root) /* with a root, arguments name that root's files */
		add_named_files(r, cwd, &o->arguments);
	int err = add_files(o, r);

	if (err >= 0 && !o->workdir && strcmp(cwd, "/") != 0 && uses_folder(o, r, cwd)) {
		r->folder = cwd;
		cwd = NULL;
	}
	free(cwd);
	if (err < 0)
		request_free(r);
	return err;
}

/* ---- How it starts ---- */

static bool has_variable(const struct string_list *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < environment->n; i++)
		if (strncmp(environment->items[i], name, len) == 0 &&
			environment->items[i][len] == '=')
			return true;
	return false;
}

static void make_environment(const struct options *o, struct string_list *environment)
{
	const char *term = getenv("TERM");

	for (size_t i = 0; i < o->environment.n; i++)
		list_add(environment, o->environment.items[i]);
	if (!has_variable(environment, "PATH"))
		list_add(environment, "PATH=" PROGRAM_DEFAULT_PATH);
	if (!has_variable(environment, "HOME"))
		list_add(environment, "HOME=/root");
	if (!has_variable(environment, "TERM") && term && o->is_terminal)
		list_add_owned(environment, string_format("TERM=%s", term));
}

/* A script is told the name it was called by, as Linux does. */
static const char *script_name(const struct options *o, const struct request *r, const char *prefix)
{
	return r->folder && is_relative(o->program) && strcmp(prefix, r->program) == 0 ? o->program
										       : prefix;
}

void prepare_start(const struct options *o, const struct request *r, const struct launch *l,
	struct string_list *environment, struct string_list *arguments, char **cwd)
{
	make_environment(o, environment);
	for (size_t i = 0; l && i < l->prefix.n; i++)
		list_add(arguments, script_name(o, r, l->prefix.items[i]));
	for (size_t i = 0; i < o->arguments.n; i++)
		list_add(arguments, o->arguments.items[i]);
	const char *folder = o->workdir ? o->workdir : r->folder;

	*cwd = folder ? memory_string(folder) : NULL;
}

char *prepare_argv0(const struct options *o, const struct request *r, const struct launch *l)
{
	bool is_script = l->prefix.n > 0;

	return memory_string(!is_script && r->folder ? o->program : l->argv0);
}

int prepare_exit_status(int err)
{
	switch (-err) {
	case ENOENT:
		return EXIT_NOT_FOUND;
	case EACCES:
	case ENOEXEC:
		return EXIT_NOT_RUNNABLE;
	default:
		return EXIT_MOTE_FAILED;
	}
}
