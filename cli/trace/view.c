/* Lines as strace writes them, and its table of sums. */
#include "cli/trace/view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/memory.h"
#include "cli/trace/calls.h"
#include "cli/trace/record.h"
#include "cli/trace/show.h"
#include "cli/trace/values.h"

#define RESULT_COLUMN 40 /* as strace aligns them */
#define NUMBERS 512u

struct sum {
	uint64_t calls, errors, ns;
};

struct trace_view {
	const struct trace_options *options;
	FILE *out;
	struct sum sums[NUMBERS];
	uint64_t last_ns; /* of STAMPS_RELATIVE */
	bool many;        /* there was more than one thread */
	uint32_t tid;     /* of the first record */
};

void trace_options_free(struct trace_options *o)
{
	free(o->output);
	free(o->profile);
	list_free(&o->expressions);
}

int trace_view_open(const struct trace_options *o, struct trace_view **out)
{
	FILE *f = o->output ? fopen(o->output, "we") : stderr;

	if (!f)
		return fail(errno, "cannot write the trace to %s: %s", o->output, strerror(errno));
	*out = memory_new(1, sizeof(**out));
	(*out)->options = o;
	(*out)->out = f;
	if (o->data_size)
		trace_set_data_shown(o->data_size);
	return 0;
}

/* ---- One call ---- */

static size_t word_len(const char *s)
{
	return strcspn(s, " ,=");
}

static const char *skip_argument(const char *s)
{
	s += strcspn(s, ",=");
	s += *s == ',';
	return s + strspn(s, " ");
}

/* Where "= KIND" stands. */
static const char *add_arguments(struct text *t, const char *signature, const struct trace_call *c)
{
	const struct trace_record *r = c->record;
	bool ends = r->flags & TRACE_ENDS;
	unsigned i = 0;

	for (const char *s = signature; *s && *s != '='; s = skip_argument(s), i++) {
		struct trace_value v = {.text = t, .args = r->args, .index = i};
		bool after = string_starts(s, "out_");

		v.result = after && !ends ? (long)r->result : 0;
		if (trace_omits(s, word_len(s), &v))
			continue;
		if (i > 0)
			text_add(t, ", ");
		trace_record_use(c, !after);
		trace_show(s, word_len(s), &v);
	}
	trace_record_use(c, false);
	return strchr(signature, '=') ? strchr(signature, '=') + 2 : "";
}

