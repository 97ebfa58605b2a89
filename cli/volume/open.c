/* -v: from its words to an image that is locked and can be mounted. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/folders.h"
#include "cli/memory.h"
#include "cli/options.h"
#include "cli/volume/volume.h"

static int bad_spec(const char *spec)
{
	return fail(EINVAL,
		"cannot use the volume %s: it is not NAME:/path or FILE:/path, perhaps with :ro "
		"behind",
		spec);
}

/* NAME:/path[:ro] */
static int split(const char *spec, struct volume *v)
{
	const char *colon = strchr(spec, ':');

	while (colon && colon[1] != '/')
		colon = strchr(colon + 1, ':');
	if (!colon || colon == spec)
		return bad_spec(spec);
	v->name = string_format("%.*s", (int)(colon - spec), spec);
	v->mount_path = memory_string(colon + 1);
	v->read_only = string_ends(v->mount_path, ":ro");
	if (v->read_only || string_ends(v->mount_path, ":rw"))
		v->mount_path[strlen(v->mount_path) - 3] = 0;
	if (strcmp(v->mount_path, "/") == 0)
		return fail(EINVAL, "cannot mount %s at /: for that there is mote run --rw IMAGE",
			v->name);
	if (strchr(v->mount_path, ':'))
		return bad_spec(spec);
	return 0;
}

int volume_lock(const char *name, const char *file, bool writes)
{
	int fd = open(file, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd < 0 && writes && (errno == EACCES || errno == EROFS || errno == EPERM))
		return fail(errno,
			"cannot write to the volume %s: %s is read-only for this user: add :ro to "
			"only read it",
			name, file);
	if (fd < 0)
		return fail(
			errno, "cannot open the volume %s: %s: %s", name, file, strerror(errno));
	if (flock(fd, (writes ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return fd;
	int err = errno;

	close(fd);
	if (err == EWOULDBLOCK)
		return fail(EBUSY, "cannot %s the volume %s: another machine %s it",
			writes ? "write to" : "use", name, writes ? "uses" : "writes to");
	return fail(err, "cannot lock the volume %s: %s", name, strerror(err));
}

int image_lock(const char *file, bool writes, int *lock)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0; /* whoever opens it says so */
	if (flock(fd, (writes ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) {
		*lock = fd;
		return 0;
	}
	int err = errno;

	close(fd);
	if (err == EWOULDBLOCK)
		return fail(EBUSY, "cannot %s the image %s: another machine %s it",
			writes ? "write to" : "run", file, writes ? "runs" : "writes to");
	return fail(err, "cannot lock the image %s: %s", file, strerror(err));
}

char *volume_file(const char *name)
{
	char *folder = folder_data("volumes");

	if (!options_is_name(name)) {
		free(folder);
		fail(EINVAL, "no volume can be called %s: letters, digits, - _ . only", name);
		return NULL;
	}
	if (!folder) {
		fail(errno, "cannot make the folder of the volumes: %s", strerror(errno));
		return NULL;
	}
	char *file = string_format("%s/%s.img", folder, name);

	free(folder);
	return file;
}

char *volume_find(const char *name)
{
	char *file = volume_file(name);

	if (!file || access(file, F_OK) == 0)
		return file;
	fail(ENOENT, "no volume is called %s: mote volume create -s 1G %s makes it", name, name);
	free(file);
	return NULL;
}

/* A word with a slash is a path, any other one a name. */
static int find_file(struct volume *v)
{
	struct stat st;

	if (!strchr(v->name, '/')) {
		char *file = volume_find(v->name);

		v->file = file ? realpath(file, NULL) : NULL;
		free(file);
		return v->file ? 0 : -ENOENT;
	}
	v->file = realpath(v->name, NULL);
	if (!v->file || stat(v->file, &st) < 0)
		return fail(errno, "cannot open the volume %s: %s", v->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(ENOTSUP,
			"cannot share the folder %s with a machine yet: mote volume create --from "
			"%s copies it to a volume",
			v->name, v->name);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return fail(EINVAL, "cannot use %s as a volume: it is no file", v->name);
	return 0;
}

static int open_one(const char *spec, struct volume *v)
{
	struct volume_facts facts;
	int err = split(spec, v);

	if (err >= 0)
		err = find_file(v);
	if (err >= 0)
		err = v->lock = volume_lock(v->name, v->file, !v->read_only);
	if (err >= 0)
		err = volume_read_facts(v->name, v->file, &facts);
	if (err >= 0)
		v->disk = string_format("UUID=%s", facts.uuid);
	return err;
}

/* Two mean the same disk or the same place. */
static int check_apart(const struct volume *v, const struct volume *w)
{
	if (strcmp(v->mount_path, w->mount_path) == 0)
		return fail(EINVAL, "cannot mount both %s and %s at %s", w->name, v->name,
			v->mount_path);
	if (strcmp(v->disk, w->disk) == 0)
		return fail(EINVAL,
			"cannot use %s and %s together: both file systems have the %s: tune2fs -U "
			"random gives one another",
			w->name, v->name, v->disk);
	return 0;
}

int volumes_open(const struct string_list *specs, struct volume **out, size_t *n)
{
	int err = 0;

	if (specs->n > VOLUMES_MAX)
		return fail(EINVAL, "cannot use %zu volumes: at most %u", specs->n, VOLUMES_MAX);
	*out = memory_new(specs->n, sizeof(**out));
	for (*n = 0; err >= 0 && *n < specs->n; ++*n) {
		struct volume *v = &(*out)[*n];

		v->lock = -1;
		err = open_one(specs->items[*n], v);
		for (size_t i = 0; err >= 0 && i < *n; i++)
			err = check_apart(v, &(*out)[i]);
	}
	return err < 0 ? err : 0;
}

void volumes_free(struct volume *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].file);
		free(v[i].disk);
		free(v[i].mount_path);
		if (v[i].lock >= 0)
			close(v[i].lock);
	}
	free(v);
}
