/* Instances in the background for the commands that look into a program (debug, profile). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cli/ending.h"
#include "cli/options.h"

/* A child that goes with us, standard input from in unless it is -1. */
pid_t background_spawn(char *const argv[], bool ignores_interrupts, int in);
/* mote logs -f of it; it ends when it has told all. */
pid_t background_logs(const char *name);

/* Starts o's program as instance PURPOSE-PID, standing before its first instruction until a debugger lets it go
 * (target.h).  mote's exit status; *name is the caller's in any case. */
int background_start(const struct options *, const char *purpose, char **name) must_check;
/* Ends it at once, if it is there. */
void background_stop(const char *name);
bool background_is_instance(const char *name);

/* A descriptor that is readable when the instance has ended, -1: there is none; and what it says, closing it. */
int background_ask_end(const char *name);
struct ending background_take_end(int fd);
