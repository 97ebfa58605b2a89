/* mote completion: a script for each shell, made of the tables that --help is made of. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

/* What asks for instances: ps knows. */
#define NAMES "mote ps -q -a 2>/dev/null"
#define RUNNING "mote ps -q 2>/dev/null"

static bool has_instances(const struct command *c)
{
	return c->words == WORDS_INSTANCES || c->words == WORDS_RUNNING;
}

static void print_names(const char *separator)
{
	for (size_t i = 0; i < n_commands; i++)
		printf("%s%s", i ? separator : "", commands[i].name);
}

/* ---- bash ---- */

static void bash_option(void *context, const struct option_view *v)
{
	(void)context;
	if (v->letter)
		printf(" -%c", v->letter);
	printf(" --%s", v->name);
}

/* The options that take a value from a list, or a file: "-o|--output". */
static void bash_value(void *context, const struct option_view *v)
{
	(void)context;
	if (v->argument && !v->argument_is_optional) {
		if (v->letter)
			printf("-%c|", v->letter);
		printf("--%s|", v->name);
	}
}

static void bash_command(const struct command *c)
{
	printf("\t%s)\n\t\toptions='", c->name);
	options_visit(c, bash_option, NULL);
	printf("'\n\t\tcase $previous in ");
	options_visit(c, bash_value, NULL);
	printf("--) COMPREPLY=($(compgen -f -- \"$word\")); return ;; esac\n");
	if (has_instances(c))
		printf("\t\twords=$(%s) ;;\n", c->words == WORDS_RUNNING ? RUNNING : NAMES);
	else if (c->words == WORDS_CHOICE)
		printf("\t\twords='%s' files=-f ;;\n", c->choice);
	else
		printf("\t\tfiles='%s' ;;\n", c->words == WORDS_FILES ? "-f -c" : "");
}

static void print_bash(void)
{
	printf("# bash completion of mote: mote completion bash > "
	       "~/.local/share/bash-completion/completions/mote\n"
	       "_mote() {\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tlocal options= words= files=\n"
	       "\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W '");
	print_names(" ");
	printf("' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < n_commands; i++)
		bash_command(&commands[i]);
	printf("\tesac\n"
	       "\tcase $word in\n"
	       "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
	       "\t*) COMPREPLY=($(compgen -W \"$words\" $files -- \"$word\")) ;;\n"
	       "\tesac\n}\n"
	       "complete -o filenames -F _mote mote\n");
}

/* ---- zsh ---- */

/* Inside '...' and [...]. */
static void print_zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void zsh_spec(const struct option_view *v, const char *before, const char *after)
{
	printf(" \\\n\t\t\t'*%s%s[", before, after);
	print_zsh_text(v->help);
	putchar(']');
	if (v->argument) {
		fputs(v->argument_is_optional ? "::" : ":", stdout);
		print_zsh_text(v->argument);
		fputs(":_files", stdout);
	}
	putchar('\'');
}

static void zsh_option(void *context, const struct option_view *v)
{
	char letter[3] = {'-', v->letter, 0}, name[64];

	(void)context;
	snprintf(name, sizeof(name), "--%s%s", v->name,
		!v->argument              ? ""
		: v->argument_is_optional ? "=-"
					  : "=");
	if (v->letter)
		zsh_spec(v, letter, v->argument ? "+" : "");
	zsh_spec(v, name, "");
}

static void zsh_command(const struct command *c)
{
	printf("\t%s)\n\t\t_arguments -s%s", c->name,
		c->options & (FOR_RUN | FOR_BUILD) ? " -A '-*'" : "");
	options_visit(c, zsh_option, NULL);
	if (has_instances(c))
		printf(" \\\n\t\t\t'*:instance:(${(f)\"$(%s)\"})'",
			c->words == WORDS_RUNNING ? RUNNING : NAMES);
	else if (c->words == WORDS_CHOICE)
		printf(" \\\n\t\t\t'1:what:(%s)' '*:file:_files'", c->choice);
	else if (c->words == WORDS_FILES)
		printf(" \\\n\t\t\t'1:program:{ _files; _command_names -e }' '*:file:_files'");
	printf(" ;;\n");
}

static void print_zsh(void)
{
	printf("#compdef mote\n"
	       "# zsh completion of mote: mote completion zsh > a folder of $fpath/_mote\n"
	       "_mote() {\n"
	       "\tif (( CURRENT == 2 )); then\n"
	       "\t\tlocal -a names=(");
	for (size_t i = 0; i < n_commands; i++) {
		printf("\n\t\t\t'%s:", commands[i].name);
		print_zsh_text(commands[i].summary);
		putchar('\'');
	}
	printf(")\n\t\t_describe command names\n\t\treturn\n\tfi\n"
	       "\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n"
	       "\tcase $command in\n");
	for (size_t i = 0; i < n_commands; i++)
		zsh_command(&commands[i]);
	printf("\tesac\n}\n_mote \"$@\"\n");
}

/* ---- fish ---- */

static void print_fish_text(const char *text)
{
	putchar('\'');
	for (; *text; text++)
		printf("%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
	putchar('\'');
}

static void fish_option(void *context, const struct option_view *v)
{
	const struct command *c = context;

	printf("complete -c mote -n '__fish_seen_subcommand_from %s' -l %s", c->name, v->name);
	if (v->letter)
		printf(" -s %c", v->letter);
	if (v->argument && !v->argument_is_optional)
		printf(" -r");
	printf(" -d ");
	print_fish_text(v->help);
	putchar('\n');
}

static void fish_command(const struct command *c)
{
	printf("complete -c mote -n '__fish_is_first_token' -f -a %s -d ", c->name);
	print_fish_text(c->summary);
	putchar('\n');
	options_visit(c, fish_option, (void *)c);
	if (has_instances(c))
		printf("complete -c mote -n '__fish_seen_subcommand_from %s' -f -a '(%s)'\n",
			c->name, c->words == WORDS_RUNNING ? RUNNING : NAMES);
	else if (c->words == WORDS_CHOICE)
		printf("complete -c mote -n '__fish_seen_subcommand_from %s' -a '%s'\n", c->name,
			c->choice);
	else if (c->words == WORDS_NONE)
		printf("complete -c mote -n '__fish_seen_subcommand_from %s' -f\n", c->name);
}

static void print_fish(void)
{
	printf("# fish completion of mote: mote completion fish > "
	       "~/.config/fish/completions/mote.fish\n");
	for (size_t i = 0; i < n_commands; i++)
		fish_command(&commands[i]);
}

int command_completion(const struct options *o)
{
	const char *shell = o->arguments.items[0];

	if (strcmp(shell, "bash") == 0)
		print_bash();
	else if (strcmp(shell, "zsh") == 0)
		print_zsh();
	else if (strcmp(shell, "fish") == 0)
		print_fish();
	else {
		fail(EINVAL, "unknown shell %s: choose bash, zsh or fish", shell);
		return EXIT_MOTE_FAILED;
	}
	return 0;
}
