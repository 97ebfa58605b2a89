/* Time: for waiting, and for people. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/report.h"

#define NS_PER_S 1000000000LL
#define NS_PER_MS 1000000LL

int64_t clock_now_ns(void);  /* never jumps */
int64_t clock_wall_ns(void); /* since 1970, UTC */

/* "2026-01-31T12:00:00.123456789Z" */
#define TIME_TEXT_MAX 40
void time_text(int64_t wall_ns, char out[TIME_TEXT_MAX]);

/* That, or with fewer digits, or with "+01:00" for 'Z', or without a zone (local time).  -EINVAL,
 * silently. */
int time_parse(const char *text, int64_t *wall_ns) must_check;

/* "3 seconds", "5 minutes", "2 days" */
void duration_text(int64_t ns, char *out, unsigned size);
