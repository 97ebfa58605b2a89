/* Words of the command line that do not depend on the engine. */
#include "cli/kernel_line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "abi/channel.h"
#include "abi/debug.h"
#include "cli/private_net.h"

#define SEED_BYTES 32

/* QEMU's user network (slirp) always looks like this. */
#define USER_ADDRESS "10.0.2.15"
#define USER_GATEWAY "10.0.2.2"
#define USER_MASK "255.255.255.0"
#define USER_DNS "10.0.2.3"

static int bad_address(const char *address)
{
	return fail(EINVAL,
		"cannot use the address %s: it is not ADDRESS/PREFIX[,GATEWAY[,DNS]], "
		"for example 10.0.0.2/24,10.0.0.1",
		address);
}

static bool is_address(const char *text)
{
	struct in_addr address;

	return inet_pton(AF_INET, text, &address) == 1;
}

static int add_own_address(struct text *line, const struct machine *m)
{
	struct string_list parts = {0};
	int err = 0;

	if (!m->address) {
		command_line_add(line, "ip", "dhcp");
		return 0;
	}
	list_add_split(&parts, m->address, ',');
	char *slash = parts.n ? strchr(parts.items[0], '/') : NULL;
	long prefix = slash ? strtol(slash + 1, NULL, 10) : 0;

	if (!slash || prefix < 1 || prefix > 32 || parts.n > 3)
		err = bad_address(m->address);
	else
		*slash = 0;
	for (size_t i = 0; err >= 0 && i < parts.n; i++)
		if (!is_address(parts.items[i]))
			err = bad_address(m->address);
	if (err >= 0) {
		struct in_addr mask = {htonl((uint32_t)(0xffffffffULL << (32 - prefix)))};
		char mask_text[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &mask, mask_text, sizeof(mask_text));
		char *value = string_format("%s::%s:%s:%s:eth0:off:%s", parts.items[0],
			parts.n > 1 ? parts.items[1] : "", mask_text, m->name,
			parts.n > 2 ? parts.items[2] : "");

		command_line_add(line, "ip", value);
		free(value);
	}
	list_free(&parts);
	return err;
}

static int add_network(struct text *line, const struct machine *m)
{
	if (m->network == NETWORK_NONE) {
		command_line_add(line, "ip", "off");
		return 0;
	}
	if (m->network == NETWORK_TAP || m->network == NETWORK_BRIDGE)
		return add_own_address(line, m);
	char *value;

	if (m->network == NETWORK_PRIVATE)
		value = string_format("%s::%s:" PRIVATE_MASK ":%s:eth0:off:" USER_DNS, m->address,
			m->private_gateway, m->name);
	else
		value = string_format(USER_ADDRESS "::" USER_GATEWAY ":" USER_MASK
						   ":%s:eth0:off:" USER_DNS,
			m->name);

	command_line_add(line, "ip", value);
	free(value);
	return 0;
}

static void add_seed(struct text *line)
{
	unsigned char seed[SEED_BYTES];
	char hex[2 * SEED_BYTES + 1];

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return;
	for (size_t i = 0; i < sizeof(seed); i++)
		snprintf(hex + 2 * i, 3, "%02x", seed[i]);
	command_line_add(line, "mote.seed", hex);
}

static void add_time(struct text *line)
{
	struct timespec now;
	char value[64];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(value, sizeof(value), "%lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
	command_line_add(line, "mote.time", value);
}

static void add_program(struct text *line, const struct machine *m)
{
	if (m->init)
		command_line_add(line, "init", m->init);
	if (m->argv0 && (!m->init || strcmp(m->argv0, m->init) != 0))
		command_line_add(line, "mote.argv0", m->argv0);
	if (m->cwd)
		command_line_add(line, "mote.cwd", m->cwd);
	for (size_t i = 0; i < m->environment.n; i++)
		command_line_add(line, "mote.env", m->environment.items[i]);
}

/* What is wanted to be known, or forbidden, of system calls. */
static void add_watching(struct text *line, const struct machine *m)
{
	const struct trace_options *o = &m->trace.options;

	if (machine_has_channel(m))
		command_line_add(line, CHANNEL_OPTION, NULL);
	if (m->holds_start)
		command_line_add(line, DEBUG_OPTION, NULL);
	if (m->trace.calls)
		command_line_add(line, "mote.trace", m->trace.calls);
	if (m->trace.calls && o->paths)
		command_line_add(line, "mote.trace-paths", NULL);
	if (m->trace.calls && o->data_size) {
		char size[16];

		snprintf(size, sizeof(size), "%u", o->data_size);
		command_line_add(line, "mote.trace-size", size);
	}
	if (o->profile)
		command_line_add(line, "mote.count-calls", NULL);
	if (m->allow)
		command_line_add(line, "mote.allow", m->allow);
	if (m->allow && m->allow_or_end)
		command_line_add(line, "mote.allow-or-end", NULL);
}

static void add_volumes(struct text *line, const struct machine *m)
{
	for (size_t i = 0; i < m->n_volumes; i++) {
		const struct volume *v = &m->volumes[i];
		char *value =
			string_format("%s:%s%s", v->disk, v->mount_path, v->read_only ? ":ro" : "");

		command_line_add(line, "mote.mount", value);
		free(value);
	}
}

int kernel_line_add_words(struct text *line, const struct machine *m)
{
	command_line_add(line, "root", "/dev/vda");
	command_line_add(line, m->writes_image ? "rw" : "ro", NULL);
	if (!m->says_all)
		command_line_add(line, "quiet", NULL);
	command_line_add(line, "panic", "-1");
	int err = add_network(line, m);

	add_volumes(line, m);
	add_time(line);
	add_seed(line);
	if (m->is_terminal)
		command_line_add(line, "mote.tty", NULL);
	add_watching(line, m);
	if (m->lists_missing_files)
		command_line_add(line, "mote.missing-files", NULL);
	add_program(line, m);
	return err;
}

void kernel_line_add_arguments(struct text *line, const struct machine *m)
{
	if (!m->arguments.n && !m->init)
		return;
	command_line_add(line, "--", NULL);
	for (size_t i = 0; i < m->arguments.n; i++)
		command_line_add_argument(line, m->arguments.items[i]);
}
