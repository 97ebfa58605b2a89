/* One line in the cache folder: the boot's identity and what was measured in it. */
#include "cli/host_facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/folders.h"
#include "cli/kvm_speed.h"
#include "cli/text.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define CLOCK_SOURCE_PATH "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define MEASURE_NS 10000000LL

static int read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	char *got = file ? fgets(line, size, file) : NULL;

	if (file)
		fclose(file);
	if (!got)
		return -ENOENT;
	line[strcspn(line, "\n")] = 0;
	return 0;
}

static uint64_t read_counter(int64_t *at_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	*at_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
	return __builtin_ia32_rdtsc();
}

/* Against the raw clock over some milliseconds; only where Linux itself trusts the counter. */
static uint32_t measure_counter(void)
{
	struct timespec pause = {0, MEASURE_NS};
	char source[32] = "";
	int64_t start_ns, end_ns;

	if (read_line(CLOCK_SOURCE_PATH, source, sizeof(source)) < 0 || strcmp(source, "tsc") != 0)
		return 0;
	uint64_t start = read_counter(&start_ns);

	nanosleep(&pause, NULL);
	uint64_t end = read_counter(&end_ns);

	return (uint32_t)((end - start) * 1000000ULL / (uint64_t)(end_ns - start_ns));
}
static void measure(struct host_facts *f)
{
	struct kvm_speed speed;
	int err = kvm_speed_measure(&speed);

	f->kvm_error = -err;
	f->kvm_speed = speed.instructions_per_second;
	f->tsc_khz = measure_counter();
}

static int load(const char *path, const char *boot_id, struct host_facts *f)
{
	char line[256] = "", id[64] = "";

	if (read_line(path, line, sizeof(line)) < 0)
		return -ENOENT;
	if (sscanf(line, "%63s %d %" SCNu64 " %" SCNu32, id, &f->kvm_error, &f->kvm_speed,
		    &f->tsc_khz) != 4 ||
		strcmp(id, boot_id) != 0)
		return -ENOENT;
	return 0;
}

static void save(const char *path, const char *boot_id, const struct host_facts *f)
{
	char *temporary = string_format("%s.%d", path, getpid());
	FILE *file = fopen(temporary, "we");

	if (file) {
		fprintf(file, "%s %d %" PRIu64 " %" PRIu32 "\n", boot_id, f->kvm_error,
			f->kvm_speed, f->tsc_khz);
		fclose(file);
		if (rename(temporary, path) < 0)
			unlink(temporary);
	}
	free(temporary);
}

void host_facts_get(struct host_facts *f)
{
	char boot_id[64] = "?";
	char *folder = folder_cache("host");
	char *path = folder ? path_join(folder, "facts") : NULL;
	bool known = read_line(BOOT_ID_PATH, boot_id, sizeof(boot_id)) == 0;

	*f = (struct host_facts){0};
	if (!path || !known || load(path, boot_id, f) < 0) {
		measure(f);
		if (path && known)
			save(path, boot_id, f);
	}
	free(path);
	free(folder);
}
