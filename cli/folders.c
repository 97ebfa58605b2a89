/* The XDG base directory specification, and the layout of an installation. */
#include "cli/folders.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/text.h"

#define KERNEL_NAME "kernel-x86_64.elf"

/* Makes a folder and those above it, for this user only. */
static int make_folders(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = 0;
		int err = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;

		*slash = '/';
		if (err < 0)
			return err;
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* In /tmp anybody may have made it before us: what is not this user's alone is not used. */
static char *fallback_folder(const char *sub)
{
	char *top = string_format("/tmp/mote-%u", geteuid());
	struct stat st;
	bool is_ours = (mkdir(top, 0700) == 0 || errno == EEXIST) && lstat(top, &st) == 0 &&
		       S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077);
	char *path = is_ours ? string_format("%s/%s", top, sub) : NULL;

	free(top);
	if (!path)
		errno = EACCES;
	return path;
}

/* $VARIABLE/mote/SUB, or $HOME/BELOW/mote/SUB, or a folder in /tmp. */
static char *make_folder(const char *variable, const char *below, const char *sub)
{
	const char *base = getenv(variable), *home = getenv("HOME");
	char *path;

	if (base && base[0] == '/')
		path = string_format("%s/mote/%s", base, sub);
	else if (home && home[0] == '/')
		path = string_format("%s/%s/mote/%s", home, below, sub);
	else
		path = fallback_folder(sub);
	if (!path)
		return NULL;
	int err = access(path, F_OK) == 0 ? 0 : make_folders(path);

	if (err >= 0)
		return path;
	free(path);
	errno = -err;
	return NULL;
}

char *folder_cache(const char *sub)
{
	return make_folder("XDG_CACHE_HOME", ".cache", sub);
}

char *folder_data(const char *sub)
{
	return make_folder("XDG_DATA_HOME", ".local/share", sub);
}

char *kernel_find(void)
{
	const char *named = getenv("MOTE_KERNEL");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (named && named[0])
		return access(named, R_OK) == 0 ? memory_string(named) : NULL;
	if (n < 0)
		return NULL;
	self[n] = 0;
	char *folder = path_folder(self);
	char *beside = path_join(folder, KERNEL_NAME);
	char *installed = path_join(folder, "../lib/mote/" KERNEL_NAME);
	char *found = access(beside, R_OK) == 0      ? beside
		      : access(installed, R_OK) == 0 ? installed
						     : NULL;

	free(folder);
	if (found != beside)
		free(beside);
	if (found != installed)
		free(installed);
	return found;
}

char *tool_find(const char *name)
{
	const char *path = getenv("PATH");
	struct string_list folders = {0};
	char *found = NULL;

	list_add_split(&folders, path ? path : "/usr/local/bin:/usr/bin:/bin", ':');
	for (size_t i = 0; !found && i < folders.n; i++) {
		char *candidate = string_format("%s/%s", folders.items[i], name);

		if (access(candidate, X_OK) == 0)
			found = candidate;
		else
			free(candidate);
	}
	list_free(&folders);
	return found;
}
