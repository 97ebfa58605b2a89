/* Freeing a machine's description. */
#include "cli/machine.h"

#include <stdlib.h>

void machine_free(struct machine *m)
{
	char *strings[] = {m->name, m->kernel, m->image, m->tap, m->address, m->init, m->argv0,
		m->cwd, m->trace.calls, m->allow};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		free(strings[i]);
	trace_options_free(&m->trace.options);
	free(m->publishes);
	list_free(&m->environment);
	list_free(&m->arguments);
	*m = (struct machine){0};
}
