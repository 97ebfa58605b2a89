/* Where mote keeps things on this host, and where its own parts are. */
#pragma once

#include "cli/report.h"

/* $XDG_CACHE_HOME/mote/SUB, made if needed; a new string, NULL (silently) when it cannot be. */
char *folder_cache(const char *sub);

/* $XDG_DATA_HOME/mote/SUB, likewise: what must not be lost. */
char *folder_data(const char *sub);

/* The kernel's file: $MOTE_KERNEL, beside this executable, or in ../lib/mote.  A new string; NULL
 * when there is none. */
char *kernel_find(void);

/* An executable in $PATH, a new string or NULL. */
char *tool_find(const char *name);
