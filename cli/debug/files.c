/* open, pread, close, readlink and setfs; what writes is refused. */
#include "cli/debug/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"

#define CHUNK_MAX 0x3000u

static void reply_number(struct packet_stream *p, long result, int err)
{
	char text[48];

	if (err)
		snprintf(text, sizeof(text), "F-1,%x", (unsigned)err);
	else
		snprintf(text, sizeof(text), "F%lx", (unsigned long)result);
	packet_send(p, text, strlen(text));
}

static void reply_data(struct packet_stream *p, const void *bytes, size_t len)
{
	struct text t = {0};

	text_format(&t, "F%zx;", len);
	text_add_bytes(&t, bytes, len);
	packet_send(p, t.data, t.len);
	text_free(&t);
}

/* gdb names the process by its number; here there is one. */
static char *path_of(const char *hex)
{
	char path[4096];
	size_t n = strcspn(hex, ",");
	long len = hex_bytes(hex, n, (uint8_t *)path, sizeof(path) - 1);

	if (len <= 0)
		return NULL;
	path[len] = 0;
	return memory_string(path);
}

static void open_file(
	struct stub_files *f, struct target *t, struct packet_stream *p, const char *arguments)
{
	char *path = path_of(arguments);
	const char *flags = strchr(arguments, ',');
	char byte;
	int fd = 0;

	while (fd < STUB_FILES_MAX && f->paths[fd])
		fd++;
	int err = !path || !flags                    ? EINVAL
		  : strtoul(flags + 1, NULL, 16) & 3 ? EROFS
		  : fd == STUB_FILES_MAX             ? EMFILE
						     : 0;
	int n = err ? 0 : target_read_file(t, path, 0, &byte, 1);

	if (n < 0)
		err = -n;
	if (err)
		free(path);
	else
		f->paths[fd] = path;
	reply_number(p, fd, err);
}

static void read_file(
	struct stub_files *f, struct target *t, struct packet_stream *p, const char *arguments)
{
	char *end = NULL;
	uint8_t bytes[CHUNK_MAX];
	unsigned long fd = strtoul(arguments, &end, 16);
	unsigned long len = *end == ',' ? strtoul(end + 1, &end, 16) : 0;
	unsigned long long offset = *end == ',' ? strtoull(end + 1, NULL, 16) : 0;

	if (fd >= STUB_FILES_MAX || !f->paths[fd]) {
		reply_number(p, -1, EBADF);
		return;
	}
	int n = target_read_file(t, f->paths[fd], offset, bytes, len < CHUNK_MAX ? len : CHUNK_MAX);

	if (n < 0)
		reply_number(p, -1, -n);
	else
		reply_data(p, bytes, (size_t)n);
}

static void close_file(struct stub_files *f, struct packet_stream *p, const char *arguments)
{
	unsigned long fd = strtoul(arguments, NULL, 16);

	if (fd >= STUB_FILES_MAX || !f->paths[fd]) {
		reply_number(p, -1, EBADF);
		return;
	}
	free(f->paths[fd]);
	f->paths[fd] = NULL;
	reply_number(p, 0, 0);
}

static void read_link(struct target *t, struct packet_stream *p, const char *arguments)
{
	char *path = path_of(arguments), to[4096];
	int n = path ? target_read_link(t, path, to, sizeof(to)) : -EINVAL;

	free(path);
	if (n < 0)
		reply_number(p, -1, -n);
	else
		reply_data(p, to, (size_t)n);
}

void stub_file(struct stub_files *f, struct target *t, struct packet_stream *p, const char *command,
	size_t len)
{
	(void)len;
	if (string_starts(command, "setfs:"))
		reply_number(p, 0, 0);
	else if (string_starts(command, "open:"))
		open_file(f, t, p, command + strlen("open:"));
	else if (string_starts(command, "pread:"))
		read_file(f, t, p, command + strlen("pread:"));
	else if (string_starts(command, "close:"))
		close_file(f, p, command + strlen("close:"));
	else if (string_starts(command, "readlink:"))
		read_link(t, p, command + strlen("readlink:"));
	else
		packet_send(p, "", 0);
}

void stub_files_close(struct stub_files *f)
{
	for (int i = 0; i < STUB_FILES_MAX; i++)
		free(f->paths[i]);
	*f = (struct stub_files){0};
}
