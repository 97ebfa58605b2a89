/* proc(5): stat. */
#include "cli/host_process.h"

#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/files.h"

/* What stands behind the command's name, which may hold anything; NULL. */
static char *read_stat(pid_t pid)
{
	char path[40], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = 0;
	const char *end = strrchr(text, ')');

	return end ? strdup(end + 1) : NULL;
}

uint64_t host_process_start(pid_t pid)
{
	uint64_t start = 0;
	char *text = read_stat(pid);

	/* fields 3 to 21 before it */
	if (text && sscanf(text,
			    " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			    "%*s %*s %" SCNu64,
			    &start) != 1)
		start = 0;
	free(text);
	return start;
}

int host_process_usage(pid_t pid, struct host_usage *u)
{
	uint64_t user = 0, system = 0, pages = 0;
	char *text = read_stat(pid);
	int n = text ? sscanf(text,
			       " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64
			       " %*s %*s %*s %*s %" SCNu64 " %*s %*s %*s %" SCNu64,
			       &user, &system, &u->n_threads, &pages)
		     : 0;

	free(text);
	if (n != 4)
		return -ESRCH;
	uint64_t tick_ns = (uint64_t)(NS_PER_S / sysconf(_SC_CLK_TCK));

	u->cpu_ns = (user + system) * tick_ns;
	u->rss = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}
