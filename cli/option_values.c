/* What the values of options may be. */
#include "cli/option_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/health.h"
#include "cli/memory.h"
#include "cli/restart.h"
#include "cli/syslog.h"

void option_set_string(char **to, const char *text)
{
	free(*to);
	*to = memory_string(text);
}

bool options_is_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return text[0] && text[0] != '.' && text[0] != '-' && strlen(text) <= 63 &&
	       strspn(text, allowed) == strlen(text);
}

int option_set_name(char **to, const char *text)
{
	if (!options_is_name(text))
		return fail(EINVAL,
			"cannot use the name %s: letters, digits, '-', '_' and '.', at most "
			"63, the first a letter or a digit",
			text);
	option_set_string(to, text);
	return 0;
}

int option_set_size(uint64_t *to, const char *option, const char *text)
{
	unsigned long long bytes = 0;

	if (size_parse(text, &bytes) < 0 || !bytes)
		return fail(
			EINVAL, "cannot use %s %s: it is no size, for example 512M", option, text);
	*to = bytes;
	return 0;
}

int option_set_number(
	unsigned *to, const char *option, const char *text, unsigned least, unsigned most)
{
	char *end = NULL;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || text[0] == '-' || value < least || value > most)
		return fail(EINVAL, "cannot use %s %s: it takes a number from %u to %u", option,
			text, least, most);
	*to = (unsigned)value;
	return 0;
}

/* Replaces an earlier setting of the same key. */
static void set_assignment(struct string_list *list, size_t len, char *assignment)
{
	for (size_t i = 0; i < list->n; i++) {
		char *old = list->items[i];

		if (strncmp(old, assignment, len + 1) != 0)
			continue;
		free(old);
		list->items[i] = assignment;
		return;
	}
	list_add_owned(list, assignment);
}

int option_set_variable(struct options *o, const char *text)
{
	size_t len = strcspn(text, "=");
	const char *here = NULL;

	if (!len)
		return fail(EINVAL, "cannot set %s: it is not KEY=VALUE", text);
	if (!text[len]) {
		here = getenv(text);
		if (!here)
			return 0; /* as docker: not set here, not set there */
	}
	set_assignment(&o->environment, len,
		here ? string_format("%s=%s", text, here) : memory_string(text));
	return 0;
}

int option_set_label(struct options *o, const char *text)
{
	size_t len = strcspn(text, "=");

	if (!len)
		return fail(EINVAL, "cannot use the label %s: it is not KEY=VALUE", text);
	set_assignment(
		&o->labels, len, text[len] ? memory_string(text) : string_format("%s=", text));
	return 0;
}

int option_set_engine(struct options *o, const char *text)
{
	static const struct {
		const char *name;
		enum engine engine;
	} engines[] = {{"auto", ENGINE_AUTO}, {"mote", ENGINE_MOTE}, {"qemu", ENGINE_QEMU},
		{"tcg", ENGINE_TCG}};

	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (strcmp(text, engines[i].name) == 0) {
			o->engine = engines[i].engine;
			return 0;
		}
	return fail(EINVAL, "unknown engine %s: choose auto, qemu or tcg", text);
}

int option_set_network(struct options *o, const char *text)
{
	bool has_interface = (string_starts(text, "tap:") && text[4]) ||
			     (string_starts(text, "bridge:") && text[7]);

	if (strcmp(text, "user") != 0 && strcmp(text, "none") != 0 && !has_interface)
		return fail(EINVAL,
			"unknown network %s: choose user, tap:INTERFACE, bridge:BRIDGE or "
			"none",
			text);
	option_set_string(&o->network, text);
	return 0;
}

int option_set_trace(struct options *o, const char *text)
{
	struct string_list expressions = {0};

	list_add(&expressions, text ? text : "all");
	free(o->trace);
	o->trace = NULL;
	int err = trace_selection(&expressions, &o->trace);

	list_free(&expressions);
	return err;
}

int option_set_workdir(struct options *o, const char *text)
{
	if (text[0] != '/')
		return fail(EINVAL, "cannot use --workdir %s: it must start with '/'", text);
	option_set_string(&o->workdir, text);
	return 0;
}

int option_set_restart(struct options *o, const char *text)
{
	struct restart_policy p;

	if (restart_parse(text, &p) < 0)
		return fail(EINVAL,
			"cannot use --restart %s: choose no, on-failure, on-failure:N, "
			"on-unhealthy or "
			"always",
			text);
	option_set_string(&o->restart, text);
	return 0;
}

int option_set_health(struct options *o, const char *text)
{
	struct health_check c;

	if (health_parse(text, &c) < 0)
		return fail(EINVAL,
			"cannot use --health %s: it is not tcp:PORT or http:PORT/PATH, for example "
			"http:80/",
			text);
	health_check_free(&c);
	option_set_string(&o->health, text);
	return 0;
}

int option_set_notify(struct options *o, const char *text)
{
	if (!string_starts(text, "http://") && !string_starts(text, "https://"))
		return fail(EINVAL, "cannot use --notify %s: it is no http:// or https:// address",
			text);
	option_set_string(&o->notify, text);
	return 0;
}

int option_set_syslog(struct options *o, const char *text)
{
	struct syslog_target t;

	if (syslog_parse(text, &t) < 0)
		return fail(EINVAL,
			"cannot use --log-syslog %s: it is not udp://HOST[:PORT] or "
			"tcp://HOST[:PORT]",
			text);
	syslog_target_free(&t);
	option_set_string(&o->syslog, text);
	return 0;
}

int option_set_filter(struct options *o, const char *text)
{
	static const char *const keys[] = {"name=", "label=", "status=", "health="};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (string_starts(text, keys[i])) {
			list_add(&o->filters, text);
			return 0;
		}
	return fail(
		EINVAL, "cannot filter by %s: name=, label=, status= and health= are known", text);
}

int option_add_stamp(struct options *o, const char *text)
{
	(void)text;
	if (o->trace_view.stamps < STAMPS_EPOCH)
		o->trace_view.stamps++;
	return 0;
}

int option_relative_stamp(struct options *o, const char *text)
{
	(void)text;
	o->trace_view.stamps = STAMPS_RELATIVE;
	return 0;
}
