/* mote image: looking into an ext4 image, mote's own or any other, without mounting it. */
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/defaults.h"
#include "cli/memory.h"
#include "cli/source.h"

#define MAX_DEPTH 64 /* a damaged image may hold a folder in itself */

struct look {
	const char *image, *path;
	struct source *source;
	bool json;
};

static int complain(const struct look *l, const char *path, int err)
{
	if (err == -EUCLEAN)
		return fail(EUCLEAN,
			"cannot read %s in %s: the image is damaged: check it with e2fsck "
			"-f",
			path, l->image);
	return fail(-err, "cannot read %s in %s: %s", path, l->image, strerror(-err));
}

/* ---- One file ---- */

static char type_letter(uint32_t mode)
{
	return S_ISDIR(mode)    ? 'd'
	       : S_ISLNK(mode)  ? 'l'
	       : S_ISCHR(mode)  ? 'c'
	       : S_ISBLK(mode)  ? 'b'
	       : S_ISFIFO(mode) ? 'p'
	       : S_ISSOCK(mode) ? 's'
				: '-';
}

static const char *type_name(uint32_t mode)
{
	return S_ISDIR(mode)   ? "folder"
	       : S_ISLNK(mode) ? "link"
	       : S_ISREG(mode) ? "file"
			       : "special";
}

static json_t *stat_json(const char *name, const struct source_stat *st, const char *target)
{
	json_t *o = json_pack("{s:s%, s:s, s:I, s:i, s:i, s:I, s:I}", "name", name, strlen(name),
		"type", type_name(st->mode), "mode", (json_int_t)(st->mode & 07777), "uid",
		(int)st->uid, "gid", (int)st->gid, "size", (json_int_t)st->size, "mtime",
		(json_int_t)st->mtime);

	if (o && target)
		json_object_set_new(o, "target", json_string(target));
	return o;
}

static void print_stat(const char *name, const struct source_stat *st, const char *target)
{
	char when[32] = "?";
	time_t seconds = (time_t)st->mtime;
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	printf("%c%04o %5u %5u %10" PRIu64 " %s %s%s%s\n", type_letter(st->mode), st->mode & 07777,
		st->uid, st->gid, st->size, when, name, target ? " -> " : "", target ? target : "");
}

/* What is at path, with the link's target; the caller frees it. */
static int look_at(const struct look *l, const char *path, struct source_stat *st, char **target)
{
	int err = source_stat(l->source, path, st);

	*target = NULL;
	if (err >= 0 && S_ISLNK(st->mode))
		err = source_read_link(l->source, path, target);
	return err < 0 ? complain(l, path, err) : 0;
}

/* ---- ls ---- */

static int show_entry(const struct look *l, const char *path, const char *name, json_t *all)
{
	struct source_stat st;
	char *target = NULL;
	int err = look_at(l, path, &st, &target);

	if (err >= 0 && all)
		json_array_append_new(all, stat_json(name, &st, target));
	else if (err >= 0)
		print_stat(name, &st, target);
	free(target);
	return err;
}

static int list_folder(const struct look *l, const char *path, json_t *all)
{
	struct string_list names = {0};
	int err = source_list(l->source, path, &names);

	if (err < 0)
		err = complain(l, path, err);
	for (size_t i = 0; err >= 0 && i < names.n; i++) {
		char *child = path_join(path, names.items[i]);

		err = show_entry(l, child, names.items[i], all);
		free(child);
	}
	list_free(&names);
	return err;
}

static int print_json(json_t *o)
{
	if (json_dumpf(o, stdout, JSON_INDENT(2)) < 0)
		return fail(EIO, "cannot print: a name is not UTF-8");
	putchar('\n');
	return 0;
}

static int look_ls(const struct look *l)
{
	json_t *all = l->json ? json_array() : NULL;
	struct source_stat st;
	char *real = NULL;
	int err = source_resolve(l->source, l->path, NULL, NULL, &real);

	if (err >= 0)
		err = source_stat(l->source, real, &st);
	if (err < 0)
		err = complain(l, l->path, err);
	else if (S_ISDIR(st.mode))
		err = list_folder(l, real, all);
	else
		err = show_entry(l, real, l->path, all);
	if (err >= 0 && all)
		err = print_json(all);
	json_decref(all);
	free(real);
	return err;
}

