/* mote build: an image with its program's start baked in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/image.h"
#include "cli/commands.h"
#include "cli/defaults.h"
#include "cli/image_write.h"
#include "cli/memory.h"
#include "cli/options.h"
#include "cli/prepare.h"

/* "mote build DIR PROGRAM ARG..." is "mote build --root DIR PROGRAM ARG...". */
static int use_folder(struct options *o, char **program)
{
	struct stat st;

	if (stat(o->program, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (o->root)
		return fail(EINVAL, "cannot build the folder %s with --root %s: give one of them",
			o->program, o->root);
	o->root = o->program;
	o->program = NULL;
	if (!o->arguments.n)
		return 0;
	o->program = *program = o->arguments.items[0];
	o->arguments.n--;
	memmove(o->arguments.items, o->arguments.items + 1,
		o->arguments.n * sizeof(o->arguments.items[0]));
	return 0;
}

/* A name for the image when none was given. */
static char *output_name(const struct options *o)
{
	const char *from = o->program ? o->program : o->root;
	char *clean = path_join("/", from);
	char *name = string_format("%s.img", path_name(clean)[0] ? path_name(clean) : "root");

	free(clean);
	return name;
}

static void bake(const struct options *o, const struct request *r, struct gathering *g)
{
	struct defaults d = {0};

	if (o->program)
		d.init = memory_string(g->launch.init);
	if (o->program)
		d.argv0 = prepare_argv0(o, r, &g->launch);
	if (d.argv0 && strcmp(d.argv0, d.init) == 0) {
		free(d.argv0);
		d.argv0 = NULL;
	}
	prepare_start(o, r, o->program ? &g->launch : NULL, &d.environment, &d.arguments, &d.cwd);
	char *line = defaults_line(&d);

	manifest_add_data(&g->manifest, IMAGE_DEFAULTS_PATH, line, strlen(line));
	manifest_finish(&g->manifest);
	free(line);
	defaults_free(&d);
}

static int build(const struct options *o)
{
	struct inputs in = {0};
	struct gathering g;
	struct request r;

	if (prepare_request(o, &r) < 0)
		return EXIT_MOTE_FAILED;
	/* Inside a folder the program is looked for there, not beside this process. */
	if (o->root && o->program && strchr(o->program, '/') && o->program[0] != '/') {
		free(r.program);
		r.program = path_join("/", o->program);
	}
	int err = request_gather(&r, &in, &g);

	if (err >= 0) {
		char *output = o->output ? memory_string(o->output) : output_name(o);

		bake(o, &r, &g);
		err = image_write_file(&g.manifest, output, o->size) < 0 ? -EIO : 0;
		if (err >= 0)
			note("wrote %s: %zu files", output, g.manifest.n_entries);
		free(output);
		gathering_free(&g);
	}
	inputs_free(&in);
	request_free(&r);
	return err < 0 ? prepare_exit_status(err) : 0;
}

int command_build(const struct options *given)
{
	struct options o = *given; /* its program may become its root */

	if (o.is_verbose)
		report_verbose();
	if (!o.program) {
		fail(EINVAL, "nothing to build: mote build PROGRAM, see mote build --help");
		return EXIT_MOTE_FAILED;
	}
	if (string_ends(o.program, ".yaml") && access(o.program, F_OK) == 0) {
		fail(ENOSYS,
			"cannot build %s: mote.yaml files are not supported yet: name the program",
			o.program);
		return EXIT_MOTE_FAILED;
	}
	struct string_list arguments = {0};

	for (size_t i = 0; i < given->arguments.n; i++)
		list_add(&arguments, given->arguments.items[i]);
	o.arguments = arguments;
	char *program = NULL;
	int status = use_folder(&o, &program) < 0 ? EXIT_MOTE_FAILED : build(&o);

	list_free(&o.arguments);
	free(program);
	return status;
}
