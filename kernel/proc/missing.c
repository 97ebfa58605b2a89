/* mote.missing-files: paths that open(2), stat(2) and their kin did not find, each once, listed at the end. */
#include "kernel/proc/missing.h"

#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/process.h"

#define PATHS_MAX 4096u

static struct {
	struct spinlock lock;
	bool enabled;
	/* under lock: */
	char **paths;
	unsigned n, size;
} missing;

static bool known(const char *path)
{
	for (unsigned i = 0; i < missing.n; i++)
		if (strcmp(missing.paths[i], path) == 0)
			return true;
	return false;
}

static void note(const char *path)
{
	/* Before the program there is only the kernel, which looks for its own files. */
	char *copy = process.n_tasks > 0 ? heap_string(path) : NULL;
	if (!copy)
		return;
	irq_state state = spin_lock(&missing.lock);
	if (missing.n == missing.size && missing.n < PATHS_MAX) {
		unsigned size = missing.size ? missing.size * 2 : 64;
		char **paths = heap_resize(missing.paths, size * sizeof(char *));
		if (paths) {
			missing.paths = paths;
			missing.size = size;
		}
	}
	if (missing.n < missing.size && !known(copy)) {
		missing.paths[missing.n++] = copy;
		copy = NULL;
	}
	spin_unlock(&missing.lock, state);
	heap_free(copy);
}

void process_list_missing_files(void)
{
	missing.enabled = true;
	vfs_set_missing_hook(note);
}

void missing_files_list(void)
{
	if (!missing.enabled)
		return;
	char line[PATH_MAX / 4];
	int n = format(line, sizeof(line), "mote: %u paths were looked for and not found%s\n",
		missing.n, missing.n ? ":" : "");
	log_text(line, (size_t)n);
	for (unsigned i = 0; i < missing.n; i++) {
		n = format(line, sizeof(line), "mote:   %s\n", missing.paths[i]);
		log_text(line, min((size_t)n, sizeof(line) - 1));
	}
}
