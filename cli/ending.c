/* The status record, and what mote itself knows. */
#include "cli/ending.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

static const char *const names[] = {
	[END_EXITED] = "exited",
	[END_SIGNAL] = "signal",
	[END_MEMORY] = "out-of-memory",
	[END_PANIC] = "kernel-panic",
	[END_FAILED] = "not-started",
	[END_KILLED] = "killed",
	[END_HOST] = "host-error",
};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

static struct ending failed(const char *text)
{
	char *end = NULL;
	long status = strtol(text, &end, 10);
	struct ending e = {.end = END_FAILED, .status = EXIT_MOTE_FAILED};

	while (*end == ' ')
		end++;
	if (status == EXIT_NOT_RUNNABLE || status == EXIT_NOT_FOUND)
		e.status = (int)status;
	snprintf(e.text, sizeof(e.text), "%s", *end ? end : "the kernel gave no reason");
	return e;
}

struct ending ending_of_record(const char *record)
{
	static const char exited[] = "exited ", killed[] = "killed ", not_started[] = "failed ";

	if (string_starts(record, exited)) {
		int number = (int)strtol(record + strlen(exited), NULL, 10) & 0xff;

		return (struct ending){.end = END_EXITED, .number = number, .status = number};
	}
	if (string_starts(record, killed)) {
		int number = (int)strtol(record + strlen(killed), NULL, 10) & 0x7f;

		return (struct ending){
			.end = END_SIGNAL, .number = number, .status = EXIT_KILLED + number};
	}
	if (string_starts(record, not_started))
		return failed(record + strlen(not_started));
	if (strcmp(record, "oom") == 0)
		return (struct ending){.end = END_MEMORY, .status = EXIT_KILLED + SIGKILL};
	if (strcmp(record, "panic") == 0)
		return (struct ending){.end = END_PANIC, .status = EXIT_MOTE_FAILED};
	return ending_of_host("the machine's status record makes no sense: %s", record);
}

struct ending ending_of_kill(int signal)
{
	return (struct ending){.end = END_KILLED, .number = signal, .status = EXIT_KILLED + signal};
}

struct ending ending_of_host(const char *format, ...)
{
	struct ending e = {.end = END_HOST, .status = EXIT_MOTE_FAILED};
	va_list args;

	va_start(args, format);
	vsnprintf(e.text, sizeof(e.text), format, args);
	va_end(args);
	return e;
}

void ending_report(const struct ending *e, const char *program)
{
	switch (e->end) {
	case END_MEMORY:
		fail(ENOMEM, "%s ran out of memory: give the machine more with -m", program);
		break;
	case END_PANIC:
		fail(EIO, "the kernel failed while it ran %s: its report is above", program);
		break;
	case END_FAILED:
	case END_HOST:
		fail(EIO, "cannot run %s: %s", program, e->text);
		break;
	default:
		break;
	}
}

void ending_text(const struct ending *e, char *out, size_t size)
{
	switch (e->end) {
	case END_EXITED:
		snprintf(out, size, "exited (%d)", e->number);
		break;
	case END_SIGNAL:
		snprintf(out, size, "ended by signal %d", e->number);
		break;
	case END_MEMORY:
		snprintf(out, size, "out of memory");
		break;
	case END_PANIC:
		snprintf(out, size, "kernel panic");
		break;
	case END_KILLED:
		snprintf(out, size, "killed (%d)", e->number);
		break;
	case END_FAILED:
	case END_HOST:
		snprintf(out, size, "%s: %s", e->end == END_FAILED ? "not started" : "host error",
			e->text);
	}
}

json_t *ending_json(const struct ending *e)
{
	json_t *o = json_object();

	json_object_set_new(o, "reason", json_string(names[e->end]));
	json_object_set_new(o, "status", json_integer(e->status));
	json_object_set_new(o, "number", json_integer(e->number));
	if (e->text[0]) /* bytes of the machine may be anything: then there is no text */
		json_object_set_new(o, "text", json_string(e->text));
	return o;
}

struct ending ending_from_json(const json_t *o)
{
	const char *reason = json_string_value(json_object_get(o, "reason"));
	const char *text = json_string_value(json_object_get(o, "text"));
	struct ending e = {.end = END_HOST, .status = EXIT_MOTE_FAILED};

	for (size_t i = 0; reason && i < N_NAMES; i++)
		if (strcmp(reason, names[i]) == 0)
			e.end = (enum end)i;
	if (json_is_integer(json_object_get(o, "status")))
		e.status = (int)json_integer_value(json_object_get(o, "status")) & 0xff;
	e.number = (int)json_integer_value(json_object_get(o, "number"));
	snprintf(e.text, sizeof(e.text), "%s", text ? text : reason ? "" : "it left no word");
	return e;
}
