/* The folder of instances. */
#include "cli/instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/folders.h"
#include "cli/memory.h"

#define TRIES 20
#define FILE_MAX (4 << 20) /* of config.json and state.json */

/* ---- The folder of all ---- */

static int open_all(void)
{
	char *path = folder_data("instances");
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		fail(errno,
			"cannot open the folder of instances%s%s: %s: set XDG_DATA_HOME to a "
			"folder "
			"you may write",
			path ? " " : "", path ? path : "", strerror(errno));
	free(path);
	return fd;
}

/* Waits for its turn to change names there; the descriptor ends it. */
static int lock_all(int all)
{
	int fd = openat(all, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && file_lock(fd, true) < 0) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		fail(errno, "cannot lock the folder of instances: %s", strerror(errno));
	return fd;
}

static void close_all(int all, int lock)
{
	if (lock >= 0)
		close(lock);
	if (all >= 0)
		close(all);
}

/* Removes what half made and half removed instances there are; .lock is held. */
static void sweep(int all)
{
	DIR *d = fdopendir(dup(all));

	if (!d)
		return;
	rewinddir(d);
	for (const struct dirent *e; (e = readdir(d));)
		if (string_starts(e->d_name, ".new-") || string_starts(e->d_name, ".old-"))
			file_remove_tree(all, e->d_name);
	closedir(d);
}

void instance_sweep(void)
{
	int all = open_all(), lock = all < 0 ? -1 : lock_all(all);

	if (lock >= 0)
		sweep(all);
	close_all(all, lock);
}

int instance_names(struct string_list *out)
{
	int all = open_all();
	DIR *d = all < 0 ? NULL : fdopendir(all);

	if (!d)
		return -EIO;
	for (const struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		if (e->d_type == DT_DIR && options_is_name(e->d_name))
			list_add(out, e->d_name);
		else
			warn("ignoring %s in the folder of instances: it is none", e->d_name);
	}
	closedir(d);
	list_sort(out);
	return 0;
}

/* ---- One ---- */

void instance_close(struct instance *i)
{
	if (i->lock >= 0)
		close(i->lock);
	if (i->folder >= 0)
		close(i->folder);
	*i = INSTANCE_NONE;
}