/* ---- tree ---- */

static int walk(const struct look *l, const char *path, unsigned depth, json_t *parent);

static int walk_entry(
	const struct look *l, const char *path, const char *name, unsigned depth, json_t *parent)
{
	struct source_stat st;
	char *target = NULL;
	json_t *o = NULL;
	int err = look_at(l, path, &st, &target);

	if (err < 0)
		return err;
	if (parent) {
		o = stat_json(name, &st, target);
		json_array_append_new(parent, o);
	} else {
		printf("%*s%s%s%s%s\n", (int)depth * 2, "", name, S_ISDIR(st.mode) ? "/" : "",
			target ? " -> " : "", target ? target : "");
	}
	free(target);
	if (!S_ISDIR(st.mode))
		return 0;
	json_t *inner = parent ? json_array() : NULL;

	err = walk(l, path, depth + 1, inner);
	if (inner)
		json_object_set_new(o, "entries", inner);
	return err;
}

static int walk(const struct look *l, const char *path, unsigned depth, json_t *parent)
{
	struct string_list names = {0};

	if (depth > MAX_DEPTH)
		return complain(l, path, -EUCLEAN);
	int err = source_list(l->source, path, &names);

	if (err < 0)
		err = complain(l, path, err);
	for (size_t i = 0; err >= 0 && i < names.n; i++) {
		char *child = path_join(path, names.items[i]);

		err = walk_entry(l, child, names.items[i], depth, parent);
		free(child);
	}
	list_free(&names);
	return err;
}

static int look_tree(const struct look *l)
{
	json_t *all = l->json ? json_array() : NULL;
	char *real = NULL;
	int err = source_resolve(l->source, l->path, NULL, NULL, &real);

	err = err < 0 ? complain(l, l->path, err) : walk(l, real, 0, all);
	if (err >= 0 && all)
		err = print_json(all);
	json_decref(all);
	free(real);
	return err;
}

/* ---- cat ---- */

static int look_cat(const struct look *l)
{
	struct source_file *file = NULL;
	static char buf[1 << 20];
	char *real = NULL;
	int err = source_resolve(l->source, l->path, NULL, NULL, &real);

	if (err >= 0)
		err = source_open(l->source, real, &file);
	for (uint64_t at = 0; err >= 0 && at < file->size; at += sizeof(buf)) {
		size_t len = file->size - at < sizeof(buf) ? file->size - at : sizeof(buf);

		err = source_read(file, at, buf, len);
		if (err >= 0 && fwrite(buf, 1, len, stdout) != len)
			err = -errno;
	}
	if (err < 0)
		err = complain(l, l->path, err);
	source_close(file);
	free(real);
	return err;
}

/* ---- inspect ---- */

struct totals {
	uint64_t n_files, n_folders, n_links, bytes;
};

static int count(const struct look *l, const char *path, unsigned depth, struct totals *t)
{
	struct string_list names = {0};
	int err = depth > MAX_DEPTH ? -EUCLEAN : source_list(l->source, path, &names);

	if (err < 0)
		return complain(l, path, err);
	for (size_t i = 0; err >= 0 && i < names.n; i++) {
		char *child = path_join(path, names.items[i]);
		struct source_stat st;

		err = source_stat(l->source, child, &st);
		if (err < 0)
			err = complain(l, child, err);
		else if (S_ISDIR(st.mode))
			t->n_folders++, err = count(l, child, depth + 1, t);
		else if (S_ISLNK(st.mode))
			t->n_links++;
		else if (S_ISREG(st.mode))
			t->n_files++, t->bytes += st.size;
		free(child);
	}
	list_free(&names);
	return err;
}

static json_t *strings_json(const struct string_list *l)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(array, json_string(l->items[i]));
	return array;
}

