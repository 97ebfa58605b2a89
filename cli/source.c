/* What all sources share: following links, reading whole files, telling the kinds apart. */
#include "cli/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/memory.h"

#define MAX_LINKS 40 /* as Linux: path_resolution(7) */

int source_stat(struct source *s, const char *path, struct source_stat *st)
{
	return s->ops->stat(s, path, st);
}

int source_read_link(struct source *s, const char *path, char **target)
{
	return s->ops->read_link(s, path, target);
}

int source_open(struct source *s, const char *path, struct source_file **file)
{
	return s->ops->open(s, path, file);
}

int source_list(struct source *s, const char *path, struct string_list *names)
{
	int err = s->ops->list(s, path, names);

	if (err >= 0)
		list_sort(names);
	return err;
}

int source_read(struct source_file *file, uint64_t offset, void *buf, size_t len)
{
	while (len) {
		ssize_t n = file->source->ops->read(file, offset, buf, len);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EIO;
		offset += (uint64_t)n;
		buf = (char *)buf + n;
		len -= (size_t)n;
	}
	return 0;
}

void source_close(struct source_file *file)
{
	if (file)
		file->source->ops->close(file);
}

void source_free(struct source *s)
{
	if (s)
		s->ops->free(s);
}

int source_read_all(struct source *s, const char *path, size_t max, char **data, size_t *len)
{
	struct source_file *file = NULL;
	int err = source_open(s, path, &file);

	if (err < 0)
		return err;
	if (file->size > max) {
		source_close(file);
		return -EFBIG;
	}
	char *buf = memory_new(file->size + 1, 1);

	err = source_read(file, 0, buf, file->size);
	*len = file->size;
	source_close(file);
	if (err < 0)
		free(buf);
	else
		*data = buf;
	return err;
}

/* Replaces *rest ("" or "/more") by target and what was left, and *done by where target starts. */
static void enter_link(char **done, char **rest, const char *target)
{
	char *more = string_format("/%s%s", target, *rest);

	if (target[0] == '/') {
		free(*done);
		*done = memory_string("");
	}
	free(*rest);
	*rest = more;
}

/* Takes the next part of *rest; NULL at the end. */
static char *next_part(char **rest)
{
	char *at = *rest + strspn(*rest, "/");
	size_t len = strcspn(at, "/");

	if (!len)
		return NULL;
	char *part = memory_bytes(at, len);
	char *left = memory_string(at + len);

	free(*rest);
	*rest = left;
	return part;
}

int source_resolve(
	struct source *s, const char *path, source_link_visitor *visit, void *context, char **real)
{
	char *done = memory_string(""), *rest = memory_string(path);
	int n_links = 0, err = 0;

	for (char *part; err >= 0 && (part = next_part(&rest));) {
		struct source_stat st;
		char *here = path_join(done[0] ? done : "/", part);
		char *target = NULL;

		err = strcmp(here, "/") == 0 ? 0 : source_stat(s, here, &st);
		if (err >= 0 && strcmp(here, "/") != 0 && S_ISLNK(st.mode)) {
			err = ++n_links > MAX_LINKS ? -ELOOP : source_read_link(s, here, &target);
			if (err >= 0) {
				if (visit)
					visit(context, here, target);
				enter_link(&done, &rest, target);
			}
			free(here);
		} else {
			free(done);
			done = here;
		}
		free(target);
		free(part);
	}
	free(rest);
	if (err < 0) {
		free(done);
		return err;
	}
	*real = done[0] ? done : memory_string("/");
	if (!done[0])
		free(done);
	return 0;
}

/* The first bytes of a file say ext4 (magic at 1024 + 56). */
static int is_ext_image(int fd)
{
	unsigned char magic[2];

	return pread(fd, magic, 2, 1024 + 56) == 2 && magic[0] == 0x53 && magic[1] == 0xef;
}

int source_open_any(const char *path, struct inputs *inputs, struct source **out)
{
	char *real = realpath(path, NULL);
	struct stat st;
	int fd = real ? open(real, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int err = errno;

		free(real);
		return fail(err, "cannot open the root %s: %s", path, strerror(err));
	}
	int err;

	if (S_ISDIR(st.st_mode)) {
		err = source_open_host(real, inputs, out);
	} else {
		inputs_add(inputs, real, &st);
		err = is_ext_image(fd) ? source_open_image(real, out) : source_open_tar(real, out);
	}
	close(fd);
	free(real);
	return err;
}
