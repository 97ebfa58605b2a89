/*
 * Stamps, one line each; the path is the rest of the line (paths with a newline are never valid
 * again: the image is simply made anew).
 *     f SIZE MTIME CTIME INODE PATH      a file or link as it was
 *     l 0 MTIME CTIME INODE PATH         a folder and its entries
 *     d 0 0 0 0 PATH                     a folder, whatever its entries
 *     n 0 0 0 0 PATH                     nothing
 * Times are nanoseconds since 1970.
 */
#include "cli/inputs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stamp {
	char kind;
	uint64_t size, inode;
	int64_t mtime_ns, ctime_ns;
};

static int64_t nanoseconds(const struct timespec *t)
{
	return t->tv_sec * 1000000000LL + t->tv_nsec;
}

static struct stamp stamp_of(char kind, const struct stat *st)
{
	struct stamp s = {.kind = kind};

	if (kind == 'f' || kind == 'l') {
		s.size = kind == 'f' ? (uint64_t)st->st_size : 0;
		s.mtime_ns = nanoseconds(&st->st_mtim);
		s.ctime_ns = nanoseconds(&st->st_ctim);
		s.inode = st->st_ino;
	}
	return s;
}

static void add_line(struct inputs *in, char kind, const char *path, const struct stat *st)
{
	char *key = string_format("%c%s", kind, path);

	if (map_add(&in->seen, key)) {
		struct stamp s = stamp_of(kind, st);

		text_format(&in->lines, "%c %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 " %s\n",
			s.kind, s.size, s.mtime_ns, s.ctime_ns, s.inode, path);
	}
	free(key);
}

void inputs_add(struct inputs *in, const char *path, const struct stat *st)
{
	add_line(in, S_ISDIR(st->st_mode) ? 'd' : 'f', path, st);
}

void inputs_add_listing(struct inputs *in, const char *path, const struct stat *st)
{
	add_line(in, 'l', path, st);
}

void inputs_add_absent(struct inputs *in, const char *path)
{
	add_line(in, 'n', path, NULL);
}

/* The numbers of a line and where its path starts; false when the line is damaged. */
static bool parse_line(const char *line, struct stamp *s, const char **path)
{
	char *end = NULL;

	s->kind = line[0];
	if (!s->kind || line[1] != ' ')
		return false;
	s->size = strtoull(line + 2, &end, 10);
	s->mtime_ns = strtoll(end, &end, 10);
	s->ctime_ns = strtoll(end, &end, 10);
	s->inode = strtoull(end, &end, 10);
	*path = end + 1;
	return end[0] == ' ' && end[1] == '/';
}

static bool is_unchanged(const struct stamp *was, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return was->kind == 'n' && (errno == ENOENT || errno == ENOTDIR);
	if (was->kind == 'n')
		return false;
	if (was->kind == 'd')
		return S_ISDIR(st.st_mode);
	struct stamp is = stamp_of(was->kind, &st);

	return is.size == was->size && is.inode == was->inode && is.mtime_ns == was->mtime_ns &&
	       is.ctime_ns == was->ctime_ns;
}

bool inputs_unchanged(const char *lines)
{
	struct text path = {0};
	bool same = true;

	while (same && *lines) {
		size_t len = strcspn(lines, "\n");
		struct stamp was = {0};
		const char *name = NULL;

		path.len = 0;
		text_add_bytes(&path, lines, len);
		same = parse_line(path.data, &was, &name) && is_unchanged(&was, name);
		lines += len + (lines[len] ? 1 : 0);
	}
	text_free(&path);
	return same;
}

void inputs_free(struct inputs *in)
{
	map_free(&in->seen);
	text_free(&in->lines);
}