/* The file system's own facts; libext2fs is asked once more, for its superblock. */
static int file_system_json(const struct look *l, json_t *o)
{
	ext2_filsys fs = NULL;
	errcode_t code = ext2fs_open(l->image, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);
	char uuid[40];

	if (code)
		return complain(l, "the superblock", -EUCLEAN);
	const unsigned char *u = fs->super->s_uuid;
	char label[17] = "";

	memcpy(label, fs->super->s_volume_name, 16);
	snprintf(uuid, sizeof(uuid),
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x"
		"%02x",
		u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		u[13], u[14], u[15]);
	json_object_set_new(o, "label", json_string(label));
	json_object_set_new(o, "uuid", json_string(uuid));
	json_object_set_new(o, "block_size", json_integer(fs->blocksize));
	json_object_set_new(o, "blocks", json_integer((json_int_t)ext2fs_blocks_count(fs->super)));
	json_object_set_new(
		o, "free_blocks", json_integer((json_int_t)ext2fs_free_blocks_count(fs->super)));
	ext2fs_free(fs);
	return 0;
}

static void add_defaults(json_t *o, const struct defaults *d)
{
	json_object_set_new(o, "program", d->init ? json_string(d->init) : json_null());
	json_object_set_new(o, "argv0", d->argv0 ? json_string(d->argv0) : json_null());
	json_object_set_new(o, "arguments", strings_json(&d->arguments));
	json_object_set_new(o, "environment", strings_json(&d->environment));
	json_object_set_new(o, "workdir", d->cwd ? json_string(d->cwd) : json_null());
}

static void print_facts(json_t *o)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value)
	{
		printf("%-12s ", key);
		if (json_is_integer(value))
			printf("%lld", (long long)json_integer_value(value));
		else if (json_is_string(value))
			printf("%s", json_string_value(value));
		else if (json_is_null(value))
			printf("-");
		for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
			printf("%s%s", i ? " " : "",
				json_string_value(json_array_get(value, i)) ?: "?");
		putchar('\n');
	}
}

static int look_inspect(const struct look *l)
{
	struct defaults d = {0};
	struct totals t = {0};
	struct stat st = {0};
	json_t *o = json_object();
	int err = defaults_read(l->source, &d);

	if (err == -ENOENT)
		err = 0;
	if (err >= 0)
		err = count(l, "/", 0, &t);
	json_object_set_new(o, "image", json_string(l->image));
	if (stat(l->image, &st) == 0)
		json_object_set_new(o, "disk_bytes", json_integer((json_int_t)st.st_blocks * 512));
	if (err >= 0)
		err = file_system_json(l, o);
	json_object_set_new(o, "files", json_integer((json_int_t)t.n_files));
	json_object_set_new(o, "folders", json_integer((json_int_t)t.n_folders));
	json_object_set_new(o, "links", json_integer((json_int_t)t.n_links));
	json_object_set_new(o, "bytes", json_integer((json_int_t)t.bytes));
	add_defaults(o, &d);
	if (err >= 0 && l->json)
		err = print_json(o);
	else if (err >= 0)
		print_facts(o);
	json_decref(o);
	defaults_free(&d);
	return err;
}

/* ---- The words ---- */

static const struct {
	const char *name;
	int (*run)(const struct look *);
	size_t least, most; /* words behind the name */
} looks[] = {
	{"inspect", look_inspect, 1, 1},
	{"ls", look_ls, 1, 2},
	{"tree", look_tree, 1, 2},
	{"cat", look_cat, 2, 2},
};

int command_image(const struct options *o)
{
	struct look l = {.json = o->json};
	size_t n = o->arguments.n;
	char *const *words = o->arguments.items;

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (strcmp(words[0], looks[i].name) != 0)
			continue;
		if (n - 1 < looks[i].least || n - 1 > looks[i].most) {
			fail(EINVAL, "mote image %s takes other words: see mote image --help",
				words[0]);
			return EXIT_MOTE_FAILED;
		}
		l.image = words[1];
		char *path = path_join("/", n > 2 ? words[2] : "/");

		l.path = path;
		int err = source_open_image(l.image, &l.source);

		if (err >= 0)
			err = looks[i].run(&l);
		source_free(l.source);
		free(path);
		return err < 0 ? EXIT_MOTE_FAILED : 0;
	}
	fail(EINVAL, "unknown command mote image %s: see mote image --help", words[0]);
	return EXIT_MOTE_FAILED;
}
