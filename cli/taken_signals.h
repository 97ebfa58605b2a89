/* The signals that a supervisor takes as requests: SIGINT, SIGTERM, SIGHUP, SIGQUIT. */
#pragma once

#include "cli/report.h"

/* Blocks them; before anything that must not be interrupted.  Says why it can not. */
int signals_take(void) must_check;

/* A descriptor that is readable when one came (signalfd(2)), non-blocking. */
int signals_open(void) must_check;
