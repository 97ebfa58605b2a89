/* What this host's /proc says about a process. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "cli/report.h"

/* When it started, in ticks since the host's boot: with the pid that names a process for ever.  0
 * when there is none. */
uint64_t host_process_start(pid_t);

struct host_usage {
	uint64_t cpu_ns; /* user and system */
	uint64_t rss;    /* bytes resident */
	uint64_t n_threads;
};

/* -ESRCH, silently, when it is not there. */
int host_process_usage(pid_t, struct host_usage *) must_check;