int instance_open(const char *name, struct instance *out)
{
	int all = open_all();

	*out = INSTANCE_NONE;
	if (all < 0)
		return -EIO;
	if (options_is_name(name))
		out->folder = openat(all, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(all);
	if (out->folder < 0)
		return fail(ENOENT, "no instance is called %s: see mote ps -a", name);
	snprintf(out->name, sizeof(out->name), "%s", name);
	return 0;
}

bool instance_exists(const char *name)
{
	int all = open_all();
	struct stat st;
	bool does = all >= 0 && fstatat(all, name, &st, 0) == 0 && S_ISDIR(st.st_mode);

	if (all >= 0)
		close(all);
	return does;
}

static bool is_removed(const struct instance *i)
{
	struct stat st;

	return fstat(i->folder, &st) < 0 || !st.st_nlink;
}

int instance_lock(struct instance *i)
{
	int fd = openat(i->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (file_lock(fd, false) < 0 || is_removed(i)) {
		close(fd);
		return -EBUSY;
	}
	i->lock = fd;
	return 0;
}

bool instance_is_alive(const struct instance *i)
{
	int fd = openat(i->folder, "lock", O_RDWR | O_CLOEXEC);
	bool is = fd >= 0 && file_is_locked(fd);

	if (fd >= 0)
		close(fd);
	return is;
}

/* ---- Its files ---- */

static int write_json(const struct instance *i, const char *name, const json_t *o, unsigned flags)
{
	char *text = json_dumps(o, JSON_INDENT(1));
	int err = text ? file_replace(i->folder, name, text, strlen(text), flags) : -EINVAL;

	free(text);
	if (err < 0)
		return fail(-err, "cannot write %s of the instance %s: %s", name, i->name,
			strerror(-err));
	return 0;
}

int instance_write_state(const struct instance *i, const json_t *state)
{
	return write_json(i, "state.json", state, 0);
}

int instance_write_config(const struct instance *i, const json_t *config)
{
	return write_json(i, "config.json", config, FILE_SYNC);
}

static json_t *read_json(const struct instance *i, const char *name)
{
	char *text = file_read(i->folder, name, FILE_MAX);
	json_t *o = text ? json_loads(text, 0, NULL) : NULL;

	free(text);
	if (json_is_object(o))
		return o;
	json_decref(o);
	return NULL;
}

json_t *instance_config(const struct instance *i)
{
	return read_json(i, "config.json");
}

json_t *instance_state(const struct instance *i)
{
	return read_json(i, "state.json");
}

/* ---- Making ---- */

static void random_name(char *out, size_t size, const char *prefix)
{
	unsigned char bytes[3] = {0};

	(void)!getrandom(bytes, sizeof(bytes), 0);
	snprintf(out, size, "%s%02x%02x%02x", prefix, bytes[0], bytes[1], bytes[2]);
}

/* "/usr/sbin/nginx": "nginx-3fa2c1" */
static void make_up_name(char *out, size_t size, const char *like)
{
	char prefix[48];

	snprintf(prefix, sizeof(prefix) - 1, "%.40s", path_name(like));
	for (char *c = prefix; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			    *c))
			*c = '-';
	if (prefix[0])
		strcat(prefix, "-");
	random_name(out, size, options_is_name(prefix) ? prefix : "mote-");
}

/* A complete one under a name that nobody looks at. */
static int make_hidden(int all, const char *hidden, const json_t *config, struct instance *i)
{
	if (mkdirat(all, hidden, 0700) < 0)
		return fail(errno, "cannot make an instance: %s", strerror(errno));
	i->folder = openat(all, hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = i->folder < 0 ? -errno : instance_lock(i);

	if (err < 0)
		return fail(-err, "cannot make an instance: %s", strerror(-err));
	return write_json(i, "config.json", config,
		json_is_true(json_object_get(config, "remove")) ? 0 : FILE_SYNC);
}

static int give_name(
	int all, const char *hidden, const char *name, const char *like, struct instance *i)
{
	int err = -EEXIST;

	for (int n = 0; err == -EEXIST && n < (name ? 1 : TRIES); n++) {
		if (name)
			snprintf(i->name, sizeof(i->name), "%s", name);
		else
			make_up_name(i->name, sizeof(i->name), like);
		err = renameat2(all, hidden, all, i->name, RENAME_NOREPLACE) < 0 ? -errno : 0;
	}
	return err;
}

static int complain_of_name(int err, const char *name)
{
	if (err == -EEXIST)
		return fail(EEXIST,
			"cannot use the name %s: an instance has it: choose another, or mote rm %s",
			name, name);
	return fail(-err, "cannot make the instance %s: %s", name, strerror(-err));
}

/* One that is only there because nobody could forget it does not hold its name. */
static void free_name(const char *name)
{
	struct instance old = INSTANCE_NONE;
	int all = open_all();

	if (all < 0)
		return;
	old.folder = openat(all, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(old.name, sizeof(old.name), "%s", name);
	close(all);
	if (old.folder >= 0)
		instance_remove_stale(&old);
	instance_close(&old);
}

int instance_create(const char *name, const char *like, const json_t *config, struct instance *out)
{
	char hidden[32];

	*out = INSTANCE_NONE;
	if (name)
		free_name(name);
	int all = open_all(), lock = all < 0 ? -1 : lock_all(all);

	if (lock < 0) {
		close_all(all, lock);
		return -EIO;
	}
	sweep(all);
	random_name(hidden, sizeof(hidden), ".new-");
	int err = make_hidden(all, hidden, config, out);

	if (err >= 0) {
		err = give_name(all, hidden, name, like, out);
		if (err < 0)
			err = complain_of_name(err, out->name);
	}
	if (err < 0) {
		instance_close(out);
		file_remove_tree(all, hidden);
	}
	close_all(all, lock);
	return err;
}

/* ---- Removing and renaming ---- */

static bool is_folder(int all, const char *name, const struct stat *wanted)
{
	struct stat st;

	return fstatat(all, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == wanted->st_ino &&
	       st.st_dev == wanted->st_dev;
}

/* It may have got another name since it was opened; .lock is held. */
static void learn_name(int all, struct instance *i)
{
	struct stat wanted;
	DIR *d = NULL;

	if (fstat(i->folder, &wanted) < 0 || is_folder(all, i->name, &wanted))
		return;
	d = fdopendir(dup(all));
	if (d)
		rewinddir(d);
	for (const struct dirent *e; d && (e = readdir(d));)
		if (options_is_name(e->d_name) && is_folder(all, e->d_name, &wanted))
			snprintf(i->name, sizeof(i->name), "%.63s", e->d_name);
	if (d)
		closedir(d);
}

/* The name goes first, at once: nobody sees half of it. */
int instance_remove(struct instance *i)
{
	char hidden[32];
	int all = open_all(), lock = all < 0 ? -1 : lock_all(all), err = 0;

	if (lock < 0) {
		close_all(all, lock);
		return -EIO;
	}
	random_name(hidden, sizeof(hidden), ".old-");
	learn_name(all, i);
	if (renameat(all, i->name, all, hidden) < 0)
		err = fail(errno, "cannot remove the instance %s: %s", i->name, strerror(errno));
	else
		sweep(all);
	close_all(all, lock);
	instance_close(i);
	return err;
}

bool instance_remove_stale(struct instance *i)
{
	json_t *config = instance_config(i);
	bool is_stale = json_is_true(json_object_get(config, "remove")) && instance_lock(i) >= 0;

	json_decref(config);
	return is_stale && instance_remove(i) >= 0;
}

int instance_rename(struct instance *i, const char *name)
{
	int all = open_all(), lock = all < 0 ? -1 : lock_all(all), err = 0;

	if (lock < 0) {
		close_all(all, lock);
		return -EIO;
	}
	if (renameat2(all, i->name, all, name, RENAME_NOREPLACE) < 0)
		err = complain_of_name(-errno, name);
	else
		snprintf(i->name, sizeof(i->name), "%s", name);
	close_all(all, lock);
	return err;
}
