/* When an instance that ended is started again, and how long that waits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/ending.h"

struct restart_policy {
	enum { RESTART_NO, RESTART_ON_FAILURE, RESTART_ON_UNHEALTHY, RESTART_ALWAYS } when;
	unsigned most; /* on-failure:N; 0 = no limit */
};

/* NULL = no.  -EINVAL, silently. */
int restart_parse(const char *text, struct restart_policy *) must_check;

/* n_restarts: how often it was restarted before. */
bool restart_wanted(const struct restart_policy *, const struct ending *, unsigned n_restarts);

/* 100 ms, doubled with each failure in a row, at most a minute. */
int64_t restart_delay_ms(unsigned failures_in_a_row);

/* A machine that ran this long was no failure in a row. */
#define RESTART_GOOD_RUN_NS 10000000000LL
