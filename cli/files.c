/* Small files of state. */
#include "cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/memory.h"

#define DEPTH_MAX 4

bool file_write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

int file_replace(int folder, const char *name, const char *bytes, size_t len, unsigned flags)
{
	char temporary[256];

	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	bool ok = file_write_all(fd, bytes, len) && (!(flags & FILE_SYNC) || fsync(fd) == 0);
	int err = ok ? 0 : -errno;

	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && renameat(folder, temporary, folder, name) < 0)
		err = -errno;
	if (err)
		unlinkat(folder, temporary, 0);
	return err;
}

char *file_read(int folder, const char *name, size_t max)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)max) {
		close(fd);
		return NULL;
	}
	char *text = memory_new((size_t)st.st_size + 1, 1);
	ssize_t n = read(fd, text, (size_t)st.st_size);

	close(fd);
	if (n == st.st_size)
		return text;
	free(text);
	return NULL;
}

int file_lock(int fd, bool wait)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int err;

	do
		err = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &all);
	while (err < 0 && errno == EINTR);
	return err < 0 ? -errno : 0;
}

bool file_is_locked(int fd)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
}

static void remove_tree(int folder, const char *name, int depth)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT || depth == DEPTH_MAX)
		return;
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_tree(fd, e->d_name, depth + 1);
	closedir(d);
	unlinkat(folder, name, AT_REMOVEDIR);
}

void file_remove_tree(int folder, const char *name)
{
	remove_tree(folder, name, 0);
}
