/* mote manual: manual pages (man(7)) made of the tables that --help is made of. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

/* A dot or an apostrophe at a line's start, a backslash and a hyphen anywhere mean something. */
static void print_text(const char *text)
{
	bool at_start = true;

	for (; *text; text++) {
		if (at_start && (*text == '.' || *text == '\''))
			fputs("\\&", stdout);
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
		at_start = *text == '\n';
	}
}

static void print_title(const char *name)
{
	fputs(".TH \"", stdout);
	for (; *name; name++)
		putchar(toupper((unsigned char)*name));
	puts("\" 1 \"\" \"mote " MOTE_VERSION "\" \"mote\"");
}

static void print_option(void *context, const struct option_view *v)
{
	(void)context;
	fputs(".TP\n", stdout);
	if (v->letter)
		printf("\\fB\\-%c\\fR, ", v->letter);
	fputs("\\fB\\-\\-", stdout);
	print_text(v->name);
	fputs("\\fR", stdout);
	if (v->argument) {
		fputs(v->argument_is_optional ? "[=\\fI" : " \\fI", stdout);
		print_text(v->argument + v->argument_is_optional);
		fputs("\\fR", stdout);
	}
	putchar('\n');
	print_text(v->help);
	putchar('\n');
}

/* Paragraphs are separated by an empty line. */
static void print_paragraphs(const char *text)
{
	const char *end;

	for (; (end = strstr(text, "\n\n")); text = end + 2) {
		char part[4096];

		snprintf(part, sizeof(part), "%.*s", (int)(end - text), text);
		print_text(part);
		fputs("\n.PP\n", stdout);
	}
	print_text(text);
	putchar('\n');
}

static void print_page(const struct command *c)
{
	char title[40];

	snprintf(title, sizeof(title), "mote-%s", c->name);
	print_title(title);
	printf(".SH NAME\nmote\\-%s \\- ", c->name);
	print_text(c->summary);
	puts("\n.SH SYNOPSIS");
	for (const char *line = c->synopsis; line;) {
		char one[256];
		int len = (int)strcspn(line, "\n");

		snprintf(one, sizeof(one), "%.*s", len, line);
		printf(".B mote %s\n", c->name);
		print_text(one);
		line = line[len] ? line + len + 1 : NULL;
		puts(line ? "\n.br" : "");
	}
	puts(".SH DESCRIPTION");
	print_paragraphs(c->about);
	puts(".SH OPTIONS");
	options_visit(c, print_option, NULL);
	puts(".SH EXIT STATUS\n125 when mote itself fails, with one line on stderr.\n"
	     ".SH SEE ALSO\n.BR mote (1)");
}

static void print_overview(void)
{
	print_title("mote");
	puts(".SH NAME\nmote \\- one program, one machine\n.SH SYNOPSIS\n.B mote\nCOMMAND "
	     "[OPTIONS] "
	     "...\n.SH DESCRIPTION\nRuns an unmodified Linux program as a virtual machine of its "
	     "own, with a kernel of its own.\n.SH COMMANDS");
	for (size_t i = 0; i < n_commands; i++) {
		printf(".TP\n.BR mote\\-%s (1)\n", commands[i].name);
		print_text(commands[i].summary);
		putchar('\n');
	}
	puts(".SH EXIT STATUS\nThe program\\(aqs own; 125 mote failed, 126 the program cannot be "
	     "run, 127 it was not found, 128+N signal N ended it.\n"
	     ".SH FILES\n.TP\n$XDG_DATA_HOME/mote/instances\nInstances: their state and logs.\n"
	     ".TP\n$XDG_DATA_HOME/mote/networks\nPrivate networks.\n"
	     ".TP\n$XDG_CACHE_HOME/mote\nImages, and what was measured about this host.");
}

int command_manual(const struct options *o)
{
	const struct command *c = o->arguments.n ? command_find(o->arguments.items[0]) : NULL;

	if (o->arguments.n && !c) {
		fail(EINVAL, "unknown command %s: see mote --help", o->arguments.items[0]);
		return EXIT_MOTE_FAILED;
	}
	if (c)
		print_page(c);
	else
		print_overview();
	return 0;
}
