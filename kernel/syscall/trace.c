/*
 * The trace's lines: a call's name and arguments as its signature in table.def says, written when the call is over (what
 * comes back is only known then; what goes in is read before the program can change it).
 */
#include "kernel/syscall/trace.h"

#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/trace_values.h"

bool trace_enabled;

void syscall_trace_enable(void)
{
	trace_enabled = true;
}

#define LINE_SIZE 1536u

struct trace {
	const char *rest; /* of the signature: the arguments not yet shown */
	unsigned next;    /* their first number */
	struct text text;
	char line[LINE_SIZE];
};

/* The next word of a signature up to one of the characters in ends. */
static size_t word_len(const char *s)
{
	size_t n = 0;
	while (s[n] != '\0' && s[n] != ' ' && s[n] != ',' && s[n] != '=')
		n++;
	return n;
}

/* Behind the argument that starts here: at the next one, at "= KIND" or at the end. */
static const char *skip_argument(const char *s)
{
	while (*s != '\0' && *s != ',' && *s != '=')
		s++;
	if (*s == ',')
		s++;
	while (*s == ' ')
		s++;
	return s;
}

/* Show arguments; without a result only up to the first that the call fills in. */
static void show_arguments(struct trace *t, const struct syscall_args *args, const long *result)
{
	while (*t->rest != '\0' && *t->rest != '=') {
		struct trace_value v = {
			.text = &t->text,
			.args = args,
			.index = t->next,
			.result = result ? *result : 0,
		};
		bool out = string_starts_with(t->rest, "out_");
		if (out && !result)
			return;
		if (!trace_omits(t->rest, word_len(t->rest), &v)) {
			if (t->next > 0)
				text_add(&t->text, ", ");
			trace_show(t->rest, word_len(t->rest), &v);
		}
		t->next++;
		t->rest = skip_argument(t->rest);
	}
}

static void write_line(struct trace *t)
{
	if (t->text.cut)
		memcpy(t->line + t->text.len - 4, "...\n", 4);
	log_text(t->line, t->text.len);
	heap_free(t);
}

#define RESULT_COLUMN 40 /* as strace aligns them */

static void close_arguments(struct text *t)
{
	text_add(t, ")");
	int gap = (int)t->len < RESULT_COLUMN ? RESULT_COLUMN - (int)t->len : 1;
	text_add(t, "%*s= ", gap, "");
}

struct trace *trace_begin(
	const char *name, const char *signature, const struct syscall_args *args, bool ends)
{
	struct trace *t = heap_alloc(sizeof(*t));
	if (!t)
		return NULL;
	t->rest = signature;
	t->next = 0;
	text_init(&t->text, t->line, LINE_SIZE);
	if (process.n_tasks > 1)
		text_add(&t->text, "[pid %5d] ", task_current()->thread.tid);
	text_add(&t->text, "%s(", name);
	show_arguments(t, args, NULL);
	if (!ends)
		return t;
	close_arguments(&t->text);
	text_add(&t->text, "?\n");
	write_line(t);
	return NULL;
}

static void show_restart(struct text *text, int restart)
{
	if (restart == ERESTARTSYS)
		text_add(text, "? ERESTARTSYS (To be restarted if SA_RESTART is set)\n");
	else
		text_add(text, "? ERESTARTNOHAND (To be restarted if no handler)\n");
}

static void show_result(struct trace *t, const struct syscall_args *args, long result)
{
	if (result < 0 && result >= -4095) {
		text_add(&t->text, "-1 %s (%s)\n", trace_error_name((int)-result),
			trace_error_text((int)-result));
		return;
	}
	const char *kind = t->rest;
	while (*kind == '=' || *kind == ' ')
		kind++;
	if (string_starts_with(kind, "address"))
		text_add(&t->text, "%#lx", (unsigned long)result);
	else if (string_starts_with(kind, "mode"))
		text_add(&t->text, "%#lo", (unsigned long)result);
	else if (string_starts_with(kind, "signal"))
		text_add(&t->text, "%ld (%s)", result, signal_name((int)result));
	else
		text_add(&t->text, "%ld", result);
	trace_show_ready(kind, &t->text, args, result);
	text_add(&t->text, "\n");
}

void trace_end(struct trace *t, const struct syscall_args *args, long result, int restart)
{
	if (!t)
		return;
	show_arguments(t, args, &result);
	close_arguments(&t->text);
	if (result == -EINTR && restart)
		show_restart(&t->text, restart);
	else
		show_result(t, args, result);
	write_line(t);
}
