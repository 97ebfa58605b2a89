/* The lines mote prints about itself.  A line is one write, so that lines of two motes do not mix. */
#include "cli/report.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/progress.h"

#define LINE_MAX_BYTES 4096

static bool verbose;
static void (*sink)(void *context, const char *line, size_t len);
static void *sink_context;

/* Names of files may hold anything; a line stays one line. */
static void make_printable(char *text)
{
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
}

static void print_line(const char *prefix, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	int n = snprintf(line, sizeof(line), "mote: %s", prefix);
	int room = (int)sizeof(line) - n - 1;
	int m = vsnprintf(line + n, (size_t)room, format, args);

	make_printable(line);
	size_t len = strlen(line);

	if (m >= room)
		memcpy(line + len - 3, "...", 3);
	line[len] = '\n';
	if (sink)
		sink(sink_context, line, len + 1);
	progress_clear();
	if (write(STDERR_FILENO, line, len + 1) < 0)
		return;
}

int fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("", format, args);
	va_end(args);
	return -err;
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("warning: ", format, args);
	va_end(args);
}

void note(const char *format, ...)
{
	if (!verbose)
		return;
	va_list args;

	va_start(args, format);
	print_line("", format, args);
	va_end(args);
}

void report_verbose(void)
{
	verbose = true;
}

bool report_is_verbose(void)
{
	return verbose;
}

void report_also_to(void (*to)(void *context, const char *line, size_t len), void *context)
{
	sink = to;
	sink_context = context;
}
