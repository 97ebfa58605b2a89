/*
 * The folder images/ under the cache: per request KEY (a hash of its text)
 *     KEY.facts       what was asked, how the program starts, and the inputs with their stamps
 *     KEY.ID.ext4     the image that the facts name
 *     locks           a byte per KEY is locked while the image is made: two motes do not both make it
 * The image is in place before the facts name it, and both appear by rename: a reader sees all or
 * nothing.  A running machine holds a shared lock on its image; the oldest images without one go
 * when the folder grows too large.
 */
#include "cli/cache.h"

#include <dirent.h>
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/folders.h"
#include "cli/image_write.h"
#include "cli/memory.h"

#define FORMAT "mote image cache 1\n"
#define LIMIT_DEFAULT (2ULL << 30)

struct place {
	char *folder;
	char *key;     /* the request's text */
	char name[33]; /* its hash */
};

/* ---- Names ---- */

static void hash_key(const char *key, char name[33])
{
	unsigned char hash[EXT2FS_SHA512_LENGTH];

	ext2fs_sha512((const unsigned char *)key, strlen(key), hash);
	for (int i = 0; i < 16; i++)
		snprintf(name + 2 * i, 3, "%02x", hash[i]);
}

static char *place_path(const struct place *p, const char *suffix)
{
	return string_format("%s/%s.%s", p->folder, p->name, suffix);
}

/* ---- Facts ---- */

static char *facts_text(
	const struct place *p, const char *image, const struct launch *l, const struct inputs *in)
{
	struct text t = {0};

	text_format(&t, FORMAT "image %s\ninit %s\nargv0 %s\nmemory %" PRIu64 "\n", image,
		l->init ? l->init : "", l->argv0 ? l->argv0 : "", l->least_memory);
	for (size_t i = 0; i < l->prefix.n; i++)
		text_format(&t, "prefix %s\n", l->prefix.items[i]);
	text_format(&t, "key %zu\n%s", strlen(p->key), p->key);
	text_add(&t, in->lines.data ? in->lines.data : "");
	return text_take(&t);
}

/* A line "NAME VALUE" taken from *at; NULL when the next line is another. */
static char *take(char **at, const char *name)
{
	size_t len = strlen(name);
	char *end = strchr(*at, '\n');

	if (!end || strncmp(*at, name, len) != 0 || (*at)[len] != ' ')
		return NULL;
	char *value = memory_bytes(*at + len + 1, (size_t)(end - *at) - len - 1);

	*at = end + 1;
	return value;
}

/* Reads the facts; true when they are about this very request and nothing has changed. */
static bool parse_facts(const struct place *p, char *text, struct launch *l, char **image)
{
	char *at = text + strlen(FORMAT), *prefix;
	char *memory = NULL, *key_len = NULL;
	bool fresh = false;

	if (!string_starts(text, FORMAT))
		return false;
	*image = take(&at, "image");
	l->init = take(&at, "init");
	l->argv0 = take(&at, "argv0");
	memory = take(&at, "memory");
	while ((prefix = take(&at, "prefix")) != NULL)
		list_add_owned(&l->prefix, prefix);
	key_len = take(&at, "key");
	if (*image && l->init && l->argv0 && memory && key_len) {
		size_t len = strlen(p->key);

		l->least_memory = strtoull(memory, NULL, 10);
		fresh = strtoull(key_len, NULL, 10) == len && strncmp(at, p->key, len) == 0 &&
			inputs_unchanged(at + len);
	}
	free(memory);
	free(key_len);
	return fresh;
}

static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size < INT_MAX) {
		data = memory_new((size_t)st.st_size + 1, 1);
		if (read(fd, data, (size_t)st.st_size) != st.st_size) {
			free(data);
			data = NULL;
		}
	}
	close(fd);
	return data;
}

