/* One file at a time: when it is at its end and has got a new name, the next newer one. */
#include "cli/log_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/memory.h"

#define FILES_MAX 100
#define CHUNK 65536

struct log_reader {
	int folder, fd; /* -1 = none yet */
	struct text buffer;
	size_t at; /* read up to here */
	int64_t last_ns;
};

static int open_file(int folder, unsigned n)
{
	char name[32];

	if (n)
		snprintf(name, sizeof(name), "console.log.%u", n);
	else
		snprintf(name, sizeof(name), "console.log");
	return openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

/* The oldest there is. */
static int open_oldest(int folder)
{
	int fd = -1;

	for (unsigned n = 0; n < FILES_MAX; n++) {
		int older = open_file(folder, n);

		if (older < 0)
			break;
		if (fd >= 0)
			close(fd);
		fd = older;
	}
	return fd;
}

/* The file after the one that is open; -1 when that is the newest.  One that has been dropped
 * meanwhile is followed by the oldest. */
static int open_next(const struct log_reader *r)
{
	int newer = -1;

	for (unsigned n = 0; n < FILES_MAX; n++) {
		int fd = open_file(r->folder, n);

		if (fd < 0)
			break;
		if (same_file(fd, r->fd)) {
			close(fd);
			return newer;
		}
		if (newer >= 0)
			close(newer);
		newer = fd;
	}
	return newer;
}

static bool read_more(struct log_reader *r)
{
	char *chunk = memory_new(CHUNK, 1);
	ssize_t n = r->fd >= 0 ? read(r->fd, chunk, CHUNK) : 0;

	if (n > 0)
		text_add_bytes(&r->buffer, chunk, (size_t)n);
	free(chunk);
	return n > 0;
}

/* False: there is no more now. */
static bool advance(struct log_reader *r)
{
	if (r->fd < 0) {
		r->fd = open_oldest(r->folder);
		return r->fd >= 0;
	}
	/* What was written to it before it was renamed is read first. */
	int next = open_next(r);

	if (next < 0)
		return false;
	if (read_more(r)) {
		close(next);
		return true;
	}
	close(r->fd);
	r->fd = next;
	return true;
}

/* "TIME STREAM F|P TEXT" */
static bool parse(const char *line, size_t len, struct log_entry *e)
{
	char time[TIME_TEXT_MAX] = "";
	const char *blank = memchr(line, ' ', len);

	if (!blank || (size_t)(blank - line) >= sizeof(time))
		return false;
	memcpy(time, line, (size_t)(blank - line));
	if (time_parse(time, &e->wall_ns) < 0)
		return false;
	const char *stream = blank + 1;

	for (int i = 0; i < N_STREAMS; i++) {
		size_t n = strlen(stream_names[i]);
		const char *tag = stream + n + 1;

		if ((size_t)(line + len - stream) < n + 3 ||
			memcmp(stream, stream_names[i], n) != 0 || stream[n] != ' ' ||
			(tag[0] != 'F' && tag[0] != 'P') || tag[1] != ' ')
			continue;
		e->stream = (enum stream)i;
		e->is_part = tag[0] == 'P';
		e->text = tag + 2;
		e->len = (size_t)(line + len - e->text);
		return true;
	}
	return false;
}

static const char *find_end(const struct log_reader *r)
{
	return r->at < r->buffer.len ? memchr(r->buffer.data + r->at, '\n', r->buffer.len - r->at)
				     : NULL;
}

static void drop_read(struct log_reader *r)
{
	if (!r->at)
		return;
	r->buffer.len -= r->at;
	memmove(r->buffer.data, r->buffer.data + r->at, r->buffer.len + 1);
	r->at = 0;
}

int log_read(struct log_reader *r, struct log_entry *e)
{
	const char *end;

	while (!(end = find_end(r))) {
		drop_read(r);
		if (!read_more(r) && !advance(r))
			return 0;
	}
	const char *line = r->buffer.data + r->at;
	size_t len = (size_t)(end - line);

	r->at += len + 1;
	if (!parse(line, len, e))
		*e = (struct log_entry){r->last_ns, STREAM_MOTE, false, line, len};
	r->last_ns = e->wall_ns;
	return 1;
}

struct log_reader *log_reader_open(int folder)
{
	struct log_reader *r = memory_new(1, sizeof(*r));

	r->folder = folder;
	r->fd = -1;
	return r;
}

void log_reader_close(struct log_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	text_free(&r->buffer);
	free(r);
}
