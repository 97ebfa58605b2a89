/* Freeing a machine's description. */
#include "cli/machine.h"

#include <stdlib.h>
#include <unistd.h>

void machine_free(struct machine *m)
{
	char *strings[] = {m->name, m->kernel, m->image, m->interface, m->address, m->pcap,
		m->private_gateway, m->private_dns, m->init, m->argv0, m->cwd, m->trace.calls,
		m->core, m->allow};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		free(strings[i]);
	trace_options_free(&m->trace.options);
	if (m->image_hold >= 0)
		close(m->image_hold);
	if (m->image_lock >= 0)
		close(m->image_lock);
	volumes_free(m->volumes, m->n_volumes);
	if (m->network_folder >= 0)
		close(m->network_folder);
	free(m->publishes);
	list_free(&m->environment);
	list_free(&m->arguments);
	*m = MACHINE_NONE;
}

const char *machine_program(const struct machine *m)
{
	return m->init ? m->init : m->image;
}
