/* The machine answers with Linux's files (proc(5)): meminfo, net/dev, diskstats, stat, PID/status. */
#include "cli/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/control.h"

#define SECTOR 512 /* diskstats counts in these, whatever the disk has */

/* The number behind "KEY" at the start of a line, 0 when it is not there. */
static uint64_t number_behind(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0)
			return strtoull(line + len, NULL, 10);
	}
	return 0;
}

static void read_memory(const char *text, struct sample *s)
{
	uint64_t free_kb = number_behind(text, "MemFree:");
	uint64_t cache_kb = number_behind(text, "Cached:") + number_behind(text, "Buffers:");

	s->memory_total = number_behind(text, "MemTotal:") << 10;
	s->memory_cache = cache_kb << 10;
	if ((free_kb + cache_kb) << 10 <= s->memory_total)
		s->memory_used = s->memory_total - ((free_kb + cache_kb) << 10);
}

/* "  eth0: RX_BYTES (7 more) TX_BYTES ..." */
static void read_net(const char *text, struct sample *s)
{
	uint64_t rx, tx;
	char name[32];

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, " %31[^: ]: %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			    name, &rx, &tx) != 3 ||
			strcmp(name, "lo") == 0)
			continue;
		s->net_rx += rx;
		s->net_tx += tx;
	}
}

/* "253 0 vda READS MERGED SECTORS MS WRITES MERGED SECTORS ..." */
static void read_disks(const char *text, struct sample *s)
{
	uint64_t in, out;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, " %*u %*u %*s %*u %*u %" SCNu64 " %*u %*u %*u %" SCNu64, &in,
			    &out) != 2)
			continue;
		s->disk_read += in * SECTOR;
		s->disk_written += out * SECTOR;
	}
}

static void read_machine(const struct instance_view *v, int wait_ms, struct sample *s)
{
	json_t *answer = control_ask(&v->instance,
		json_pack("{s:s, s:[s,s,s,s,s]}", "request", "files", "paths", "/proc/meminfo",
			"/proc/net/dev", "/proc/diskstats", "/proc/stat", "/proc/self/status"),
		wait_ms);
	const json_t *files = json_object_get(answer, "files");

	s->has_machine = json_object_size(files) > 0;
	read_memory(view_string(files, "/proc/meminfo"), s);
	read_net(view_string(files, "/proc/net/dev"), s);
	read_disks(view_string(files, "/proc/diskstats"), s);
	s->context_switches = number_behind(view_string(files, "/proc/stat"), "ctxt ");
	s->n_threads = number_behind(view_string(files, "/proc/self/status"), "Threads:");
	json_decref(answer);
}

int sample_take(const struct instance_view *v, int wait_ms, struct sample *s)
{
	*s = (struct sample){.at_ns = clock_now_ns()};
	pid_t engine = view_engine(v);

	if (!engine || host_process_usage(engine, &s->engine) < 0)
		return -ESRCH;
	if (host_process_usage(view_supervisor(v), &s->supervisor) < 0)
		return -ESRCH;
	if (strcmp(v->status, "running") == 0 &&
		!json_is_false(json_object_get(v->config, "detached")))
		read_machine(v, wait_ms, s);
	return 0;
}
