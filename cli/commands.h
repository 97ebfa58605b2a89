/*
 * The list of commands (commands.c): what each is called, what it takes, what it is for.  It makes
 * the dispatch, --help, the shells' completion and the manual pages.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"

#define MOTE_VERSION "0.1"

/* Which options belong to which commands (options.c). */
enum {
	FOR_RUN = 1 << 0,
	FOR_BUILD = 1 << 1,
	FOR_IMAGE = 1 << 2,
	FOR_DOCTOR = 1 << 3,
	FOR_PS = 1 << 4,
	FOR_LOGS = 1 << 5,
	FOR_STOP = 1 << 6,
	FOR_KILL = 1 << 7,
	FOR_RM = 1 << 8,
	FOR_START = 1 << 9,
	FOR_RESTART = 1 << 10,
	FOR_WAIT = 1 << 11,
	FOR_PAUSE = 1 << 12,
	FOR_UNPAUSE = 1 << 13,
	FOR_INSPECT = 1 << 14,
	FOR_RENAME = 1 << 15,
	FOR_PRUNE = 1 << 16,
	FOR_STATS = 1 << 17,
	FOR_TOP = 1 << 18,
	FOR_METRICS = 1 << 19,
	FOR_NETWORK = 1 << 20,
	FOR_COMPLETION = 1 << 21,
	FOR_MANUAL = 1 << 22,
	FOR_TRACE = 1 << 24,
	FOR_DEBUG = 1 << 25,
	FOR_CORE = 1 << 26,
	FOR_VOLUME = 1 << 27,
	FOR_PROFILE = 1 << 28,
	FOR_ALL = -1,
};

/* What the words of a command name: the shells complete them. */
enum words {
	WORDS_NONE,
	WORDS_FILES,
	WORDS_INSTANCES,
	WORDS_RUNNING, /* instances that run */
	WORDS_CHOICE,  /* one of the words in command.choice, then files */
};

struct command {
	const char *name;
	int (*run)(const struct options *); /* mote's exit status */
	unsigned options;                   /* FOR_* */
	enum words words;
	const char *choice;   /* of WORDS_CHOICE, separated by blanks */
	const char *synopsis; /* behind "mote NAME"; lines of alternatives */
	const char *summary;  /* one line */
	const char *about;    /* paragraphs */
	unsigned least, most; /* words it takes; checked before run() */
};

extern const struct command commands[];
extern const size_t n_commands;

/* NULL when there is none. */
const struct command *command_find(const char *name);

void command_print_help(const struct command *);

int command_run(const struct options *);
int command_build(const struct options *);
int command_image(const struct options *);
int command_doctor(const struct options *);
int command_trace(const struct options *);
int command_debug(const struct options *);
int command_profile(const struct options *);
int command_core(const struct options *);
int command_ps(const struct options *);
int command_logs(const struct options *);
int command_stop(const struct options *);
int command_kill(const struct options *);
int command_rm(const struct options *);
int command_start(const struct options *);
int command_restart(const struct options *);
int command_wait(const struct options *);
int command_pause(const struct options *);
int command_unpause(const struct options *);
int command_inspect(const struct options *);
int command_rename(const struct options *);
int command_prune(const struct options *);
int command_stats(const struct options *);
int command_top(const struct options *);
int command_metrics(const struct options *);
int command_network(const struct options *);
int command_volume(const struct options *);
int command_completion(const struct options *);
int command_manual(const struct options *);
