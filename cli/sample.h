/* What is measured of an instance: by this host, and by its machine. */
#pragma once

#include "cli/host_process.h"
#include "cli/instance_view.h"

struct sample {
	int64_t at_ns; /* clock_now_ns() */
	struct host_usage engine, supervisor;
	bool has_machine;                                 /* the rest is known */
	uint64_t memory_total, memory_used, memory_cache; /* bytes */
	uint64_t n_threads;
	uint64_t net_rx, net_tx, disk_read, disk_written; /* bytes, since it started */
	uint64_t context_switches;
};

/* Asks the machine, too, and waits for it at most wait_ms. -ESRCH, silently: it does not run. */
int sample_take(const struct instance_view *, int wait_ms, struct sample *) must_check;
