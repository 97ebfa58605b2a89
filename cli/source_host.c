/* Files of this host, below a folder.  Everything used is noted as an input of the image. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/source.h"

struct host {
	struct source source;
	char *folder; /* "" for the host itself */
	struct inputs *inputs;
};

struct host_file {
	struct source_file file;
	int fd;
};

static char *host_path(struct source *s, const char *path)
{
	return string_format("%s%s", ((struct host *)s)->folder, path);
}

/* The caller's own files are root's in the machine, where the program runs as root. */
static bool is_own(const struct stat *st)
{
	return st->st_uid == geteuid();
}

static int host_stat(struct source *s, const char *path, struct source_stat *out)
{
	struct inputs *inputs = ((struct host *)s)->inputs;
	char *name = host_path(s, path);
	struct stat st;
	int err = lstat(name, &st) < 0 ? -errno : 0;

	if ((err == -ENOENT || err == -ENOTDIR) && !s->is_unrecorded)
		inputs_add_absent(inputs, name);
	if (err == 0) {
		if (!s->is_unrecorded)
			inputs_add(inputs, name, &st);
		*out = (struct source_stat){
			.mode = st.st_mode,
			.uid = is_own(&st) ? 0 : st.st_uid,
			.gid = is_own(&st) ? 0 : st.st_gid,
			.size = (uint64_t)st.st_size,
			.mtime = st.st_mtim.tv_sec,
			.mtime_ns = (uint32_t)st.st_mtim.tv_nsec,
			.major = major(st.st_rdev),
			.minor = minor(st.st_rdev),
			.is_unreadable =
				S_ISREG(st.st_mode) && geteuid() != 0 && access(name, R_OK) < 0,
		};
	}
	free(name);
	return err;
}

static int host_read_link(struct source *s, const char *path, char **target)
{
	char *name = host_path(s, path);
	char buf[PATH_MAX];
	ssize_t n = readlink(name, buf, sizeof(buf));
	int err = n < 0 ? -errno : n == sizeof(buf) ? -ENAMETOOLONG : 0;

	free(name);
	if (err == 0)
		*target = memory_bytes(buf, (size_t)n);
	return err;
}

static int host_open(struct source *s, const char *path, struct source_file **out)
{
	char *name = host_path(s, path);
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int err = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (err == 0 && !S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (err < 0) {
		if (fd >= 0)
			close(fd);
	} else {
		struct host_file *file = memory_new(1, sizeof(*file));

		if (!s->is_unrecorded)
			inputs_add(((struct host *)s)->inputs, name, &st);
		file->file = (struct source_file){.source = s, .size = (uint64_t)st.st_size};
		file->fd = fd;
		*out = &file->file;
	}
	free(name);
	return err;
}

static ssize_t host_read(struct source_file *file, uint64_t offset, void *buf, size_t len)
{
	ssize_t n = pread(((struct host_file *)file)->fd, buf, len, (off_t)offset);

	return n < 0 ? -errno : n;
}

static void host_close(struct source_file *file)
{
	close(((struct host_file *)file)->fd);
	free(file);
}

static int host_list(struct source *s, const char *path, struct string_list *names)
{
	char *name = host_path(s, path);
	struct stat st;
	DIR *dir = opendir(name);
	int err = !dir || fstat(dirfd(dir), &st) < 0 ? -errno : 0;

	if (err == 0) {
		inputs_add_listing(((struct host *)s)->inputs, name, &st);
		for (struct dirent *entry; (entry = readdir(dir));)
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				list_add(names, entry->d_name);
	}
	if (dir)
		closedir(dir);
	free(name);
	return err;
}

static void host_free(struct source *s)
{
	free(((struct host *)s)->folder);
	free(s->name);
	free(s);
}

static const struct source_ops host_ops = {
	.stat = host_stat,
	.read_link = host_read_link,
	.open = host_open,
	.read = host_read,
	.close = host_close,
	.list = host_list,
	.free = host_free,
};

int source_open_host(const char *folder, struct inputs *inputs, struct source **out)
{
	struct host *host = memory_new(1, sizeof(*host));
	int is_root = strcmp(folder, "/") == 0;

	host->source.ops = &host_ops;
	host->source.name = memory_string(is_root ? "this host" : folder);
	host->folder = memory_string(is_root ? "" : folder);
	host->inputs = inputs;
	*out = &host->source;
	return 0;
}
