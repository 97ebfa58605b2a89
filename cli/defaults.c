/* The kernel reads the same file; here it tells what an image runs. */
#include "cli/defaults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/boot.h"
#include "abi/image.h"
#include "cli/command_line.h"
#include "cli/memory.h"

static void keep_word(struct defaults *d, const char *word)
{
	static const char env[] = "mote.env=";
	const struct {
		const char *key;
		char **to;
	} strings[] = {{"init=", &d->init}, {"mote.argv0=", &d->argv0}, {"mote.cwd=", &d->cwd}};

	if (string_starts(word, env))
		list_add(&d->environment, word + strlen(env));
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		if (!string_starts(word, strings[i].key))
			continue;
		free(*strings[i].to);
		*strings[i].to = memory_string(word + strlen(strings[i].key));
	}
}

int defaults_read(struct source *image, struct defaults *out)
{
	struct string_list words = {0};
	char *line = NULL;
	size_t len = 0;
	int err = source_read_all(image, IMAGE_DEFAULTS_PATH, BOOT_COMMAND_LINE_MAX, &line, &len);

	*out = (struct defaults){0};
	if (err == -ENOENT)
		return err;
	if (err >= 0)
		err = command_line_split(line, &words, &out->arguments);
	if (err < 0)
		err = fail(-err, "cannot read the defaults of %s (%s): %s: build it again",
			image->name, IMAGE_DEFAULTS_PATH, strerror(-err));
	for (size_t i = 0; err >= 0 && i < words.n; i++)
		keep_word(out, words.items[i]);
	list_free(&words);
	free(line);
	if (err < 0)
		defaults_free(out);
	return err;
}

char *defaults_line(const struct defaults *d)
{
	struct text line = {0};

	if (d->init)
		command_line_add(&line, "init", d->init);
	if (d->argv0)
		command_line_add(&line, "mote.argv0", d->argv0);
	if (d->cwd)
		command_line_add(&line, "mote.cwd", d->cwd);
	for (size_t i = 0; i < d->environment.n; i++)
		command_line_add(&line, "mote.env", d->environment.items[i]);
	if (d->arguments.n)
		command_line_add(&line, "--", NULL);
	for (size_t i = 0; i < d->arguments.n; i++)
		command_line_add_argument(&line, d->arguments.items[i]);
	text_add(&line, "\n");
	return text_take(&line);
}

void defaults_free(struct defaults *d)
{
	free(d->init);
	free(d->argv0);
	free(d->cwd);
	list_free(&d->environment);
	list_free(&d->arguments);
	*d = (struct defaults){0};
}
