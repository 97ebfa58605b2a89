/*
 * An image's file appears whole or not at all: it is written without a name (O_TMPFILE) where the
 * file system allows that, so that nothing stays behind even when mote is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/image_write.h"
#include "cli/memory.h"

/* Gives the file behind fd the name path, in place of what was there. */
static int name_file(const char *by_fd, const char *path)
{
	char *temporary = string_format("%s.new%d", path, getpid());
	int err = 0;

	if (linkat(AT_FDCWD, by_fd, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) < 0)
		err = -errno;
	if (err == 0 && rename(temporary, path) < 0) {
		err = -errno;
		unlink(temporary);
	}
	free(temporary);
	return err;
}

static int write_nameless(const struct manifest *m, const char *path, int fd, uint64_t min_bytes)
{
	char by_fd[64];

	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
	int err = image_write(m, by_fd, path, min_bytes);

	if (err < 0)
		return err;
	err = name_file(by_fd, path);
	return err < 0 ? fail(-err, "cannot write %s: %s", path, strerror(-err)) : 0;
}

static int write_named(const struct manifest *m, const char *path, uint64_t min_bytes)
{
	char *temporary = string_format("%s.new%d", path, getpid());
	int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int err = fd < 0 ? fail(errno, "cannot write %s: %s", path, strerror(errno))
			 : image_write(m, temporary, path, min_bytes);

	if (fd >= 0)
		close(fd);
	if (err >= 0 && rename(temporary, path) < 0)
		err = fail(errno, "cannot write %s: %s", path, strerror(errno));
	if (err < 0 && fd >= 0)
		unlink(temporary);
	free(temporary);
	return err;
}

int image_write_file(const struct manifest *m, const char *path, uint64_t min_bytes)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return fail(EINVAL, "cannot write %s: it is there and is no file", path);
	char *folder = strchr(path, '/') ? path_folder(path) : memory_string(".");
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	int err =
		fd >= 0 ? write_nameless(m, path, fd, min_bytes) : write_named(m, path, min_bytes);

	free(folder);
	if (fd >= 0)
		close(fd);
	return err;
}