static void add_result(struct text *t, const char *kind, const struct trace_record *r)
{
	long result = (long)r->result;

	if (r->flags & TRACE_ENDS)
		text_add(t, "?");
	else if (r->flags & TRACE_RESTART)
		text_add(t, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
	else if (r->flags & TRACE_RESTART_NOHANDLER)
		text_add(t, "? ERESTARTNOHAND (To be restarted if no handler)");
	else if (result < 0 && result >= -4095)
		text_format(t, "-1 %s (%s)", trace_error_name((int)-result),
			trace_error_text((int)-result));
	else if (string_starts(kind, "address"))
		text_format(t, "%#lx", (unsigned long)result);
	else if (string_starts(kind, "mode"))
		text_format(t, "%#lo", (unsigned long)result);
	else
		text_format(t, "%ld", result);
	if (!(r->flags & TRACE_ENDS))
		trace_show_ready(kind, t, r->args, result);
	if (r->flags & TRACE_REFUSED)
		text_add(t, " (not allowed)");
}

static void add_stamp(struct trace_view *v, struct text *t, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	unsigned us = (unsigned)(ns % 1000000000 / 1000);
	uint64_t since = v->last_ns && ns > v->last_ns ? (ns - v->last_ns) / 1000 : 0;
	struct tm here;
	char clock[16];

	localtime_r(&seconds, &here);
	strftime(clock, sizeof(clock), "%H:%M:%S", &here);
	v->last_ns = ns;
	switch (v->options->stamps) {
	case STAMPS_NONE:
		break;
	case STAMPS_SECONDS:
		text_format(t, "%s ", clock);
		break;
	case STAMPS_MICROSECONDS:
		text_format(t, "%s.%06u ", clock, us);
		break;
	case STAMPS_EPOCH:
		text_format(t, "%" PRIu64 ".%06u ", ns / 1000000000, us);
		break;
	case STAMPS_RELATIVE:
		text_format(t, "%6" PRIu64 ".%06u ", since / 1000000, (unsigned)(since % 1000000));
		break;
	}
}

static void print_call(struct trace_view *v, const struct trace_call *c)
{
	static const char unknown[] = "hex a, hex b, hex c, hex d, hex e, hex f";
	const struct trace_record *r = c->record;
	const struct trace_syscall *call = trace_syscall_find(r->number);
	struct text t = {0};

	if (v->many)
		text_format(&t, "[pid %5u] ", r->tid);
	add_stamp(v, &t, r->start_ns);
	size_t start = t.len;

	if (call)
		text_format(&t, "%s(", call->name);
	else
		text_format(&t, "syscall_%u(", r->number);
	const char *kind = add_arguments(&t, call ? call->signature : unknown, c);

	text_add(&t, ")");
	size_t width = t.len - start;

	text_format(&t, "%*s= ", width < RESULT_COLUMN ? (int)(RESULT_COLUMN - width) : 1, "");
	add_result(&t, kind, r);
	if (v->options->durations && !(r->flags & TRACE_ENDS))
		text_format(&t, " <%" PRIu64 ".%06u>", r->duration_ns / 1000000000,
			(unsigned)(r->duration_ns % 1000000000 / 1000));
	text_add(&t, "\n");
	fwrite(t.data, 1, t.len, v->out);
	text_free(&t);
}

static bool is_wanted(const struct trace_options *o, const struct trace_record *r)
{
	bool failed = r->result < 0 && r->result >= -4095;

	if (o->summary && !o->summary_too)
		return false;
	return !(o->only_failed && !failed) && !(o->only_successful && failed);
}

static void take_call(struct trace_view *v, const void *content, size_t len)
{
	struct trace_call c;

	if (!trace_record_open(content, len, &c))
		return;
	struct sum *s = &v->sums[c.record->number % NUMBERS];

	s->calls++;
	s->errors += c.record->result < 0 && c.record->result >= -4095;
	s->ns += c.record->duration_ns;
	if (!v->tid)
		v->tid = c.record->tid;
	v->many |= c.record->tid != v->tid;
	if (is_wanted(v->options, c.record))
		print_call(v, &c);
}

/* ---- Which calls were made ---- */

static void write_profile(const struct trace_view *v, const uint64_t *counts, size_t n)
{
	const char *path = v->options->profile;
	FILE *f = fopen(path, "we");

	if (!f) {
		fail(errno, "cannot write the profile %s: %s", path, strerror(errno));
		return;
	}
	fputs("# system calls a program made, for mote run --allow\n", f);
	for (size_t i = 0; i < trace_n_syscalls; i++) {
		int number = trace_syscalls[i].number;

		if (number >= 0 && (size_t)number < n && counts[number])
			fprintf(f, "%s\n", trace_syscalls[i].name);
	}
	if (fclose(f) != 0)
		fail(errno, "cannot write the profile %s: %s", path, strerror(errno));
}

void trace_view_frame(struct trace_view *v, unsigned kind, const void *content, size_t len)
{
	if (kind == CHANNEL_TRACE)
		take_call(v, content, len);
	else if (kind == CHANNEL_CALLS && v->options->profile)
		write_profile(v, content, len / sizeof(uint64_t));
}

/* ---- Sums ---- */

static const struct sum *sorted_sums;

static int by_time(const void *a, const void *b)
{
	const struct sum *x = &sorted_sums[*(const unsigned *)a],
			 *y = &sorted_sums[*(const unsigned *)b];

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return x->calls < y->calls ? 1 : x->calls > y->calls ? -1 : 0;
}

static void print_sums(const struct trace_view *v)
{
	unsigned order[NUMBERS], n = 0;
	struct sum all = {0};

	for (unsigned i = 0; i < NUMBERS; i++)
		if (v->sums[i].calls) {
			order[n++] = i;
			all.calls += v->sums[i].calls;
			all.errors += v->sums[i].errors;
			all.ns += v->sums[i].ns;
		}
	sorted_sums = v->sums;
	qsort(order, n, sizeof(order[0]), by_time);
	fputs("% time     seconds  usecs/call     calls    errors syscall\n"
	      "------ ----------- ----------- --------- --------- ----------------\n",
		v->out);
	for (unsigned i = 0; i < n; i++) {
		const struct sum *s = &v->sums[order[i]];
		const struct trace_syscall *call = trace_syscall_find(order[i]);
		char errors[24] = "";

		if (s->errors)
			snprintf(errors, sizeof(errors), "%" PRIu64, s->errors);
		fprintf(v->out, "%6.2f %11.6f %11" PRIu64 " %9" PRIu64 " %9s %s\n",
			all.ns ? 100.0 * (double)s->ns / (double)all.ns : 0.0, (double)s->ns / 1e9,
			s->ns / 1000 / s->calls, s->calls, errors, call ? call->name : "?");
	}
	fprintf(v->out,
		"------ ----------- ----------- --------- --------- ----------------\n"
		"100.00 %11.6f %11" PRIu64 " %9" PRIu64 " %9" PRIu64 " total\n",
		(double)all.ns / 1e9, all.calls ? all.ns / 1000 / all.calls : 0, all.calls,
		all.errors);
}

static bool prints_lines(const struct trace_view *v)
{
	const struct trace_options *o = v->options;

	return v->tid != 0 && (!o->summary || o->summary_too);
}

void trace_view_exited(struct trace_view *v, int status)
{
	if (prints_lines(v))
		fprintf(v->out, "+++ exited with %d +++\n", status);
}

void trace_view_killed(struct trace_view *v, int signal)
{
	if (prints_lines(v))
		fprintf(v->out, "+++ killed by %s +++\n", trace_signal_name(signal));
}

void trace_view_close(struct trace_view *v)
{
	if (v->options->summary || v->options->summary_too)
		print_sums(v);
	if (v->out != stderr && fclose(v->out) != 0)
		fail(errno, "cannot write the trace to %s: %s", v->options->output,
			strerror(errno));
	free(v);
}
