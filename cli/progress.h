/*
 * A progress bar on stderr for work that takes more than a second, only when stderr is a terminal.
 */
#pragma once

#include <stdint.h>

void progress_start(const char *what, uint64_t total);
void progress_advance(uint64_t amount);
void progress_end(void);

/* Takes the bar off the terminal's line, so that something else can be printed there. */
void progress_clear(void);
