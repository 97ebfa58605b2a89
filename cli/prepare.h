/* From options to a request for an image and to a machine: what run and build share. */
#pragma once

#include "cli/options.h"
#include "cli/request.h"

/* The request for the image of o->program (or of the folder it names, for build).  Says what is
 * wrong. */
int prepare_request(const struct options *, struct request *) must_check;

/* The program's environment, working directory and arguments in a machine, from options, request
 * and launch.  *cwd is new, or NULL for "/". */
void prepare_start(const struct options *, const struct request *, const struct launch *,
	struct string_list *environment, struct string_list *arguments, char **cwd);

/* argv[0]: as it was typed, where that names the program in the machine too; a new string. */
char *prepare_argv0(const struct options *, const struct request *, const struct launch *);

/* mote's exit status for a failed gathering. */
int prepare_exit_status(int err);
