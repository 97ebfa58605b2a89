/* mote core: a core file of a program that lives on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/debug/attach.h"
#include "cli/debug/core.h"

int command_core(const struct options *o)
{
	const char *name = o->arguments.items[0];
	struct target t;

	if (attach_open(name, &t, NULL, NULL) < 0)
		return EXIT_MOTE_FAILED;
	char *path = o->output ? string_format("%s", o->output) : string_format("%s.core", name);
	int err = target_stop(&t);

	if (err < 0)
		err = fail(
			-err, "cannot stop the program of %s: its machine does not answer", name);
	if (err >= 0)
		err = core_write(&t, path, NULL);
	if (err >= 0)
		printf("%s\n", path);
	/* Whatever happened: it goes on. */
	(void)!target_detach(&t);
	attach_close(&t);
	free(path);
	return err < 0 ? EXIT_MOTE_FAILED : 0;
}