/* Opens an image and keeps it from being cleaned away; -1 when it is gone. */
static int open_image(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (flock(fd, LOCK_SH | LOCK_NB) < 0 || fstat(fd, &st) < 0 || !st.st_nlink)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool find_fresh(const struct place *p, struct cached_image *out)
{
	char *facts = place_path(p, "facts");
	char *text = read_file(facts), *image = NULL;
	bool found = text && parse_facts(p, text, &out->launch, &image);

	if (found) {
		out->path = string_format("%s/%s", p->folder, image);
		out->fd = open_image(out->path);
		found = out->fd >= 0;
		utimensat(AT_FDCWD, facts, NULL, 0); /* used now */
	}
	if (!found)
		cached_image_free(out);
	free(image);
	free(text);
	free(facts);
	return found;
}

/* ---- Making room ---- */

struct kept {
	char *facts, *image;
	struct timespec used;
	uint64_t bytes;
};

static int compare_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct kept *)a)->used;
	const struct timespec *y = &((const struct kept *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

/* Removes an image that nobody runs; false when somebody does. */
static bool remove_image(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool free_now = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;

	if (free_now)
		unlink(path);
	if (fd >= 0)
		close(fd);
	return free_now;
}

static bool examine(const char *folder, const char *name, struct kept *k)
{
	struct stat st;

	if (!string_ends(name, ".ext4") || strlen(name) < 34)
		return false;
	k->image = string_format("%s/%s", folder, name);
	k->facts = string_format("%s/%.32s.facts", folder, name);
	if (stat(k->image, &st) == 0)
		k->bytes = (uint64_t)st.st_blocks * 512, k->used = st.st_mtim;
	if (stat(k->facts, &st) == 0)
		k->used = st.st_mtim;
	return true;
}

static uint64_t limit(void)
{
	const char *text = getenv("MOTE_CACHE_MAX");
	unsigned long long bytes = LIMIT_DEFAULT;

	if (text && size_parse(text, &bytes) < 0)
		warn("MOTE_CACHE_MAX=%s is no size: using 2G", text);
	return bytes;
}

/* Keeps the folder below the limit; keep is the image just made. */
static void make_room(const char *folder, const char *keep)
{
	DIR *dir = opendir(folder);
	struct kept *all = NULL;
	size_t n = 0;
	uint64_t total = 0, most = limit();

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct kept k = {0};

		if (!examine(folder, entry->d_name, &k))
			continue;
		all = memory_resize(all, n + 1, sizeof(all[0]));
		all[n++] = k;
		total += k.bytes;
	}
	if (dir)
		closedir(dir);
	if (n)
		qsort(all, n, sizeof(all[0]), compare_use);
	for (size_t i = 0; i < n; i++) {
		if (total > most && strcmp(all[i].image, keep) != 0 && remove_image(all[i].image)) {
			unlink(all[i].facts);
			total -= all[i].bytes;
		}
		free(all[i].facts);
		free(all[i].image);
	}
	free(all);
}

/* Older images of the same request: no facts name them any more. */
static void remove_others(const struct place *p, const char *keep)
{
	DIR *dir = opendir(p->folder);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char *path = string_format("%s/%s", p->folder, entry->d_name);

		if (string_starts(entry->d_name, p->name) && string_ends(path, ".ext4") &&
			strcmp(path, keep) != 0)
			remove_image(path);
		free(path);
	}
	if (dir)
		closedir(dir);
}

/* ---- Making an image ---- */

/* Writes a small file beside its place and moves it there. */
static int replace_file(const char *path, const char *text)
{
	char *temporary = string_format("%s.%d", path, getpid());
	FILE *file = fopen(temporary, "we");
	int err = 0;

	if (!file)
		err = -errno;
	else if (fputs(text, file) < 0)
		err = -errno;
	if (file && fclose(file) != 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(temporary, path) < 0)
		err = -errno;
	if (err < 0)
		unlink(temporary);
	free(temporary);
	return err;
}

static int publish(const struct place *p, struct cached_image *out, const struct inputs *in)
{
	char *facts = place_path(p, "facts");
	char *text = facts_text(p, path_name(out->path), &out->launch, in);
	int err = replace_file(facts, text);

	if (err < 0)
		err = fail(-err, "cannot write %s: %s", facts, strerror(-err));
	else
		remove_others(p, out->path);
	make_room(p->folder, out->path);
	free(text);
	free(facts);
	return err;
}

/* A change of mote itself may change what it puts into images. */
static void add_self(struct inputs *in)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct stat st;

	if (n < 0)
		return;
	self[n] = 0;
	if (stat(self, &st) == 0)
		inputs_add(in, self, &st);
}

static int make_image(const struct place *p, const struct request *r, struct cached_image *out)
{
	struct inputs in = {0};
	struct gathering g;

	add_self(&in);
	int err = request_gather(r, &in, &g);

	if (err < 0) {
		inputs_free(&in);
		return err;
	}
	char *id = string_format("%d-%ld.ext4", getpid(), (long)time(NULL));

	out->path = place_path(p, id);
	free(id);
	err = image_write_file(&g.manifest, out->path, 0);
	out->launch = g.launch;
	g.launch = (struct launch){0};
	gathering_free(&g);
	if (err >= 0) {
		out->fd = open_image(out->path);
		err = out->fd < 0 ? fail(EIO, "cannot open %s", out->path) : publish(p, out, &in);
	}
	inputs_free(&in);
	if (err < 0) {
		if (out->fd >= 0)
			unlink(out->path);
		cached_image_free(out);
		err = -EIO;
	}
	return err;
}

/* Waits for whoever makes this image now; the lock ends with the descriptor, -1 = none. */
static int lock_key(const struct place *p)
{
	char *path = string_format("%s/locks", p->folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char first[13] = "";

	free(path);
	memcpy(first, p->name, sizeof(first) - 1);
	struct flock range = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)strtoull(first, NULL, 16),
		.l_len = 1};

	if (fd >= 0)
		fcntl(fd, F_OFD_SETLKW, &range);
	return fd;
}

int cache_get(const struct request *r, unsigned flags, struct cached_image *out)
{
	struct place p = {.folder = folder_cache("images"), .key = request_key(r)};
	int err = 0;

	*out = (struct cached_image){.fd = -1};
	if (!p.folder) {
		free(p.key);
		return fail(EIO,
			"cannot make the image cache: %s: set XDG_CACHE_HOME to a folder "
			"you may write",
			strerror(errno));
	}
	hash_key(p.key, p.name);
	if (flags & CACHE_REBUILD || !find_fresh(&p, out)) {
		int lock = lock_key(&p);

		if (flags & CACHE_REBUILD || !find_fresh(&p, out))
			err = make_image(&p, r, out);
		if (lock >= 0)
			close(lock);
	}
	free(p.folder);
	free(p.key);
	return err;
}

void cached_image_free(struct cached_image *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->path);
	launch_free(&c->launch);
	*c = (struct cached_image){.fd = -1};
}
