/* Lines are cut, stamped, and written; what the disk refuses is tried again every second. */
#include "cli/log_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/memory.h"

#define LINE_MAX_BYTES 16384     /* longer ones go into several entries, as with Kubernetes */
#define PARTIAL_MS 300           /* a line without an end is written after this */
#define WAITING_MAX (256u << 10) /* what may wait for the disk */
#define AGAIN_MS 1000

const char *const stream_names[N_STREAMS] = {"stdout", "stderr", "mote"};

struct log {
	struct loop *loop;
	struct log_events events;
	int folder, fd;
	uint64_t max_bytes, size;
	unsigned n_files;
	struct text line[N_STREAMS]; /* begun, not ended */
	struct text waiting;         /* entries for the file */
	struct timer partial, again;
	int error;
	bool in_entry; /* the file ends in the middle of an entry */
};

/* ---- The file ---- */

static void open_file(struct log *l)
{
	struct stat st;

	l->fd = openat(l->folder, "console.log",
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	l->size = l->fd >= 0 && fstat(l->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void file_name(char *out, size_t size, unsigned n)
{
	if (n)
		snprintf(out, size, "console.log.%u", n);
	else
		snprintf(out, size, "console.log");
}

static void rotate(struct log *l)
{
	char from[32], to[32];

	close(l->fd);
	for (unsigned n = l->n_files - 1; n > 0; n--) {
		file_name(from, sizeof(from), n - 1);
		file_name(to, sizeof(to), n);
		renameat(l->folder, from, l->folder, to);
	}
	if (l->n_files == 1)
		unlinkat(l->folder, "console.log", 0);
	open_file(l);
}

/* The end of the first entry that waits. */
static size_t first_entry(const struct log *l)
{
	const char *end = memchr(l->waiting.data, '\n', l->waiting.len);

	return end ? (size_t)(end - l->waiting.data) + 1 : l->waiting.len;
}

/* How much goes into this file: whole entries, at least one. */
static size_t portion(const struct log *l)
{
	size_t room = l->max_bytes > l->size ? (size_t)(l->max_bytes - l->size) : 0;

	if (l->waiting.len <= room)
		return l->waiting.len;
	const char *end = room ? memrchr(l->waiting.data, '\n', room) : NULL;

	return end ? (size_t)(end - l->waiting.data) + 1 : first_entry(l);
}

static void write_waiting(struct log *l)
{
	l->error = 0;
	while (l->waiting.len) {
		size_t n = portion(l);

		if (!l->in_entry && l->size && l->size + n > l->max_bytes) {
			rotate(l);
			n = portion(l);
		}
		if (l->fd < 0)
			open_file(l);
		ssize_t done = l->fd < 0 ? -1 : write(l->fd, l->waiting.data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			l->error = done < 0 ? errno : EIO;
			timer_set_ms(&l->again, AGAIN_MS);
			return;
		}
		l->size += (size_t)done;
		l->in_entry = l->waiting.data[done - 1] != '\n';
		l->waiting.len -= (size_t)done;
		memmove(l->waiting.data, l->waiting.data + done, l->waiting.len + 1);
	}
}

/* ---- Lines ---- */

static void add_entry(struct log *l, enum stream stream, char tag)
{
	struct text *line = &l->line[stream];
	int64_t now = clock_wall_ns();
	char time[TIME_TEXT_MAX];

	time_text(now, time);
	text_format(&l->waiting, "%s %s %c ", time, stream_names[stream], tag);
	text_add_bytes(&l->waiting, line->data ? line->data : "", line->len);
	text_add(&l->waiting, "\n");
	if (l->events.line)
		l->events.line(
			l->events.context, stream, now, line->data ? line->data : "", line->len);
	line->len = 0;
}

void log_add(struct log *l, enum stream stream, const char *bytes, size_t len)
{
	struct text *line = &l->line[stream];

	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) : len;

		if (n > LINE_MAX_BYTES - line->len) {
			n = LINE_MAX_BYTES - line->len;
			end = NULL;
		}
		text_add_bytes(line, bytes, n);
		bytes += n + (end != NULL);
		len -= n + (end != NULL);
		if (end)
			add_entry(l, stream, 'F');
		else if (line->len == LINE_MAX_BYTES)
			add_entry(l, stream, 'P');
	}
	if (line->len && !l->partial.at_ns)
		timer_set_ms(&l->partial, PARTIAL_MS);
	if (!l->error)
		write_waiting(l);
}

static void end_lines(void *context)
{
	struct log *l = context;

	for (int i = 0; i < N_STREAMS; i++)
		if (l->line[i].len)
			add_entry(l, (enum stream)i, 'P');
	if (!l->error)
		write_waiting(l);
}

static void write_again(void *context)
{
	struct log *l = context;
	bool was_full = log_is_full(l);

	write_waiting(l);
	if (was_full && !log_is_full(l) && l->events.room)
		l->events.room(l->events.context);
}

bool log_is_full(const struct log *l)
{
	return l->waiting.len > WAITING_MAX;
}

int log_error(const struct log *l)
{
	return l->error;
}

/* A supervisor that was killed may have left half an entry: it becomes one of its own. */
static void mend(struct log *l)
{
	char last = '\n';
	int fd = openat(l->folder, "console.log", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && l->size && pread(fd, &last, 1, (off_t)l->size - 1) == 1 && last != '\n')
		text_add(&l->waiting, "\n");
	if (fd >= 0)
		close(fd);
}

struct log *log_open(struct loop *loop, int folder, uint64_t max_bytes, unsigned n_files,
	const struct log_events *events)
{
	struct log *l = memory_new(1, sizeof(*l));

	l->loop = loop;
	l->events = *events;
	l->folder = folder;
	l->max_bytes = max_bytes;
	l->n_files = n_files;
	l->partial = (struct timer){.fire = end_lines, .context = l};
	l->again = (struct timer){.fire = write_again, .context = l};
	loop_add_timer(loop, &l->partial);
	loop_add_timer(loop, &l->again);
	open_file(l);
	mend(l);
	return l;
}

void log_close(struct log *l)
{
	if (!l)
		return;
	end_lines(l);
	loop_remove_timer(l->loop, &l->partial);
	loop_remove_timer(l->loop, &l->again);
	if (l->fd >= 0)
		close(l->fd);
	for (int i = 0; i < N_STREAMS; i++)
		text_free(&l->line[i]);
	text_free(&l->waiting);
	free(l);
}
